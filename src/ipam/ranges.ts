// The ranges that addresses are handed out from: reading them from a configuration, and what must hold between them.
import { TnetError, unwanted } from '../errors.ts'
import {
  type Address,
  type Cidr,
  compare,
  contains,
  formatAddress,
  formatSubnet,
  parseAddress,
  parseSubnet,
  plus,
  width,
} from '../net/ip.ts'

/** Consecutive addresses, both ends included. */
export interface Span {
  readonly start: Address
  readonly end: Address
}

/** A part of one subnet. */
export interface Range extends Span {
  readonly subnet: Cidr
  readonly gateway?: Address | undefined
  /** Where a requested address may lie, if not only in the range itself. */
  readonly onRequest?: Span | undefined
}

/** Ranges of one family; an attachment gets one address of each set. */
export type RangeSet = readonly Range[]

export interface Pools {
  readonly sets: readonly RangeSet[]
  /** Addresses that nobody gets, in canonical text, and what each is: 'the gateway of 10.0.0.0/24'. */
  readonly reserved: ReadonlyMap<string, string>
}

export interface RangesConfig {
  /** The `ipam` section: `ranges`, or `subnet` with `rangeStart`, `rangeEnd` and `gateway`. */
  readonly ipam: Readonly<Record<string, unknown>>
  /** `runtimeConfig.ipRanges`; they come before those of the section. */
  readonly ipRanges?: unknown
  /** Before 0.3.0 a result has room for one address of each family. */
  readonly cniVersion?: string | undefined
}

/** A range, and the key that it stands under. */
interface Keyed {
  readonly key: string
  readonly range: Range
}

const ONE_PER_FAMILY = ['', '0.1.0', '0.2.0']

/** Throws BAD_CONFIG naming key, value and what was wanted. */
export function parseRanges({ ipam, ipRanges, cniVersion }: RangesConfig): Pools {
  const legacy = isSet(ipam['subnet']) ? [[parseRange(ipam, 'ipam')]] : []
  const sets = [
    ...parseSets(ipRanges, 'runtimeConfig.ipRanges'),
    ...legacy,
    ...parseSets(ipam['ranges'], 'ipam.ranges'),
  ]
  if (sets.length === 0) {
    throw new TnetError(
      'BAD_CONFIG',
      'ipam.ranges: want at least one range set, such as [[{"subnet": "10.0.0.0/24"}]], got none',
    )
  }
  for (const set of sets) refuseMixed(set)
  refuseOverlap(sets.flat())
  if (ONE_PER_FAMILY.includes(cniVersion ?? '0.3.0')) refuseSecond(sets, cniVersion ?? '')
  return pools(sets.map(set => set.map(({ range }) => range)))
}

/** The gateways are reserved in every set: they may lie inside the range of another. */
export function pools(sets: readonly RangeSet[]): Pools {
  const reserved = new Map<string, string>()
  for (const { gateway, subnet } of sets.flat()) {
    if (gateway !== undefined) reserved.set(formatAddress(gateway), `the gateway of ${formatSubnet(subnet)}`)
  }
  return { sets, reserved }
}

/** The first and last address that hosts of a subnet may have: without the network's, and IPv4's broadcast. */
export function hosts(subnet: Cidr): { first: Address; last: Address } {
  return { first: plus(subnet.network, 1n), last: subnet.family === 4 ? plus(subnet.last, -1n) : subnet.last }
}

/** The range that an address lies in. */
export function rangeOf(set: RangeSet, address: Address): Range | undefined {
  return set.find(range => within(range, address))
}

/** The range that a requested address is of. */
export function rangeFor(set: RangeSet, address: Address): Range | undefined {
  return set.find(range => within(range.onRequest ?? range, address))
}

function within({ start, end }: Span, address: Address): boolean {
  return compare(start, address) <= 0 && compare(address, end) <= 0
}

/** `10.0.0.10-10.0.0.20 in 10.0.0.0/24`. */
export function formatRange({ subnet, start, end }: Range): string {
  return `${formatAddress(start)}-${formatAddress(end)} in ${formatSubnet(subnet)}`
}

function parseSets(value: unknown, key: string): Keyed[][] {
  return list(value, key, 'a list of lists of ranges').map((set, i) => {
    const ranges = list(set, `${key}[${i}]`, 'a list of ranges')
    if (ranges.length === 0)
      throw new TnetError('BAD_CONFIG', `${key}[${i}]: want a list of ranges, got an empty one`)
    return ranges.map((range, j) => parseRange(range, `${key}[${i}][${j}]`))
  })
}

function parseRange(value: unknown, key: string): Keyed {
  if (!isRecord(value)) throw unwanted(key, 'a range such as {"subnet": "10.0.0.0/24"}', value)
  const subnet = parseSubnet(value['subnet'], `${key}.subnet`)
  const longest = width(subnet.family) - 2
  if (subnet.prefix > longest) {
    throw unwanted(
      `${key}.subnet`,
      `a subnet with room for containers, /${longest} or larger`,
      value['subnet'],
    )
  }
  const { first, last } = hosts(subnet)
  const start = inSubnet(subnet, value['rangeStart'], `${key}.rangeStart`) ?? first
  const end = inSubnet(subnet, value['rangeEnd'], `${key}.rangeEnd`) ?? last
  if (compare(start, end) > 0) {
    throw unwanted(`${key}.rangeEnd`, `an address from ${formatAddress(start)} on`, formatAddress(end))
  }
  const gateway = isSet(value['gateway']) ? parseAddress(value['gateway'], `${key}.gateway`) : first
  if (gateway.family !== subnet.family) {
    throw unwanted(`${key}.gateway`, `an IPv${subnet.family} address as the subnet has`, value['gateway'])
  }
  return { key, range: { subnet, start, end, gateway } }
}

function inSubnet(subnet: Cidr, value: unknown, key: string): Address | undefined {
  if (!isSet(value)) return undefined
  const address = parseAddress(value, key)
  if (contains(subnet, address)) return address
  throw unwanted(key, `an address in ${formatSubnet(subnet)}`, value)
}

function refuseMixed(set: readonly Keyed[]): void {
  const family = set[0]?.range.subnet.family
  for (const { key, range } of set) {
    if (range.subnet.family !== family) {
      throw unwanted(
        `${key}.subnet`,
        `IPv${family} as in the first range of the set`,
        formatSubnet(range.subnet),
      )
    }
  }
}

function refuseOverlap(ranges: readonly Keyed[]): void {
  const sorted = [...ranges].sort((a, b) => compare(a.range.start, b.range.start))
  for (const [i, { key, range }] of sorted.entries()) {
    const before = sorted[i - 1]
    if (before === undefined || before.range.subnet.family !== range.subnet.family) continue
    if (compare(before.range.end, range.start) < 0) continue
    throw unwanted(
      key,
      `a range that overlaps no other`,
      `${formatRange(range)}, and ${before.key} is ${formatRange(before.range)}`,
    )
  }
}

function refuseSecond(sets: readonly (readonly Keyed[])[], cniVersion: string): void {
  const families = new Set<number>()
  for (const first of sets.map(set => set[0])) {
    if (first === undefined) continue
    const { family } = first.range.subnet
    if (families.has(family)) {
      throw unwanted(
        first.key,
        `one range set for IPv${family} in version ${cniVersion || '0.1.0'}`,
        'a second',
      )
    }
    families.add(family)
  }
}

function list(value: unknown, key: string, wanted: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw unwanted(key, wanted, value)
  return value
}

/** JSON null and the empty string are unset, as runtimes write them. */
function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
