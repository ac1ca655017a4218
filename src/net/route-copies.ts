// Routes as the kernel tells of them, made again: in another table, or after the kernel has dropped them.
import { AF_INET6 } from '../netlink/route/family.ts'
import { deleteRoute, newRoute, type Route, type RouteRequest } from '../netlink/route/route.ts'
import { type Request, request } from '../netlink/socket.ts'
import { NLM_F_CREATE } from '../wire/message.ts'

/** The route in `table`. */
export function copyOf(route: Route, table: number): Request {
  return request(newRoute, asRequest(route, table), NLM_F_CREATE)
}

export function withdrawal(route: Route, table: number): Request {
  return request(deleteRoute, asRequest(route, table))
}

/** A gateway has to be within reach before a route by it can be made. */
export function inOrder(routes: readonly Route[]): Route[] {
  return routes.toSorted((a, b) => Number(a.gateway !== undefined) - Number(b.gateway !== undefined))
}

/** `fe80::/64`, which every link has for itself. */
export function isLinkLocal({ family, destination = '' }: Route): boolean {
  return family === AF_INET6 && /^(fe80|ff)/.test(destination)
}

/** What the kernel adds of its own accord is left out: flags of the moment, ages. */
function asRequest(route: Route, table: number): RouteRequest {
  const { cacheInfo: _, flags, unknown: __, expires: ___, headerTable: ____, ...rest } = route
  const kept = flags.has('onlink') ? { flags: new Set(['onlink'] as const) } : {}
  return { ...rest, ...kept, headerTable: 0, table }
}
