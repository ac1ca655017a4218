// Addresses that the configuration or the caller gives: nobody keeps a record of them.
import { TnetError, unwanted } from '../errors.ts'
import { equal, formatAddress, formatCidr, parseAddress, parseCidr } from '../net/ip.ts'
import type { AssignedAddress, Assignment, Dns, Ipam } from './ipam.ts'
import { parseRoutes } from './routes.ts'

export interface StaticSection {
  /** The `ipam` section, its keys in their canonical spelling. */
  readonly ipam: Readonly<Record<string, unknown>>
  /** What a caller adds to the addresses of the section. */
  readonly more?: readonly AssignedAddress[]
  /** What a caller puts in the place of all others, each with its prefix length, and the key that they stand under. */
  readonly instead?: { readonly key: string; readonly addresses: readonly unknown[] } | undefined
  readonly cniVersion?: string | undefined
}

const ONE_PER_FAMILY = ['', '0.1.0', '0.2.0']

/** Throws BAD_CONFIG naming key, value and what was wanted. */
export function parseStatic({ ipam, more = [], instead, cniVersion }: StaticSection): Assignment {
  const own = [...parseAddresses(ipam['addresses']), ...more]
  const ips =
    instead === undefined
      ? own
      : instead.addresses.map((address, i) => ({
          address: formatCidr(parseCidr(address, `${instead.key}[${i}]`)),
        }))
  if (ONE_PER_FAMILY.includes(cniVersion ?? '0.3.0')) refuseSecond(ips, cniVersion ?? '')
  return { ips, routes: parseRoutes(ipam['routes'], 'ipam.routes'), dns: (ipam['dns'] ?? {}) as Dns }
}

function parseAddresses(value: unknown): AssignedAddress[] {
  if (value === undefined || value === null) return []
  const wanted = 'a list of addresses such as [{"address": "10.1.0.5/24"}]'
  if (!Array.isArray(value)) throw unwanted('ipam.addresses', wanted, value)
  return value.map((entry: unknown, i) => {
    const key = `ipam.addresses[${i}]`
    if (typeof entry !== 'object' || entry === null)
      throw unwanted(key, 'an address such as {"address": "10.1.0.5/24"}', entry)
    const { address, gateway }: { address?: unknown; gateway?: unknown } = entry
    const cidr = parseCidr(address, `${key}.address`)
    if (gateway === undefined || gateway === null || gateway === '') return { address: formatCidr(cidr) }
    const via = parseAddress(gateway, `${key}.gateway`)
    if (via.family !== cidr.family) throw unwanted(`${key}.gateway`, `an IPv${cidr.family} address`, gateway)
    return { address: formatCidr(cidr), gateway: formatAddress(via) }
  })
}

/** Before 0.3.0 a result has room for one address of each family. */
function refuseSecond(ips: readonly AssignedAddress[], cniVersion: string): void {
  for (const family of [4, 6] as const) {
    const [, second] = ips.filter(({ address }) => parseCidr(address, 'address').family === family)
    if (second === undefined) continue
    const wanted = `one IPv${family} address in version ${cniVersion || '0.1.0'}`
    throw unwanted('ipam.addresses', wanted, second.address, 'it is a second one')
  }
}

/** `told` are the addresses of the answer that CHECK gets back. */
export function staticAddresses(assignment: Assignment, told?: readonly AssignedAddress[]): Ipam {
  const nothing = async (): Promise<void> => {}
  return {
    allocate: async () => assignment,
    release: nothing,
    gc: nothing,
    status: nothing,
    async check() {
      for (const { address, gateway } of assignment.ips) {
        const wanted = parseCidr(address, 'address').address
        const same = told?.find(each => equal(parseCidr(each.address, 'address').address, wanted))
        if (same === undefined || same.gateway === gateway || gateway === undefined) continue
        throw new TnetError(
          'CHECK_FAILED',
          `gateway of ${address}: want ${gateway}, ADD answered ${same.gateway ?? 'none'}`,
          'DEL and ADD the container again',
        )
      }
    },
  }
}
