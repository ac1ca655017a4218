// The routes of an `ipam` section: they are no leases, but travel with them.
import { unwanted } from '../errors.ts'
import type { Route } from '../net/assignment.ts'
import { formatAddress, formatCidr, parseAddress, parseCidr } from '../net/ip.ts'

/** Each number of a route, and the largest that the kernel has room for. */
const NUMBERS = {
  mtu: 0xffff_ffff,
  advmss: 0xffff_ffff,
  priority: 0xffff_ffff,
  table: 0xffff_ffff,
  scope: 255,
}

/** Throws BAD_CONFIG naming key, value and what was wanted. */
export function parseRoutes(value: unknown, key: string): Route[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw unwanted(key, 'a list of routes such as [{"dst": "0.0.0.0/0"}]', value)
  return value.map((route: unknown, i) => parseRoute(route, `${key}[${i}]`))
}

function parseRoute(value: unknown, key: string): Route {
  if (typeof value !== 'object' || value === null)
    throw unwanted(key, 'a route such as {"dst": "0.0.0.0/0"}', value)
  const fields: Readonly<Record<string, unknown>> = { ...value }
  const dst = parseCidr(fields['dst'], `${key}.dst`)
  // The kernel refuses host bits in IPv4 and drops them in IPv6.
  if (dst.family === 4 && dst.address.bits !== dst.network.bits) {
    throw unwanted(
      `${key}.dst`,
      `a network such as ${formatAddress(dst.network)}/${dst.prefix}`,
      fields['dst'],
    )
  }
  const { gw } = fields
  const route: Route = { dst: formatCidr(dst) }
  const gateway =
    gw === undefined || gw === null || gw === '' ? {} : { gw: formatAddress(parseAddress(gw, `${key}.gw`)) }
  return { ...route, ...gateway, ...numbers(fields, key) }
}

function numbers(fields: Readonly<Record<string, unknown>>, key: string): Partial<Route> {
  const found: Partial<Record<keyof typeof NUMBERS, number>> = {}
  for (const name of Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]) {
    const value = fields[name]
    if (value === undefined || value === null) continue
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > NUMBERS[name]) {
      throw unwanted(`${key}.${name}`, `an integer from 0 to ${NUMBERS[name]}`, value)
    }
    found[name] = value
  }
  return found
}
