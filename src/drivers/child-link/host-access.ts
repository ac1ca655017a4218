// What lets the host reach its macvlan sandboxes: the kernel passes no frames between a link and the macvlans on it, so
// the host gets a macvlan of its own beside them, one for each network, and a route by it to each of their addresses.
//
//   host -> sandbox   by the route, with the address that the host has on the master
//   sandbox -> host   IPv4: the shim answers ARP for the host's addresses, but only to whom a route leads by it.
//                     IPv6: an address belongs to one link, so the sandbox gets a route by the shim's link-local one.
//
// A route says whose it is by its metric, a digest of the owner; the shim lives as long as it has routes.
import { errnoCode, TnetError } from '../../errors.ts'
import type { AssignedAddress } from '../../net/assignment.ts'
import { change } from '../../net/batch.ts'
import { digest } from '../../net/digest.ts'
import type { Host } from '../../net/host.ts'
import { contains, formatAddress, parseCidr, width } from '../../net/ip.ts'
import { addLink, changeLink } from '../../net/links.ts'
import { type Attached, type Owner, ownerTag } from '../../net/owner.ts'
import { ROUTE_PROTOCOL } from '../../net/routes.ts'
import type { Sandbox } from '../../net/sandbox.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { Steps } from '../../steps.ts'

/** Of an interface name, 4 characters are `tnet`. */
const DIGITS = 11

export interface Reached {
  readonly owner: Owner
  readonly master: Link
  readonly sandbox: Sandbox
  /** Of the link in the sandbox. */
  readonly index: number
  readonly addresses: readonly AssignedAddress[]
}

/** Who uses it undoes with `closeHostAccess`. */
export async function openHostAccess(reached: Reached, host: Host, steps: Steps): Promise<void> {
  const { owner, master, sandbox, index, addresses } = reached
  const own = await ownAddresses(master, host)
  using _lock = await host.lock(shimName(owner.network))
  const shim = await openShim(owner.network, master, host)
  for (const route of hostRoutes(owner, addresses, own)) {
    await steps.step(`add route to ${route.dst} by ${shim.name}`, async () => {
      try {
        await host.routes.add(shim.index, route)
      } catch (error) {
        if (errnoCode(error) !== 'EEXIST') throw error
      }
    })
  }
  const gw = await linkLocal(shim, host)
  for (const dst of backRoutes(addresses, own)) {
    if (gw !== undefined) await sandbox.routes.add(index, { dst, gw })
  }
}

/** The shim on the master, made where there is none. Throws IN_USE where the network's stands on another. */
async function openShim(network: string, master: Link, host: Host): Promise<Link> {
  const name = shimName(network)
  const found = await host.links.get(name)
  if (found !== undefined && found.link !== master.index) {
    throw new TnetError(
      'IN_USE',
      `${name}: the host reaches the network ${network} by link ${found.link}, want ${master.name}`,
      'DEL all of its attachments before its master changes',
    )
  }
  if (found === undefined) {
    await change(host.route, [
      {
        name: `add macvlan ${name} on ${master.name}`,
        request: addLink({
          name,
          link: master.index,
          linkInfo: { kind: 'macvlan', data: { mode: 'bridge' } },
        }),
      },
      { name: `mark ${name}`, request: changeLink({ name, alias: shimAlias(network) }) },
    ])
  }
  // Nothing on the network may configure the host, and nobody waits for duplicates of what the host has elsewhere.
  for (const parameter of ['accept_ra', 'accept_dad']) {
    await host.sysctl.setIfPresent(`net/ipv6/conf/${name}/${parameter}`, '0')
  }
  await host.sysctl.setIfPresent(`net/ipv4/conf/${name}/arp_filter`, '1')
  await host.links.up({ name })
  return host.links.existing(name)
}

/** Removes the owner's routes, and the shim with the last route. */
export async function closeHostAccess(owner: Owner, host: Host): Promise<void> {
  await close(owner.network, host, metric => metric === metricOf(owner))
}

/** Removes the routes of all but `valid`. */
export async function gcHostAccess(network: string, valid: readonly Attached[], host: Host): Promise<void> {
  const metrics = new Set(valid.map(attached => metricOf({ network, ...attached })))
  await close(network, host, metric => !metrics.has(metric))
}

async function close(network: string, host: Host, isToGo: (metric: number) => boolean): Promise<void> {
  const name = shimName(network)
  if ((await host.links.get(name))?.alias !== shimAlias(network)) return
  using _lock = await host.lock(name)
  const shim = await host.links.get(name)
  if (shim === undefined) return
  const routes = await routesOf(shim, host)
  const staying = routes.filter(({ priority }) => !isToGo(priority))
  if (staying.length === 0) return host.links.remove({ index: shim.index })
  for (const { dst, priority } of routes) {
    if (isToGo(priority)) await host.routes.remove(shim.index, { dst, priority })
  }
}

/** Throws CHECK_FAILED naming what is missing. */
export async function checkHostAccess(
  { owner, master, sandbox, addresses }: Omit<Reached, 'index'>,
  host: Host,
): Promise<void> {
  const shim = await host.links.get(shimName(owner.network))
  if (shim === undefined) throw failed(`${shimName(owner.network)}, by which the host reaches it, is gone`)
  if (shim.link !== master.index) throw failed(`${shim.name} is on link ${shim.link}, want ${master.name}`)
  if (!shim.flags.has('up')) throw failed(`${shim.name} is down`)
  // What advertisements of routers have given the host since, and take away again, is nobody's fault.
  const own = await ownAddresses(master, host, 'permanent')
  const has = new Set((await routesOf(shim, host)).map(({ dst, priority }) => `${dst} ${priority}`))
  for (const { dst, priority } of hostRoutes(owner, addresses, own)) {
    if (!has.has(`${dst} ${priority}`)) throw failed(`the host's route to ${dst} by ${shim.name} is gone`)
  }
  const inside = new Set(
    (await sandbox.routes.list()).map(
      ({ destination, destinationLength }) => `${destination}/${destinationLength}`,
    ),
  )
  for (const dst of backRoutes(addresses, own)) {
    if (!inside.has(dst)) throw failed(`the route to the host's ${dst} is gone from ${sandbox.path}`)
  }
}

/** The host's addresses on the master that others can be reached from. */
async function ownAddresses(master: Link, host: Host, which: 'all' | 'permanent' = 'all'): Promise<string[]> {
  return (await host.addresses.list(master.index)).flatMap(({ cidr, scope, flags }) =>
    scope === 'universe' && (which === 'all' || flags.has('permanent')) ? [cidr] : [],
  )
}

function hostRoutes(owner: Owner, addresses: readonly AssignedAddress[], own: readonly string[]) {
  return addresses.map(({ address }) => {
    const { address: to, family } = parseCidr(address, 'address')
    const candidates = own.map(cidr => parseCidr(cidr, 'address')).filter(each => each.family === family)
    const source = candidates.find(each => contains(each, to)) ?? candidates[0]
    return {
      dst: `${formatAddress(to)}/${width(family)}`,
      priority: metricOf(owner),
      ...(source === undefined ? {} : { source: formatAddress(source.address) }),
    }
  })
}

/** What a sandbox with an IPv6 address reaches by the shim: the host's own. */
function backRoutes(addresses: readonly AssignedAddress[], own: readonly string[]): string[] {
  if (!addresses.some(({ address }) => address.includes(':'))) return []
  return own
    .filter(cidr => cidr.includes(':'))
    .map(cidr => `${formatAddress(parseCidr(cidr, 'address').address)}/128`)
}

async function linkLocal(shim: Link, host: Host): Promise<string | undefined> {
  const found = (await host.addresses.list(shim.index)).find(({ cidr }) => cidr.startsWith('fe80:'))
  return found?.cidr.split('/')[0]
}

async function routesOf(shim: Link, host: Host): Promise<{ dst: string; priority: number }[]> {
  return (await host.routes.list()).flatMap(
    ({ outputIndex, protocol, destination, destinationLength, priority = 0 }) =>
      outputIndex === shim.index && protocol === ROUTE_PROTOCOL
        ? [{ dst: `${destination}/${destinationLength}`, priority }]
        : [],
  )
}

function shimName(network: string): string {
  return `tnet${digest(shimAlias(network)).slice(0, DIGITS)}`
}

function shimAlias(network: string): string {
  return `tnet-shim ${network}`
}

/** Of 32 bits, never 0, which IPv6 takes for none. */
function metricOf(owner: Owner): number {
  return Number.parseInt(digest(ownerTag(owner)).slice(0, 8), 16) || 1
}

function failed(message: string): TnetError {
  return new TnetError('CHECK_FAILED', message, 'DEL and ADD the container again')
}
