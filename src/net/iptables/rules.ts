// The rules for containers in iptables' filter table, as users of the reference plugin know them: what has to stand
// for a container, and what of it goes when it leaves.
//
//   FORWARD -> CNI-ISOLATION-STAGE-1 -> CNI-ISOLATION-STAGE-2   from one isolated bridge to another: dropped
//           -> CNI-FORWARD -> CNI-ADMIN                         what the administrator decides
//                          -> an address: its own traffic, and what answers to it, is accepted
import type { Isolation } from '../admission.ts'
import { type FilterRule, isSameRule } from './filter-rule.ts'
import {
  type Change,
  FORWARD,
  type NewRule,
  type Standing,
  type StandingRule,
  type Tag,
} from './filter-table.ts'

const CONTAINERS = 'CNI-FORWARD'
const FROM_BRIDGE = 'CNI-ISOLATION-STAGE-1'
const TO_BRIDGE = 'CNI-ISOLATION-STAGE-2'
/** The chains that are looked at, besides FORWARD. */
export const CHAINS = [CONTAINERS, FROM_BRIDGE, TO_BRIDGE] as const
export const CONTAINER_CHAINS = [CONTAINERS] as const

export const REMARK = 'CNI firewall plugin rules'
const ADMIN_REMARK = 'CNI firewall plugin admin overrides'
const ofPolicy = (policy: string) => `${REMARK} (ingressPolicy: ${policy})`
/** On rules for whole bridges that we made: those of the reference stay. */
const SHARED: Tag = { owner: 'tnet' }

export interface Wanted {
  /** The owner's tag. */
  readonly owner: string
  /** Of one family, without the lengths of their prefixes. */
  readonly addresses: readonly string[]
  readonly isolation: Isolation | undefined
  readonly adminChain: string
}

/** Of an address: what answers to it, and what it sends. */
function acceptRules(address: string): FilterRule[] {
  return [
    { destination: address, established: true, target: 'ACCEPT' },
    { source: address, target: 'ACCEPT' },
  ]
}

function isAcceptRule(rule: FilterRule): boolean {
  const address = rule.source ?? rule.destination
  return address !== undefined && acceptRules(address).some(accept => isSameRule(accept, rule))
}

/** What all containers share, in the order in which it is written: each goes before what is there. */
function jumps({ isolation, adminChain }: Pick<Wanted, 'isolation' | 'adminChain'>): NewRule[] {
  const containers: NewRule[] = [
    { chain: FORWARD, at: 'first', rule: { comment: REMARK, target: CONTAINERS } },
    { chain: CONTAINERS, at: 'first', rule: { comment: ADMIN_REMARK, target: adminChain } },
  ]
  if (isolation === undefined) return containers
  const comment = ofPolicy('same-bridge')
  return [
    ...containers,
    { chain: FORWARD, at: 'first', rule: { comment, target: FROM_BRIDGE } },
    { chain: FROM_BRIDGE, at: 'last', rule: { comment, target: 'RETURN' } },
    { chain: TO_BRIDGE, at: 'last', rule: { comment, target: 'RETURN' } },
  ]
}

function bridgeRules({ bridge, policy }: Pick<Isolation, 'bridge' | 'policy'>): NewRule[] {
  const comment = ofPolicy('same-bridge')
  const rule = (chain: string, of: FilterRule): NewRule => ({ chain, at: 'first', rule: of, tag: SHARED })
  const own: FilterRule = { in: bridge, out: bridge, comment: ofPolicy('isolated'), target: 'DROP' }
  return [
    rule(FROM_BRIDGE, { in: bridge, notOut: bridge, comment, target: TO_BRIDGE }),
    rule(TO_BRIDGE, { out: bridge, comment, target: 'DROP' }),
    ...(policy === 'isolated' ? [rule(FROM_BRIDGE, own)] : []),
  ]
}

function needsOf(isolation: Isolation | undefined): string | undefined {
  return isolation && `${isolation.policy} ${isolation.bridge}`
}

/** What has to be done so that the container's rules stand; nothing where they do. */
export function admission({ rules }: Standing, wanted: Wanted): Change {
  const { owner, addresses, isolation } = wanted
  const tag = { owner, needs: needsOf(isolation) }
  const accepts = addresses.flatMap(acceptRules)
  const inTheWay = rules.filter(({ chain, rule, tag: has }) => {
    const isForIt = rule !== undefined && accepts.some(accept => isSameRule(accept, rule))
    return chain === CONTAINERS && (isForIt || has?.owner === owner)
  })
  const stays = (one: StandingRule) =>
    one.rule !== undefined &&
    accepts.some(accept => isSameRule(accept, one.rule as FilterRule)) &&
    one.tag?.owner === owner &&
    one.tag.needs === tag.needs
  const shared = [...jumps(wanted), ...(isolation === undefined ? [] : bridgeRules(isolation))]
  const missing = accepts.filter(
    accept => !inTheWay.some(one => stays(one) && one.rule !== undefined && isSameRule(one.rule, accept)),
  )
  const add = [
    ...shared.filter(one => !stands(rules, one)),
    ...missing.map(rule => ({ chain: CONTAINERS, at: 'last', rule, tag }) as const),
  ]
  const others = [CONTAINERS, ...(isolation === undefined ? [] : [FROM_BRIDGE, TO_BRIDGE]), wanted.adminChain]
  const isComplete = shared.every(one => stands(rules, one))
  return { chains: isComplete ? [] : others, remove: inTheWay.filter(one => !stays(one)), add }
}

function stands(rules: readonly StandingRule[], { chain, rule }: NewRule): boolean {
  return rules.some(one => one.chain === chain && one.rule !== undefined && isSameRule(one.rule, rule))
}

/** What is missing for CHECK: who wrote a rule does not matter, since iptables-restore forgets it. */
export function missing({ rules }: Standing, wanted: Wanted): NewRule | undefined {
  const { addresses, isolation } = wanted
  const all = [
    ...jumps(wanted),
    ...addresses.flatMap(acceptRules).map(rule => ({ chain: CONTAINERS, at: 'last', rule }) as const),
    ...(isolation === undefined ? [] : bridgeRules(isolation)),
  ]
  return all.find(one => !stands(rules, one))
}

/** Rules in the container's chain that go with those owners, and with those addresses where nobody's name is on them. */
export function leaving(
  rules: readonly StandingRule[],
  isLeaving: (owner: string) => boolean,
  addresses: readonly string[] = [],
): StandingRule[] {
  const accepts = addresses.flatMap(acceptRules)
  return rules.filter(({ chain, rule, tag }) => {
    if (chain !== CONTAINERS || rule === undefined) return false
    return tag === undefined ? accepts.some(accept => isSameRule(accept, rule)) : isLeaving(tag.owner)
  })
}

/**
 * The rules of bridges that nobody needs once `gone` are. While containers of unknown owners are there (the
 * reference's, or those of a restored ruleset) all stay: theirs may be among the bridges.
 */
export function idle(rules: readonly StandingRule[], gone: readonly StandingRule[]): StandingRule[] {
  const left = rules.filter(one => one.chain === CONTAINERS && !gone.includes(one))
  if (left.some(({ rule, tag }) => tag === undefined && rule !== undefined && isAcceptRule(rule))) return []
  const needed = left.flatMap(({ tag }) => bridgeRulesOf(tag?.needs))
  return rules.filter(({ chain, rule, tag }) => {
    if (chain === CONTAINERS || tag?.owner !== SHARED.owner || rule === undefined) return false
    return !needed.some(need => need.chain === chain && isSameRule(need.rule, rule))
  })
}

function bridgeRulesOf(needs: string | undefined): NewRule[] {
  const [policy, bridge] = needs?.split(' ') ?? []
  if (bridge === undefined) return []
  return bridgeRules({ bridge, policy: policy === 'isolated' ? 'isolated' : 'same-bridge' })
}
