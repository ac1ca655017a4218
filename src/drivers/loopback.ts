// The loopback interface of a sandbox: up, with what the kernel gives it.
import { TnetError, unwanted } from '../errors.ts'
import { parseCidr } from '../net/ip.ts'
import { ownerTag } from '../net/owner.ts'
import type { AttachResult } from '../net/result.ts'
import type { Sandbox } from '../net/sandbox.ts'
import type { Link } from '../netlink/route/link.ts'
import type { Linkless } from './driver.ts'

const LO = 'lo'
const UP = new Set(['up'] as const)
const DOWN = new Set<never>()

/** Its alias says who set it up, so that the loopback interface of another container is never put down. */
export const loopback: Linkless<unknown, undefined> = {
  name: 'loopback',
  parse: () => undefined,
  parseLeaving: () => undefined,

  async attach(_network, { owner, sandbox, result }, _host, steps) {
    const alias = ownerTag(owner)
    const { index, alias: before, flags } = await sandbox.links.existing(LO)
    if (!flags.has('up')) {
      await steps.step(
        'set lo up',
        () => sandbox.links.set({ index, alias, flags: UP, change: UP }),
        () => sandbox.links.set({ index, alias: before ?? '', flags: DOWN, change: UP }),
      )
    }
    const own = await loopbackResult(sandbox)
    // Before 0.3.0 a result names no interfaces.
    return result.interfaces.length > 0 || result.ips.length > 0 ? result : own
  },

  async detach(_network, { owner, sandbox }) {
    const link = await sandbox?.links.get(LO)
    if (link?.alias !== ownerTag(owner)) return
    await sandbox?.links.set({ index: link.index, alias: '', flags: DOWN, change: UP })
  },

  async check(_network, { sandbox }) {
    const { flags } = await sandbox.links.existing(LO)
    if (!flags.has('up')) throw new TnetError('CHECK_FAILED', `lo is down in ${sandbox.path}`, 'set it up')
  },
}

/** The loopback interface with its addresses. Throws BAD_CONFIG where it has one that others can be asked under. */
export async function loopbackResult(sandbox: Sandbox): Promise<AttachResult> {
  const link: Link = await sandbox.links.existing(LO)
  const addresses = (await sandbox.addresses.list(link.index)).map(({ cidr }) => cidr)
  const foreign = addresses.find(cidr => !isLoopback(cidr))
  if (foreign !== undefined) throw unwanted('lo', 'loopback addresses alone', foreign)
  return {
    interfaces: [{ name: LO, mac: link.address ?? '', mtu: link.mtu, sandbox: sandbox.path }],
    ips: addresses.map(address => ({ address, interface: 0 })),
    routes: [],
    dns: {},
  }
}

function isLoopback(cidr: string): boolean {
  const { address, family } = parseCidr(cidr, 'address')
  return family === 4 ? address.bits >> 24n === 127n : address.bits === 1n
}
