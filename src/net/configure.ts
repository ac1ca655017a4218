// Gives the link in a sandbox its addresses and routes.
import { absentIsFine, TnetError } from '../errors.ts'
import { NETLINK_ROUTE } from '../netlink/socket.ts'
import { addAddress } from './addresses.ts'
import type { AssignedAddress, Route } from './assignment.ts'
import { type Change, change } from './batch.ts'
import { changeLink } from './links.ts'
import { contains, formatAddress, formatSubnet, parseAddress, parseCidr, width } from './ip.ts'
import { addRoute, gatewayOf } from './routes.ts'
import type { Sandbox } from './sandbox.ts'

const UP = new Set(['up'] as const)
const RTNLGRP_IPV6_IFADDR = 9
/** Detection takes about a second; the kernel may start it late. */
const DETECTION = 10_000

export interface LinkSetup {
  readonly ifname: string
  readonly index: number
  readonly addresses: readonly AssignedAddress[]
  /** Without `gw`, by what `gatewayOf` says. */
  readonly routes: readonly Route[]
  readonly duplicateAddressDetection: boolean
  /** The subnets of the addresses are reached by their gateways alone. */
  readonly pointToPoint?: boolean
}

/** Addresses, up, routes: in one system call. */
export async function configureLink(sandbox: Sandbox, setup: LinkSetup): Promise<void> {
  const { ifname, index, addresses, duplicateAddressDetection: dad, pointToPoint = false } = setup
  await setParameters(sandbox, setup)
  const changes: Change[] = [
    ...addresses.map(({ address }) => ({
      name: `add address ${address}`,
      request: addAddress(index, address, { dad, prefixRoute: !pointToPoint }),
    })),
    { name: `set ${ifname} up`, request: changeLink({ index, flags: UP, change: UP }) },
    ...(pointToPoint ? addresses.flatMap(each => routesByGateway(index, each)) : []),
    ...setup.routes.map(route => {
      const gw = gatewayOf(route, addresses)
      const onlink = pointToPoint && isNeighbour(gw, addresses)
      return {
        name: `add route to ${route.dst}${route.gw === undefined ? '' : ` by ${route.gw}`}`,
        request: addRoute(index, { ...route, gw, onlink }),
      }
    }),
  ]
  await change(sandbox.route, changes)
  if (dad && addresses.some(({ address }) => isIPv6(address))) await waitForDetection(sandbox, ifname, index)
}

/** To the gateway, and to the subnet by it. */
function routesByGateway(index: number, { address, gateway }: AssignedAddress): Change[] {
  if (gateway === undefined) return []
  const subnet = parseCidr(address, 'address')
  const length = width(subnet.family)
  const source = formatAddress(subnet.address)
  const toGateway = { dst: `${gateway}/${length}`, source }
  const changes: Change[] = [
    // Two addresses may have one gateway.
    { name: `add route to ${gateway}`, request: addRoute(index, toGateway), fine: ['EEXIST'] },
  ]
  if (subnet.prefix === length) return changes
  const dst = formatSubnet(subnet)
  const request = addRoute(index, { dst, gw: gateway, source })
  return [...changes, { name: `add route to ${dst} by ${gateway}`, request }]
}

/** Whether it is in the subnet of an address, and no gateway of them: the kernel has no route to it by the link alone. */
function isNeighbour(gw: string | undefined, addresses: readonly AssignedAddress[]): boolean {
  if (gw === undefined || addresses.some(({ gateway }) => gateway === gw)) return false
  const hop = parseAddress(gw, 'gw')
  return addresses.some(({ address }) => contains(parseCidr(address, 'address'), hop))
}

function isIPv6(text: string): boolean {
  return text.includes(':')
}

async function setParameters(sandbox: Sandbox, setup: LinkSetup): Promise<void> {
  const { ifname, addresses, duplicateAddressDetection: dad } = setup
  const { sysctl } = sandbox
  if (dad) {
    for (const name of ['enhanced_dad', 'accept_dad'])
      await sysctl.setIfPresent(`net/ipv6/conf/${ifname}/${name}`, '1')
  } else await sysctl.setIfWritable(`net/ipv6/conf/${ifname}/accept_dad`, '0')
  // Neighbours may remember who had the addresses before.
  await sysctl.setIfWritable(`net/ipv4/conf/${ifname}/arp_notify`, '1')
  await sysctl.setIfWritable(`net/ipv6/conf/${ifname}/ndisc_notify`, '1')
  if (!addresses.some(({ address }) => isIPv6(address))) return
  // Some runtimes start sandboxes with IPv6 off; addresses of IPv6 say that it is wanted.
  for (const name of ['lo', ifname]) await sysctl.set(`net/ipv6/conf/${name}/disable_ipv6`, '0')
  await sysctl.setIfWritable(`net/ipv6/conf/${ifname}/keep_addr_on_down`, '1')
}

/**
 * Without a carrier there is nobody to ask: the kernel does so when the carrier comes, which may be long after. Throws
 * TAKEN where an address is somebody else's already, KERNEL where nothing is said in time.
 */
async function waitForDetection(sandbox: Sandbox, ifname: string, index: number): Promise<void> {
  const deadline = performance.now() + DETECTION
  using events = sandbox.open(NETLINK_ROUTE, [RTNLGRP_IPV6_IFADDR])
  for (;;) {
    const addresses = await sandbox.addresses.list(index)
    const duplicate = addresses.find(({ flags }) => flags.has('dadfailed'))
    if (duplicate !== undefined) {
      throw new TnetError(
        'TAKEN',
        `address ${duplicate.cidr} of ${ifname}: another host on the network has it`,
      )
    }
    if (!addresses.some(({ flags }) => flags.has('tentative'))) return
    if (!(await sandbox.links.get(index))?.flags?.has('lower_up')) return
    const left = deadline - performance.now()
    if (left <= 0) {
      throw new TnetError(
        'KERNEL',
        `${ifname}: duplicate address detection did not end within ${DETECTION / 1000} s`,
      )
    }
    events.timeout(left)
    await absentIsFine(['EAGAIN', 'ENOBUFS'], () => events.receive())
  }
}
