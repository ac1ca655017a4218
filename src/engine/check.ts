// Holds an attachment against what its ADD answered.
import { TnetError } from '../errors.ts'
import type { Route } from '../net/assignment.ts'
import { equal, formatAddress, parseCidr } from '../net/ip.ts'
import { ownerTag } from '../net/owner.ts'
import type { AttachResult } from '../net/result.ts'
import { gatewayOf } from '../net/routes.ts'
import type { Sandbox } from '../net/sandbox.ts'
import { tagOf } from '../net/sandbox-link.ts'
import type { Attachment } from './attach.ts'

export interface CheckRequest<C, O> extends Attachment<C, O> {
  readonly sandbox: Sandbox
  /** What ADD answered, with the changes that chained plugins made since. */
  readonly result: AttachResult
}

const RT_TABLE_MAIN = 254

const ATTRIBUTES = ['gw', 'priority', 'mtu', 'advmss'] as const
type Attribute = (typeof ATTRIBUTES)[number]

/** In IPv4 this is no gateway. */
const NO_GATEWAY = '0.0.0.0'

/** Throws CHECK_FAILED naming what is missing. What others added is nobody's fault. */
export async function check<C, O>(request: CheckRequest<C, O>): Promise<void> {
  const { driver, network, owner, sandbox, host, ipam, result } = request
  await ipam?.check(owner)
  const position = result.interfaces.findIndex(({ name, sandbox: path }) => name === owner.ifname && path)
  const addresses = result.ips.filter(ip => ip.interface === undefined || ip.interface === position)
  const port = { owner, sandbox, addresses, interfaces: result.interfaces }
  if ((await driver.check?.(network, port, host)) === 'no link') return
  const link = await sandbox.links.get(owner.ifname)
  if (link === undefined) throw failed(`${owner.ifname} is gone from ${sandbox.path}`)
  const mac = result.interfaces[position]?.mac
  if (mac && mac.toLowerCase() !== link.address) {
    throw failed(`${owner.ifname} has the MAC address ${link.address}, want ${mac}`)
  }
  if (driver.plan?.(network.options).down === true) return
  if (!link.flags.has('up')) throw failed(`${owner.ifname} is down`)
  await checkAddresses(sandbox, link.index, addresses, owner.ifname)
  if (result.routes.length === 0) return
  // Others may tell of attributes that they have not set, and choose gateways in their own way.
  const ours = (await tagOf(link, host)) === ownerTag(owner)
  const routes = result.routes.map(route => (ours ? { ...route, gw: gatewayOf(route, addresses) } : route))
  await checkRoutes(sandbox, link.index, { routes, compared: ours ? ATTRIBUTES : ['gw'] })
}

async function checkAddresses(
  sandbox: Sandbox,
  index: number,
  addresses: readonly { readonly address: string }[],
  ifname: string,
): Promise<void> {
  const has = (await sandbox.addresses.list(index)).map(({ cidr }) => parseCidr(cidr, 'address'))
  for (const { address } of addresses) {
    const wanted = parseCidr(address, 'address')
    if (!has.some(each => equal(each.address, wanted.address) && each.prefix === wanted.prefix)) {
      throw failed(`${ifname} lacks the address ${address}`)
    }
  }
}

/** Where a route names no table, chained plugins may have moved it from the main one: to that of a VRF, or of a source. */
async function checkRoutes(
  sandbox: Sandbox,
  index: number,
  { routes, compared }: { readonly routes: readonly Route[]; readonly compared: readonly Attribute[] },
): Promise<void> {
  const has = await sandbox.routes.by(index)
  for (const { dst, table, ...rest } of routes) {
    const { network, prefix } = parseCidr(dst, 'dst')
    const destination = `${formatAddress(network)}/${prefix}`
    const there = has.filter(each => each.dst === destination && (!table || each.table === table))
    if (there.length === 0) throw failed(`the route to ${dst} is gone from table ${table || RT_TABLE_MAIN}`)
    const all = there.map(each =>
      compared
        .filter(key => rest[key] && !isAs(each[key], rest[key]))
        .map(key => `${key} ${each[key] ?? 'none'}, want ${rest[key]}`),
    )
    const [first] = all.sort((a, b) => a.length - b.length)
    if (first?.[0] !== undefined) throw failed(`the route to ${dst} has ${first[0]}`)
  }
}

function isAs(found: string | number | undefined, wanted: string | number): boolean {
  return found === wanted || (found === undefined && wanted === NO_GATEWAY)
}

function failed(message: string): TnetError {
  return new TnetError('CHECK_FAILED', message, 'DEL and ADD the container again')
}
