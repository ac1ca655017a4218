// The bridge that a container is on, for policies about bridges.
import { TnetError } from '../../errors.ts'
import type { LinkedPort } from '../../drivers/driver.ts'
import type { IngressPolicy, Isolation } from '../../net/admission.ts'
import type { Host } from '../../net/host.ts'

/** The first interface of the result has to be a bridge, and the container one of its ports. Throws BAD_CONFIG. */
export async function isolationOf(
  policy: IngressPolicy | 'open',
  { owner, sandbox, result }: LinkedPort,
  host: Host,
): Promise<Isolation | undefined> {
  if (policy === 'open') return undefined
  const bridge = result.interfaces[0]
  const link = bridge?.name && bridge.sandbox === undefined ? await host.links.get(bridge.name) : undefined
  if (link?.linkInfo?.kind !== 'bridge') {
    const got = bridge === undefined ? 'no interfaces' : `${bridge.name}, which is none`
    throw refused(policy, `want a bridge as the first interface of prevResult, got ${got}`)
  }
  const inside = await sandbox.links.get(owner.ifname)
  const port = inside?.link === undefined ? undefined : await host.links.get(inside.link)
  const isPort = port?.link === inside?.index && port?.master === link.index
  if (port?.name === undefined || !isPort) {
    throw refused(policy, `want ${owner.ifname} to be a port of ${bridge?.name}, but it is none`)
  }
  return { policy, bridge: bridge?.name ?? '', port: port.name }
}

function refused(policy: IngressPolicy, why: string): TnetError {
  const details = 'name firewall after bridge in "plugins"; other networks have the policy open alone'
  return new TnetError('BAD_CONFIG', `ingressPolicy ${policy}: ${why}`, details)
}
