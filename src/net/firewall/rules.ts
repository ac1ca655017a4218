// Sees to it that a table of ours stands as it should: its chains hold our rules and no others.
import { absentIsFine, errnoCode, TnetError } from '../../errors.ts'
import { NetlinkError } from '../../netlink/error.ts'
import { batch } from '../../netlink/netfilter/batch.ts'
import { deleteChain, getChain, hooks, newChain } from '../../netlink/netfilter/chain.ts'
import { findElements } from '../../netlink/netfilter/element-lookup.ts'
import { deleteRule, getRule, newRule, ruleHead } from '../../netlink/netfilter/rule.ts'
import { getSet, newSet, setRequest } from '../../netlink/netfilter/set.ts'
import { newTable } from '../../netlink/netfilter/table.ts'
import type { ruleUserData } from '../../netlink/netfilter/user-data.ts'
import { type NetlinkSocket, request, type Request } from '../../netlink/socket.ts'
import type { ValueOf } from '../../wire/codec.ts'
import { NLM_F_APPEND, NLM_F_CREATE } from '../../wire/message.ts'
import {
  type Held,
  type Mark,
  type OurRule,
  type OurTable,
  type Plan,
  SCHEMA,
  type TableName,
} from './tables.ts'

type RuleUserData = ValueOf<typeof ruleUserData>

/**
 * Each rule says in its user data which one of ours it is: nft does not show that, and drops it from a rule that it
 * writes anew. A rule cannot be changed in place, so one that carries the mark is the one that we wrote.
 */
const MARK = 0x74

function markOf(userData: RuleUserData | undefined): Mark | undefined {
  const [schema, id, of, argument] = userData?.unknown?.find(({ type }) => type === MARK)?.value ?? []
  if (schema === undefined || id === undefined || of === undefined) return undefined
  return { schema, id, of, ...(argument === undefined ? {} : { argument }) }
}

function markFor({ id, argument }: OurRule, of: number): RuleUserData {
  const value = Uint8Array.from(argument === undefined ? [SCHEMA, id, of] : [SCHEMA, id, of, argument])
  return { unknown: [{ type: MARK, value }] }
}

/** `earlier`, `later`: another version of us has written them. */
export type Rules = 'ours' | 'earlier' | 'later' | 'others'

async function heldRules(socket: NetlinkSocket, { family, name }: Plan): Promise<Held['rules']> {
  const rules = await socket.dump(getRule, { family, table: name }, ruleHead)
  return rules.map(({ chain = '', userData }) => ({ chain, mark: markOf(userData) }))
}

/** Whether our chains hold our rules, each once and in order. */
function judge(rules: Held['rules'], { chains }: OurTable): Rules {
  const known = rules.filter(({ chain }) => Object.hasOwn(chains, chain))
  if (known.length > 0 && known.every(({ mark }) => (mark?.schema ?? 0) > SCHEMA)) return 'later'
  const isOurs = Object.entries(chains).every(([name, { rules: wanted }]) => {
    const marks = known.filter(({ chain }) => chain === name).map(({ mark }) => mark)
    return (
      marks.length === wanted.length &&
      wanted.every((rule, index) => isMarked(marks[index], rule, wanted.length))
    )
  })
  if (isOurs) return 'ours'
  return isWholeEarlier(known) ? 'earlier' : 'others'
}

/** An earlier version of us wrote all of them, and none has been removed or added since. */
function isWholeEarlier(rules: Held['rules']): boolean {
  const chains = Map.groupBy(rules, ({ chain }) => chain)
  return (
    chains.size > 0 &&
    [...chains.values()].every(all =>
      all.every(({ mark }) => mark !== undefined && mark.schema < SCHEMA && mark.of === all.length),
    )
  )
}

function isMarked(mark: Mark | undefined, { id, argument }: OurRule, of: number): boolean {
  return mark?.schema === SCHEMA && mark.id === id && mark.argument === argument && mark.of === of
}

export async function rulesOf(socket: NetlinkSocket, plan: Plan): Promise<Rules> {
  const rules = await heldRules(socket, plan)
  return judge(rules, plan.tableWith({ rules, sets: [] }))
}

/**
 * Writes what is missing of the table, and its rules anew where others stand in our chains; elements stay. One
 * transaction. `moved` where somebody else changed the ruleset meanwhile: then nothing was done.
 */
export async function ensureRules(socket: NetlinkSocket, plan: Plan): Promise<'ours' | 'later' | 'moved'> {
  const rules = await rulesOf(socket, plan)
  if (rules === 'ours' || rules === 'later') return rules
  const { generation } = await findElements(socket, [])
  const held = { rules: await heldRules(socket, plan), sets: await setNames(socket, plan) }
  try {
    const table = plan.tableWith(held)
    await batch(socket, requests(table, await chainsAmiss(socket, table)), { generation })
    return 'ours'
  } catch (error) {
    if (errnoCode(error) === 'ERESTART') return 'moved'
    throw explained(error, plan)
  }
}

/** The sets of a table; none where there is no such table. */
export async function setNames(socket: NetlinkSocket, { family, name }: TableName): Promise<string[]> {
  const sets = await absentIsFine(['ENOENT'], () =>
    socket.dump(getSet, { family, table: name }, newSet, { torn: true }),
  )
  return sets?.flatMap(set => set.name ?? []) ?? []
}

/** What a refusal of our rules means: a kernel without what they need, or a stranger's things under our name. */
function explained(error: unknown, { family, name }: Plan): unknown {
  if (!(error instanceof NetlinkError) || error.code === 'EPERM') return error
  const message = `write the nftables table ${family} ${name}: ${error.message}`
  const isLacking = error.code === 'ENOENT' || (error.request === newTable.name && error.code !== 'EEXIST')
  if (isLacking) {
    const details = `the kernel needs nf_tables with its family ${family}, with NAT and with conntrack`
    return new TnetError('UNSUPPORTED', message, details, { cause: error })
  }
  const details = `another program may use this name: see nft list table ${family} ${name}`
  return new TnetError('KERNEL', message, details, { cause: error })
}

/** Chains of another priority, as an earlier version of us made them: that can only be changed by making them anew. */
async function chainsAmiss(
  socket: NetlinkSocket,
  { family, name: table, chains }: OurTable,
): Promise<string[]> {
  const names: string[] = []
  for (const [name, { type, hook, priority }] of Object.entries(chains)) {
    const ask = () => socket.get(getChain, { family, table, name }, newChain)
    const found = await absentIsFine(['ENOENT'], ask)
    const isOfKind = found?.type === type && found.hook?.number === hooks[hook]
    if (isOfKind && found.hook?.priority !== priority) names.push(name)
  }
  return names
}

function requests({ family, name: table, sets, chains }: OurTable, amiss: readonly string[]): Request[] {
  return [
    ...amiss.flatMap(chain => [
      request(deleteRule, { family, table, chain }),
      request(deleteChain, { family, table, name: chain }),
    ]),
    request(newTable, { family, name: table }, NLM_F_CREATE),
    ...Object.entries(sets).map(([name, set], index) => {
      const spec = 'key' in set ? set : { key: set }
      return request(newSet, setRequest({ family, table, name, ...spec, id: index + 1 }), NLM_F_CREATE)
    }),
    ...Object.entries(chains).flatMap(([chain, { type, hook, priority, rules }]) => [
      request(
        newChain,
        { family, table, name: chain, type, policy: 'accept', hook: { number: hooks[hook], priority } },
        NLM_F_CREATE,
      ),
      request(deleteRule, { family, table, chain }),
      ...rules.map(rule =>
        request(
          newRule,
          { family, table, chain, expressions: rule.expressions, userData: markFor(rule, rules.length) },
          NLM_F_CREATE | NLM_F_APPEND,
        ),
      ),
    ]),
  ]
}
