// Chains of other programs that drop what the host forwards: an accept in our tables does not overrule them.
import { absentIsFine } from '../errors.ts'
import { getChain, hooks, newChain } from '../netlink/netfilter/chain.ts'
import { encodeKey } from '../netlink/netfilter/data-type.ts'
import { getRule, newRule, type Rule } from '../netlink/netfilter/rule.ts'
import { NETLINK_NETFILTER, type NetlinkSocket } from '../netlink/socket.ts'
import { addressBytes } from '../wire/address.ts'
import { elementsOf } from './firewall/elements.ts'
import { INET, type TableName } from './firewall/tables.ts'
import type { Family } from './ip.ts'
import { COMMANDS, legacyTables } from './legacy-tables.ts'
import type { Stack } from './stack.ts'

/** A chain that packets to be forwarded pass, and that drops what nothing in its table lets through. */
export interface DroppingChain {
  /** Family, table and chain: `ip filter FORWARD`. */
  readonly name: string
  readonly families: readonly Family[]
  /**
   * Whether a rule or a set of its table speaks of the link, or of one of the addresses, other than to drop: then
   * somebody has thought of them.
   */
  speaksOf(link: string, addresses: readonly string[]): boolean
}

const FAMILIES: Readonly<Record<string, readonly Family[]>> = { ip: [4], ip6: [6], inet: [4, 6] }

/** Those of a namespace; none where it may not be asked. */
export async function dropsOf(stack: Stack): Promise<DroppingChain[]> {
  const found = await absentIsFine(['EPERM', 'EPROTONOSUPPORT'], async () => {
    using socket = stack.open(NETLINK_NETFILTER)
    return await droppingChains(socket)
  })
  return found ?? []
}

/** The commands that would show what legacy iptables drops of our own namespace: that it has a filter is all we see. */
export function unseenFilters(): string[] {
  return legacyTables('filter').map(family => `${COMMANDS[family]} -S FORWARD`)
}

/** Undefined where the kernel has no nf_tables. Of legacy iptables nothing can be seen this way. */
export async function droppingChains(socket: NetlinkSocket): Promise<DroppingChain[] | undefined> {
  const chains = await absentIsFine(['EINVAL', 'EOPNOTSUPP', 'EPROTONOSUPPORT'], () =>
    socket.dump(getChain, {}, newChain, { torn: true }),
  )
  if (chains === undefined) return undefined
  const found: DroppingChain[] = []
  for (const { family, table = '', name = '', hook, policy } of chains) {
    const families = FAMILIES[family]
    const isOurs = family === INET.family && table === INET.name
    if (families === undefined || isOurs || hook?.number !== hooks.forward) continue
    const place = { family, name: table } as TableName
    const rules = await socket.dump(getRule, { family, table }, newRule, { torn: true })
    const last = rules.findLast(({ chain }) => chain === name)
    if (policy !== 'drop' && !(last !== undefined && isUnconditional(last) && drops(last))) continue
    const letting = rules.filter(rule => !drops(rule))
    const sets = await valuesOf(socket, place, letting)
    found.push({
      name: `${family} ${table} ${name}`,
      families,
      speaksOf: (link, addresses) => {
        const octets = addresses.map(addressBytes)
        return letting.some(rule => isAbout(rule, link, octets, sets))
      },
    })
  }
  return found
}

/** The last expression of a rule is its verdict. */
function drops({ expressions = [] }: Rule): boolean {
  const last = expressions.at(-1)
  if (last?.name === 'reject') return true
  if (last?.name === 'immediate') return last.data?.data?.verdict?.code === 'drop'
  return last?.name === 'target' && ['REJECT', 'DROP'].includes(last.data?.name ?? '')
}

function isUnconditional({ expressions = [] }: Rule): boolean {
  return expressions.slice(0, -1).every(({ name }) => name === 'counter' || name === 'log')
}

type Values = ReadonlyMap<string, readonly Uint8Array[]>

/** What stands in the sets that the rules look into. */
async function valuesOf(socket: NetlinkSocket, table: TableName, rules: readonly Rule[]): Promise<Values> {
  const values = new Map<string, Uint8Array[]>()
  for (const { name, data } of rules.flatMap(({ expressions = [] }) => expressions)) {
    const set = name === 'lookup' ? data?.set : undefined
    if (set === undefined || values.has(set)) continue
    const elements = await elementsOf(socket, table, set)
    values.set(
      set,
      elements.flatMap(({ key }) => key?.value ?? []),
    )
  }
  return values
}

/** Whether the rule compares a link's name with this one, or an address with one of these. */
function isAbout(
  { expressions = [] }: Rule,
  link: string,
  addresses: readonly Uint8Array[],
  sets: Values,
): boolean {
  /** What the register holds of a packet that is about them. */
  let held: readonly Uint8Array[] = []
  return expressions.some(({ name, data }) => {
    if (name === 'meta') held = data?.key === 'iifname' || data?.key === 'oifname' ? [nameOctets(link)] : []
    if (name === 'payload') held = data?.base === 'network' ? addressOctets(addresses, data) : []
    if (name === 'bitwise') held = held.map(octets => masked(octets, data?.mask?.value))
    if (name === 'cmp') return data?.operator === '==' && isAmong(data.data?.value, held)
    return name === 'lookup' && (sets.get(data?.set ?? '') ?? []).some(value => isAmong(value, held))
  })
}

function nameOctets(link: string): Uint8Array {
  return encodeKey(['ifname'], [link])
}

/** Where the addresses stand in the header. */
const OFFSETS: Readonly<Record<number, readonly number[]>> = { 4: [12, 16], 16: [8, 24] }

function addressOctets(
  addresses: readonly Uint8Array[],
  { offset = 0, length = 0 }: { readonly offset?: number | undefined; readonly length?: number | undefined },
): readonly Uint8Array[] {
  return addresses
    .filter(octets => OFFSETS[octets.length]?.includes(offset))
    .map(octets => octets.subarray(0, length))
}

function masked(octets: Uint8Array, mask: Uint8Array = new Uint8Array()): Uint8Array {
  return octets.map((octet, index) => octet & (mask[index] ?? 0xff))
}

/** A name may be compared as far as an asterisk. */
function isAmong(value: Uint8Array | undefined, held: readonly Uint8Array[]): boolean {
  if (value === undefined || value.length === 0) return false
  return held.some(octets => value.every((octet, index) => octets[index] === octet))
}
