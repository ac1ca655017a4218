// Puts a link into a VRF and takes it out. The kernel takes the link down and up again for that, and forgets its routes
// and its IPv6 addresses: they come back, the routes of the table that counted in the one that counts then.
import { addAddress } from '../../net/addresses.ts'
import { type Change, change } from '../../net/batch.ts'
import { changeLink } from '../../net/links.ts'
import { copyOf, inOrder, isLinkLocal } from '../../net/route-copies.ts'
import type { Sandbox } from '../../net/sandbox.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { Route } from '../../netlink/route/route.ts'

export const MAIN = 254

export interface Move {
  readonly link: Link
  /** The index of the VRF; 0: none. */
  readonly master: number
  /** The tables that count for the link before and after. Routes of others stay where they are. */
  readonly from: number
  readonly to: number
}

/** All or nothing; in one system call, so that no signal can part the link from its routes. */
export async function move(sandbox: Sandbox, { link, master, from, to }: Move): Promise<void> {
  const { index } = link
  const routes = (await sandbox.routes.list()).filter(
    each => each.outputIndex === index && each.protocol !== 'kernel' && !isLinkLocal(each),
  )
  const addresses = await globalAddresses(sandbox, index)
  const before = link.master ?? 0
  try {
    const moved = routes.map(each => (each.table === from ? { ...each, table: to } : each))
    await change(sandbox.route, changes(link, { master, addresses, routes: moved }))
  } catch (error) {
    await change(sandbox.route, changes(link, { master: before, addresses, routes }))
    throw error
  }
}

interface Wanted {
  readonly master: number
  readonly addresses: readonly string[]
  readonly routes: readonly Route[]
}

function changes({ index, name = '' }: Link, { master, addresses, routes }: Wanted): Change[] {
  return [
    { name: `set the master of ${name}`, request: changeLink({ index, master }) },
    ...addresses.map(cidr => ({
      name: `add address ${cidr} to ${name}`,
      request: addAddress(index, cidr),
      fine: ['EEXIST'],
    })),
    ...inOrder(routes).map(route => ({
      name: `add route to ${route.destination ?? 'default'} to table ${route.table}`,
      request: copyOf(route, route.table ?? MAIN),
      fine: ['EEXIST'],
    })),
  ]
}

async function globalAddresses(sandbox: Sandbox, index: number): Promise<string[]> {
  const all = await sandbox.addresses.list(index)
  return all.filter(({ cidr, scope }) => cidr.includes(':') && scope === 'universe').map(({ cidr }) => cidr)
}
