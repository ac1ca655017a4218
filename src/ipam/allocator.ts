// Which addresses an attachment gets. The policy alone: whoever keeps the leases answers the questions and makes them.
import { TnetError, unwanted } from '../errors.ts'
import type { AssignedAddress } from '../net/assignment.ts'
import { type Address, compare, formatAddress, formatCidr, parseAddress, plus } from '../net/ip.ts'
import type { Attached } from '../net/owner.ts'
import { formatRange, type Pools, type Range, rangeFor, rangeOf, type RangeSet } from './ranges.ts'

/** Who has an address. Without ifname: a lease of a version that did not record it; without both: not a lease of ours. */
export type Holder = Partial<Attached>

/** What the policy asks of the leases. Nothing changes between its questions and the claim that follows. */
export interface LeaseBook {
  /** The address that the set with this index gave last. */
  last(set: number): Promise<Address | undefined>
  /** Who has the address; undefined: it is free. */
  holder(address: Address): Promise<Holder | undefined>
  /** All leased addresses, in canonical text. Asked for only where the next address in turn is taken. */
  leased(): Promise<ReadonlySet<string>>
}

export interface Choice {
  /** The index of the set. */
  readonly set: number
  readonly range: Range
  readonly address: Address
}

/** The requested address of each set, or undefined where any will do. */
export type Wanted = readonly (Address | undefined)[]

/**
 * Addresses as a person or runtime requests them. One set gives one address, so that a second request for it fits
 * nowhere. Throws BAD_CONFIG.
 */
export function parseRequested({ sets, reserved }: Pools, requested: readonly string[]): Wanted {
  const wanted: (Address | undefined)[] = sets.map(() => undefined)
  const addresses = requested.map(text => parseAddress(text, 'requested address'))
  for (const [text, address] of new Map(addresses.map(each => [formatAddress(each), each]))) {
    const index = sets.findIndex((set, i) => wanted[i] === undefined && rangeFor(set, address) !== undefined)
    if (index < 0) throw unwanted('requested address', `one address of each set: ${described(sets)}`, text)
    const role = reserved.get(text)
    if (role !== undefined)
      throw unwanted('requested address', 'an address for containers', text, `it is ${role}`)
    wanted[index] = address
  }
  return wanted
}

/**
 * One address of each set: the wanted one, or the next free one after the last given. Costs nothing that grows with
 * the size of a subnet. Throws TAKEN and EXHAUSTED.
 */
export async function choose(pools: Pools, wanted: Wanted, book: LeaseBook): Promise<Choice[]> {
  const choices: Choice[] = []
  for (const [index, set] of pools.sets.entries()) {
    const address = wanted[index]
    const choice = address === undefined ? await next(pools, index, book) : await exactly(address, set, book)
    choices.push({ set: index, ...choice })
  }
  return choices
}

/** The addresses as the container gets them. */
export function assigned(choices: readonly Choice[]): AssignedAddress[] {
  return choices.map(({ address, range: { subnet, gateway } }) => ({
    address: formatCidr({ address, prefix: subnet.prefix }),
    gateway: gateway && formatAddress(gateway),
  }))
}

/** Throws EXHAUSTED where a set has no free address. `leased` as in LeaseBook. */
export function requireFree(pools: Pools, leased: ReadonlySet<string>): void {
  for (const set of pools.sets) {
    const size = capacity(set, pools.reserved)
    if (BigInt(leased.size) < size) continue
    let used = 0n
    for (const text of leased) if (!pools.reserved.has(text) && isIn(set, text)) used++
    if (used >= size) throw exhausted(set, pools.reserved)
  }
}

/** How many addresses a set has to give. */
export function capacity(set: RangeSet, reserved: Pools['reserved']): bigint {
  const all = set.reduce((sum, { start, end }) => sum + end.bits - start.bits + 1n, 0n)
  return all - BigInt([...reserved.keys()].filter(text => isIn(set, text)).length)
}

function isIn(set: RangeSet, text: string): boolean {
  return rangeOf(set, parseAddress(text, 'address')) !== undefined
}

async function exactly(address: Address, set: RangeSet, book: LeaseBook): Promise<Omit<Choice, 'set'>> {
  const holder = await book.holder(address)
  if (holder !== undefined) throw taken(address, holder)
  const range = rangeFor(set, address)
  if (range === undefined)
    throw new TnetError('INTERNAL', `lease ${formatAddress(address)}: it is in no range`)
  return { range, address }
}

async function next({ sets, reserved }: Pools, index: number, book: LeaseBook): Promise<Omit<Choice, 'set'>> {
  const set = sets[index] ?? []
  let leased: ReadonlySet<string> | undefined
  for (const { range, from, to } of inTurn(set, await book.last(index))) {
    for (let address = from; compare(address, to) <= 0; address = plus(address, 1n)) {
      const text = formatAddress(address)
      if (reserved.has(text) || leased?.has(text)) continue
      if (leased !== undefined || (await book.holder(address)) === undefined) return { range, address }
      leased = await book.leased()
    }
  }
  throw exhausted(set, reserved)
}

/** All addresses of a set once around, from the one after `last`. */
function inTurn(set: RangeSet, last: Address | undefined): { range: Range; from: Address; to: Address }[] {
  const whole = set.map(range => ({ range, from: range.start, to: range.end }))
  const current = last && rangeOf(set, last)
  if (last === undefined || current === undefined) return whole
  const at = set.indexOf(current)
  const rest = { range: current, from: plus(last, 1n), to: current.end }
  const beginning = { range: current, from: current.start, to: last }
  return [rest, ...whole.slice(at + 1), ...whole.slice(0, at), beginning]
}

export function taken(address: Address, { containerId, ifname }: Holder): TnetError {
  const interfaceOf = ifname === undefined ? '' : ` interface ${ifname} of`
  const who =
    containerId === undefined
      ? 'something that is not a lease'
      : `${interfaceOf} container ${containerId}`.trim()
  const held = containerId === undefined ? 'stands in its place' : 'has it'
  return new TnetError('TAKEN', `lease ${formatAddress(address)}: ${who} ${held}`)
}

function exhausted(set: RangeSet, reserved: Pools['reserved']): TnetError {
  return new TnetError(
    'EXHAUSTED',
    `lease an address of ${described([set])}: 0 of ${capacity(set, reserved)} addresses are free`,
    'remove containers, let the runtime collect what is left of others (GC), or widen the range',
  )
}

function described(sets: readonly RangeSet[]): string {
  return sets.map(set => set.map(formatRange).join(' or ')).join(', ')
}
