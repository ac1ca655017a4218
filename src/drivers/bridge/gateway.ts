// The bridge as its sandboxes' gateway: addresses on the host, default routes inside, forwarding and masquerade.
import type { Assignment } from '../../ipam/ipam.ts'
import type { AssignedAddress, Route } from '../../net/assignment.ts'
import type { Host } from '../../net/host.ts'
import { formatAddress, formatCidr, parseAddress, parseCidr, plus } from '../../net/ip.ts'
import type { Owner } from '../../net/owner.ts'
import { forward } from '../../net/forwarding.ts'
import type { Interface } from '../../net/result.ts'
import { vethName } from '../../net/veth.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { Steps } from '../../steps.ts'
import { masquerade } from '../routing.ts'
import { giveAddress } from './gateway-address.ts'
import type { BridgeOptions } from './options.ts'
import { openVlanGateway } from './vlan-gateway.ts'

const DEFAULT_ROUTE = { 4: '0.0.0.0/0', 6: '::/0' } as const

/** Fills in the gateways, by default the first address of each subnet, and the default routes by them. */
export function assignGateways(options: BridgeOptions, assignment: Assignment): Assignment {
  if (!options.gateway) return assignment
  const routes: Route[] = [...assignment.routes]
  const ips = assignment.ips.map(ip => {
    const { family, network } = parseCidr(ip.address, 'address')
    const gateway = ip.gateway ?? formatAddress(plus(network, 1n))
    const dst = DEFAULT_ROUTE[family]
    const exists = routes.some(route => route.dst === dst && route.gw !== undefined)
    if (options.defaultGateway && !exists) routes.push({ dst, gw: gateway })
    return { ...ip, gateway }
  })
  return { ...assignment, ips, routes }
}

export interface Gatewayed {
  readonly link: Link
  readonly options: BridgeOptions
  readonly owner: Owner
  readonly addresses: readonly AssignedAddress[]
}

/** Makes the host ready to route and masquerade for the addresses. Answers with the VLAN's link, where there is one. */
export async function connectGateways(
  { link, options, owner, addresses }: Gatewayed,
  host: Host,
  steps: Steps,
): Promise<Interface[]> {
  const own = vethName(owner)
  const gateways = options.gateway ? gatewaysOf(addresses) : []
  const carrier = options.gateway ? await openGateway(link, options, host, steps) : link
  const beside = gateways.map(({ wanted }) => wanted)
  const given = { bridge: link, carrier, beside, force: options.forceAddress, own }
  for (const { wanted } of gateways) await giveAddress({ ...given, wanted }, host, steps)
  if (options.masquerade && addresses.length > 0) {
    await masquerade(owner, addresses, host, steps)
  }
  for (const family of new Set(gateways.map(({ family }) => family))) await forward(family, own, host, steps)
  return carrier === link ? [] : [{ name: carrier.name ?? '', mac: carrier.address ?? '', mtu: carrier.mtu }]
}

/** The gateways' own addresses, each with the prefix length of its subnet. */
export function gatewaysOf(addresses: readonly AssignedAddress[]): { wanted: string; family: 4 | 6 }[] {
  return addresses.flatMap(({ address, gateway }) => {
    if (gateway === undefined) return []
    const { prefix, family } = parseCidr(address, 'address')
    return { wanted: formatCidr({ address: parseAddress(gateway, 'gateway'), prefix }), family }
  })
}

/** The link that carries the gateway's addresses: the bridge, or that of its VLAN. */
async function openGateway(link: Link, options: BridgeOptions, host: Host, steps: Steps): Promise<Link> {
  const { vlan } = options
  return vlan === undefined ? link : openVlanGateway(link, { ...options, vlan }, host, steps)
}
