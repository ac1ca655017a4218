// Routes of one namespace.
import { absentIsFine } from '../errors.ts'
import type { AssignedAddress, Route } from './assignment.ts'
import { AF_INET, AF_INET6 } from '../netlink/route/family.ts'
import {
  deleteRoute,
  getRoute,
  newRoute,
  type Route as KernelRoute,
  type RouteRequest,
  RT_TABLE_MAIN,
} from '../netlink/route/route.ts'
import { type NetlinkSocket, type Request, request } from '../netlink/socket.ts'
import { NLM_F_CREATE } from '../wire/message.ts'

/** What marks our routes for `ip route` and for GC: `proto 116`. */
export const ROUTE_PROTOCOL = 116

/** The destination of a default route, of which the kernel says nothing. */
const DEFAULT: Readonly<Record<number, string>> = { [AF_INET]: '0.0.0.0', [AF_INET6]: '::' }

export class Routes {
  readonly #socket: () => NetlinkSocket

  constructor(socket: () => NetlinkSocket) {
    this.#socket = socket
  }

  async list(): Promise<KernelRoute[]> {
    return (await this.#socket().dump(getRoute, {}, newRoute)).flatMap(single)
  }

  /** Those by the link with this index, which may be one of several next hops. */
  async by(index: number): Promise<Route[]> {
    return (await this.list()).flatMap(route => {
      const {
        family,
        destination = DEFAULT[family],
        destinationLength,
        table,
        metrics = {},
        priority,
      } = route
      const hops = route.multipath ?? [{ index: route.outputIndex, gateway: route.gateway }]
      const { mtu, advmss } = metrics
      return hops
        .filter(hop => hop.index === index)
        .map(({ gateway: gw }) => {
          return { dst: `${destination}/${destinationLength}`, table, gw, priority, mtu, advmss }
        })
    })
  }

  /** The index of the link that packets to an address leave by; undefined where no route leads there. */
  async linkTo(address: string): Promise<number | undefined> {
    const v6 = address.includes(':')
    const asked = {
      family: v6 ? AF_INET6 : AF_INET,
      destination: address,
      destinationLength: v6 ? 128 : 32,
    }
    const route = await absentIsFine(['ENETUNREACH', 'EHOSTUNREACH', 'EACCES', 'EINVAL'], () =>
      this.#socket().get(getRoute, asked, newRoute),
    )
    return route?.outputIndex
  }

  /** The index of the link of the default route: of several, IPv4's first, and the one with the lowest metric. */
  async defaultLink(): Promise<number | undefined> {
    const routes = (await this.list()).filter(
      ({ destinationLength, table, type }) =>
        destinationLength === 0 && table === RT_TABLE_MAIN && type === 'unicast',
    )
    const [first] = routes.sort((a, b) => a.family - b.family || (a.priority ?? 0) - (b.priority ?? 0))
    return first?.outputIndex ?? first?.multipath?.[0]?.index
  }

  /** Adds a route by the link with this index; another one to the same destination may stand beside it. */
  async add(index: number, route: AddedRoute): Promise<void> {
    await this.#socket().batch([addRoute(index, route)])
  }

  /** Removes a route; that it is gone already is success. */
  async remove(index: number, route: Route): Promise<void> {
    const [error] = await this.#socket().attempt([request(deleteRoute, fields(index, route))])
    if (error !== undefined && !['ESRCH', 'ENODEV'].includes(error.code)) throw error
  }
}

/** Routes of IPv6 to one destination are several, each removed by itself: the kernel only shows them as one. */
function single(route: KernelRoute): KernelRoute[] {
  const { multipath, ...rest } = route
  if (route.family !== AF_INET6 || multipath === undefined) return [route]
  return multipath.map(({ index: outputIndex, gateway }) => ({
    ...rest,
    ...(outputIndex === undefined ? {} : { outputIndex }),
    ...(gateway === undefined ? {} : { gateway }),
  }))
}

type AddedRoute = Route & {
  /** The address that packets by this route are sent from. */
  readonly source?: string
  /** The gateway is on the link, whatever other routes say. */
  readonly onlink?: boolean
}

export function addRoute(index: number, route: AddedRoute): Request {
  return request(newRoute, fields(index, route), NLM_F_CREATE)
}

/** The numbers of RT_SCOPE_LINK and RT_SCOPE_UNIVERSE. */
const LINK = 253
const UNIVERSE = 0

/** What a route goes by: without `gw`, the first gateway of its family, unless its scope is the link or less. */
export function gatewayOf(
  { dst, gw, scope = UNIVERSE }: Route,
  addresses: readonly AssignedAddress[],
): string | undefined {
  if (gw !== undefined || scope >= LINK) return gw
  const isOfFamily = (text = '') => text.includes(':') === dst.includes(':')
  return addresses.find(({ gateway }) => gateway !== undefined && isOfFamily(gateway))?.gateway
}

function fields(index: number, route: AddedRoute): RouteRequest {
  const { dst, gw, mtu, advmss, priority, table, scope, source, onlink = false } = route
  const [destination = '', length] = dst.split('/')
  const metrics = { ...(mtu === undefined ? {} : { mtu }), ...(advmss === undefined ? {} : { advmss }) }
  return {
    family: destination.includes(':') ? AF_INET6 : AF_INET,
    destinationLength: Number(length),
    headerTable: RT_TABLE_MAIN,
    protocol: ROUTE_PROTOCOL,
    scope: scope ?? (gw === undefined ? LINK : UNIVERSE),
    type: 'unicast',
    ...(onlink ? { flags: new Set(['onlink'] as const) } : {}),
    ...(Number(length) === 0 ? {} : { destination }),
    ...(gw === undefined ? {} : { gateway: gw }),
    outputIndex: index,
    ...(source === undefined ? {} : { preferredSource: source }),
    ...(priority === undefined ? {} : { priority }),
    ...(table === undefined ? {} : { table }),
    ...(Object.keys(metrics).length === 0 ? {} : { metrics }),
  }
}
