// Puts an interface into a VRF of its container: a routing table of its own, which the sockets bound to it use.
import type { Linkless, LinkedPort } from '../../drivers/driver.ts'
import { TnetError, unwanted } from '../../errors.ts'
import { toldOf } from '../../net/leaving-port.ts'
import { checkedInterface } from '../../net/names.ts'
import { ownLink } from '../../net/sandbox-link.ts'
import { inOwnSandbox } from '../../net/own-sandbox.ts'
import type { Sandbox } from '../../net/sandbox.ts'
import type { Link } from '../../netlink/route/link.ts'
import { addVrf, findVrf, removeIdle, tableOf } from './device.ts'
import { MAIN, move } from './membership.ts'

export interface VrfConfig {
  readonly vrfname?: string
  readonly table?: number
}

export interface VrfOptions {
  readonly name: string
  /** Left out: that of the VRF which is there, or one that is free. */
  readonly table: number | undefined
}

export const vrf: Linkless<VrfConfig, VrfOptions> = {
  name: 'vrf',

  parse({ vrfname, table = 0 }) {
    if (vrfname === undefined) throw unwanted('vrfname', 'the name of a VRF', vrfname)
    return { name: checkedInterface('vrfname', vrfname), table: table === 0 ? undefined : table }
  },

  /** The interface says which VRF it is in. */
  parseLeaving: ({ vrfname = '' }) => ({ name: vrfname, table: undefined }),

  async attach({ options: { name, table } }, port, host, steps) {
    const { owner, sandbox, result } = port
    using _ = await host.sandboxTurn(sandbox)
    const link = await linkOf(port)
    const there = await findVrf(sandbox, name)
    if (there !== undefined && table !== undefined && tableOf(there) !== table) {
      throw unwanted('table', `${tableOf(there)}, which the VRF ${name} has`, table)
    }
    if (link.master !== undefined && link.master !== 0 && link.master !== there?.index) {
      throw new TnetError('EXISTS', `${owner.ifname} has another master, the link ${link.master}`)
    }
    if (there !== undefined && link.master === there.index) return result
    const device =
      there ??
      (await steps.step(
        `add VRF ${name}`,
        () => addVrf(sandbox, name, table),
        () => removeIdle(sandbox, name),
      ))
    const [into, out] = [
      { link, master: device.index, from: MAIN, to: tableOf(device) },
      { link: { ...link, master: device.index }, master: 0, from: tableOf(device), to: MAIN },
    ]
    await steps.step(
      `put ${owner.ifname} into the VRF ${name}`,
      () => move(sandbox, into),
      () => move(sandbox, out),
    )
    return result
  },

  async detach({ options: { name } }, { owner, sandbox, result }, host) {
    if (sandbox === undefined) {
      return inOwnSandbox(owner, host, async found => {
        using _ = await host.sandboxTurn(found)
        await leave(found, owner.ifname)
        if (name !== '') await removeIdle(found, name)
      })
    }
    using _ = await host.sandboxTurn(sandbox)
    const link = await ownLink(owner, { sandbox, host, told: toldOf(owner, result) })
    if (link !== undefined) await leave(sandbox, owner.ifname)
    if (name !== '') await removeIdle(sandbox, name)
  },

  async check({ options: { name, table } }, port) {
    const { sandbox, owner } = port
    const link = await linkOf(port)
    const device = await sandbox.links.get(name)
    if (device?.linkInfo?.kind !== 'vrf') throw failed(`the VRF ${name} is gone`)
    if (table !== undefined && tableOf(device) !== table) {
      throw failed(`the VRF ${name} has the table ${tableOf(device)}, want ${table}`)
    }
    if (!device.flags.has('up')) throw failed(`the VRF ${name} is down`)
    if (link.master !== device.index) throw failed(`${owner.ifname} is not in the VRF ${name}`)
  },

  async gc({ name }, valid, host) {
    const { gc } = await import('./gc.ts') // it reads all of /proc
    await gc(name, valid, host)
  },

  async status(_network, host) {
    // A name that no link can have: nothing is made, but a kind that is not there is told.
    const why = await host.links.refusal({ name: 'no/name', linkInfo: { kind: 'vrf', data: { table: 1 } } })
    if (why !== 'EOPNOTSUPP') return
    throw new TnetError('UNAVAILABLE', 'this kernel has no vrf', 'load its module: modprobe vrf')
  },
}

/** Takes the interface out of the VRF that it is in, if any, with its routes. */
export async function leave(sandbox: Sandbox, ifname: string): Promise<void> {
  const link = await sandbox.links.get(ifname)
  const device = link?.master ? await sandbox.links.get(link.master) : undefined
  if (link === undefined || device?.linkInfo?.kind !== 'vrf') return
  await move(sandbox, { link, master: 0, from: tableOf(device), to: MAIN })
}

async function linkOf({ owner: { ifname }, sandbox }: LinkedPort): Promise<Link> {
  const link = await sandbox.links.get(ifname)
  if (link !== undefined) return link
  throw new TnetError('NOT_FOUND', `${ifname}: there is no such interface in ${sandbox.path}`)
}

function failed(message: string): TnetError {
  return new TnetError('CHECK_FAILED', message, 'DEL and ADD the container again')
}
