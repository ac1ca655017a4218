// The filter tables of iptables-nft, over netlink: what stands in the chains that tnet shares, and changes of them.
import { absentIsFine } from '../../errors.ts'
import { findElements } from '../../netlink/netfilter/element-lookup.ts'
import { attemptBatch } from '../../netlink/netfilter/batch.ts'
import { getChain, hooks, newChain, priorities } from '../../netlink/netfilter/chain.ts'
import { deleteRule, getRule, newRule, type Rule } from '../../netlink/netfilter/rule.ts'
import { newTable } from '../../netlink/netfilter/table.ts'
import { type NetlinkSocket, request, type Request } from '../../netlink/socket.ts'
import type { NetlinkError } from '../../netlink/error.ts'
import { NLM_F_APPEND, NLM_F_CREATE } from '../../wire/message.ts'
import { type FilterRule, expressionsOf, filterRuleOf } from './filter-rule.ts'

/** iptables and ip6tables. */
export const FAMILIES = { 4: 'ip', 6: 'ip6' } as const
export type Version = keyof typeof FAMILIES
export const VERSIONS: readonly Version[] = [4, 6]

/** What a rule of ours carries in its user data: `iptables -S` does not show it, and iptables-restore drops it. */
export interface Tag {
  /** The owner's tag; of what several share `tnet`. */
  readonly owner: string
  /** `same-bridge cni0`: what else the owner needs. */
  readonly needs?: string | undefined
}

export interface StandingRule {
  readonly chain: string
  readonly handle: bigint
  /** Undefined where it is none that tnet would write. */
  readonly rule: FilterRule | undefined
  readonly tag: Tag | undefined
}

/** What stood in the chains when they were looked at. */
export interface Standing {
  /** The table has the chain that packets to be forwarded come by. */
  readonly hasForward: boolean
  readonly rules: readonly StandingRule[]
}

/** Done in this order: chains, then what goes, then what comes. */
export interface Change {
  /** Chains that have to be there. */
  readonly chains: readonly string[]
  readonly remove: readonly StandingRule[]
  readonly add: readonly NewRule[]
}

export interface NewRule {
  readonly chain: string
  readonly at: 'first' | 'last'
  readonly rule: FilterRule
  readonly tag?: Tag | undefined
}

const TABLE = 'filter'
export const FORWARD = 'FORWARD'
/** Types of user data: those of nft are small numbers, and iptables shows its own as comments. */
const OWNER = 0x75
const NEEDS = 0x76

export async function generationOf(socket: NetlinkSocket): Promise<number> {
  return (await findElements(socket, [])).generation
}

export async function standing(
  socket: NetlinkSocket,
  version: Version,
  chains: readonly string[],
): Promise<Standing> {
  const family = FAMILIES[version]
  const forward = await absentIsFine(['ENOENT'], () =>
    socket.get(getChain, { family, table: TABLE, name: FORWARD }, newChain),
  )
  if (forward === undefined) return { hasForward: false, rules: await rulesOf(socket, version, chains) }
  return { hasForward: true, rules: await rulesOf(socket, version, [FORWARD, ...chains]) }
}

export async function rulesOf(
  socket: NetlinkSocket,
  version: Version,
  chains: readonly string[],
): Promise<StandingRule[]> {
  const found: StandingRule[] = []
  for (const chain of chains) {
    const place = { family: FAMILIES[version], table: TABLE, chain }
    const rules = await absentIsFine(['ENOENT'], () => socket.dump(getRule, place, newRule, { torn: true }))
    found.push(...(rules ?? []).map(rule => standingRule(chain, rule)))
  }
  return found
}

function standingRule(chain: string, { handle = 0n, expressions = [], userData }: Rule): StandingRule {
  const text = (of: number) => {
    const value = userData?.unknown?.find(({ type }) => type === of)?.value
    return value && Buffer.from(value).toString()
  }
  const owner = text(OWNER)
  const tag = owner === undefined ? undefined : { owner, needs: text(NEEDS) }
  return { chain, handle, rule: filterRuleOf(expressions), tag }
}

/** Makes the changes of both tables in one transaction: where it is given, if the ruleset is still that of `generation`. */
export async function commit(
  socket: NetlinkSocket,
  changes: readonly (readonly [version: Version, standing: Standing, change: Change])[],
  generation: number | undefined,
): Promise<NetlinkError | undefined> {
  const requests = changes.flatMap(([version, { hasForward }, change]) =>
    requestsFor(FAMILIES[version], hasForward, change),
  )
  const [first] = await attemptBatch(socket, requests, { generation })
  return first?.error
}

function requestsFor(
  family: (typeof FAMILIES)[Version],
  hasForward: boolean,
  { chains, remove, add }: Change,
): Request[] {
  const base = {
    family,
    table: TABLE,
    name: FORWARD,
    hook: { number: hooks.forward, priority: priorities.filter },
    policy: 'accept',
    type: 'filter',
  } as const
  const needsForward = !hasForward && add.some(({ chain }) => chain === FORWARD)
  return [
    ...(chains.length === 0 ? [] : [request(newTable, { family, name: TABLE }, NLM_F_CREATE)]),
    ...(needsForward ? [request(newChain, base, NLM_F_CREATE)] : []),
    ...chains.map(name => request(newChain, { family, table: TABLE, name }, NLM_F_CREATE)),
    ...remove.map(({ chain, handle }) => request(deleteRule, { family, table: TABLE, chain, handle })),
    ...add.map(one => addition(family, one)),
  ]
}

const NO_COMPAT = { protocol: 0, flags: new Set<never>() }

/** A rule as iptables-nft sends it, and whose it is. */
export function addition(family: 'ip' | 'ip6', { chain, at, rule, tag }: NewRule): Request {
  const text = (type: number, value: string | undefined) =>
    value === undefined ? [] : [{ type, value: new TextEncoder().encode(value) }]
  const userData = tag && { unknown: [...text(OWNER, tag.owner), ...text(NEEDS, tag.needs)] }
  return request(
    newRule,
    { family, table: TABLE, chain, expressions: expressionsOf(rule), compat: NO_COMPAT, userData },
    at === 'first' ? NLM_F_CREATE : NLM_F_CREATE | NLM_F_APPEND,
  )
}
