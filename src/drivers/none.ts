// No network: a sandbox whose only interface is the loopback, which is up.
import { TnetError } from '../errors.ts'
import type { Sandbox } from '../net/sandbox.ts'
import type { Linkless } from './driver.ts'
import { loopback, loopbackResult } from './loopback.ts'
import { refusePorts, type SharedConfig } from './shared.ts'

/** What modules of tunnels put into every namespace by themselves; down, they lead nowhere. */
const FALLBACK = /^(tunl0|sit0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6tnl0|ip6gre0)$/

export const none: Linkless<SharedConfig, undefined> = {
  name: 'none',
  parse(config) {
    refusePorts(config, 'none')
    return undefined
  },
  parseLeaving: () => undefined,

  async attach(network, port, host, steps) {
    const other = await interfaceOf(port.sandbox)
    if (other !== undefined) {
      throw new TnetError(
        'BAD_CONFIG',
        `no network for ${port.owner.containerId}: ${port.sandbox.path} has the interface ${other}`,
        'leave out the other networks of this container, or this one',
      )
    }
    await loopback.attach(network, port, host, steps)
    return loopbackResult(port.sandbox)
  },

  detach: loopback.detach,

  async check(network, port, host) {
    const other = await interfaceOf(port.sandbox)
    if (other !== undefined) {
      throw new TnetError(
        'CHECK_FAILED',
        `${port.sandbox.path} has the interface ${other}, want none but lo`,
        'remove it, or DEL and ADD the container again',
      )
    }
    await loopback.check(network, port, host)
  },
}

/** The name of one that the sandbox must not have. */
async function interfaceOf(sandbox: Sandbox): Promise<string | undefined> {
  const links = await sandbox.links.list()
  return links.find(({ name = '', flags }) => name !== 'lo' && (flags.has('up') || !FALLBACK.test(name)))
    ?.name
}
