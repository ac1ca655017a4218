import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import {
  argumentsOf,
  expressionsOf,
  type FilterRule,
  filterRuleOf,
  isSameRule,
} from '../../../src/net/iptables/filter-rule.ts'
import { addition, type NewRule } from '../../../src/net/iptables/filter-table.ts'
import { hooks, newChain } from '../../../src/netlink/netfilter/chain.ts'
import { type Expression, expression } from '../../../src/netlink/netfilter/expression.ts'
import { newRule } from '../../../src/netlink/netfilter/rule.ts'
import { newTable } from '../../../src/netlink/netfilter/table.ts'
import { request } from '../../../src/netlink/socket.ts'
import { Reader } from '../../../src/wire/bytes.ts'
import { encode } from '../../../src/wire/codec.ts'
import { NLM_F_CREATE, NLM_F_EXCL, readMessages } from '../../../src/wire/message.ts'
import { goldenBatch } from '../../harness/golden-batch.ts'
import { readVector } from '../../harness/vectors.ts'

const vector = (name: string) =>
  join(import.meta.dirname, `../../netlink/netfilter/vectors/iptables-${name}.txt`)

/** What iptables-nft wrote, and how the batch names the ruleset. */
const golden: Record<string, { rule: FilterRule; at?: NewRule['at']; chain?: string; family?: 'ip6' }> = {
  established: { rule: { destination: '10.1.0.5', established: true, target: 'ACCEPT' } },
  'established-6': { rule: { destination: 'fd00::5', established: true, target: 'ACCEPT' }, family: 'ip6' },
  source: { rule: { source: '10.1.0.5', target: 'ACCEPT' } },
  interfaces: { rule: { in: 'cni0', notOut: 'cni0', target: 'RETURN' }, at: 'first' },
  interface: { rule: { out: 'cni0', target: 'DROP' } },
}

t.test('rules as iptables-nft writes them', t => {
  for (const [name, { rule, at = 'last', chain = 'OURS', family = 'ip' }] of Object.entries(golden)) {
    goldenBatch(t, vector(name), [addition(family, { chain, at, rule })], { generation: 2 })
  }
  const jump = { comment: 'what it is for', target: 'OURS' }
  const base = {
    family: 'ip',
    table: 'filter',
    name: 'FORWARD',
    hook: { number: hooks.forward, priority: 0 },
    policy: 'accept',
    type: 'filter',
  } as const
  goldenBatch(
    t,
    vector('comment'),
    [request(newChain, base, NLM_F_CREATE), addition('ip', { chain: 'FORWARD', at: 'first', rule: jump })],
    { generation: 2 },
  )
  const table = { family: 'ip', name: 'filter' } as const
  goldenBatch(
    t,
    vector('chain'),
    [
      request(newTable, table, NLM_F_CREATE),
      request(newChain, { family: 'ip', table: 'filter', name: 'OURS' }, NLM_F_EXCL),
    ],
    { generation: 1 },
  )
  t.end()
})

t.test('rules that iptables-nft wrote are read', t => {
  for (const [name, { rule }] of Object.entries(golden)) {
    const messages = readVector(vector(name)).datagrams.flatMap(datagram => [...readMessages(datagram)])
    const sent = messages.find(({ type }) => type === newRule.type)
    t.strictSame(sent && filterRuleOf(newRule.decode(sent.payload).expressions ?? []), rule, name)
  }
  t.end()
})

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const name = fc.stringMatching(/^[a-zA-Z0-9._-]{1,15}$/)
const rules = fc
  .record({
    in: maybe(name),
    out: maybe(name),
    source: maybe(fc.ipV4()),
    destination: maybe(fc.ipV4()),
    comment: maybe(fc.stringMatching(/^[ -~]{1,255}$/)),
    established: maybe(fc.constant(true as const)),
    target: fc.oneof(fc.constantFrom('ACCEPT', 'DROP', 'RETURN'), fc.stringMatching(/^X[A-Z-]{1,20}$/)),
  })
  .map(words => Object.fromEntries(Object.entries(words).filter(([, value]) => value !== undefined)))

t.test('what is written is read again, and is the same as itself alone', t => {
  const through = (rule: FilterRule): FilterRule | undefined =>
    filterRuleOf(expressionsOf(rule).map(one => expression.decode(new Reader(encode(expression, one)))))
  fc.assert(
    fc.property(rules, words => {
      const rule = words as unknown as FilterRule
      t.strictSame(through(rule), rule)
      if (!isSameRule(rule, { ...rule, comment: 'other' })) throw new Error('a remark makes no other rule')
      if (isSameRule(rule, { ...rule, notOut: 'eth9' })) throw new Error('a condition makes another rule')
    }),
  )
  t.end()
})

t.test('a rule that says more is none of ours', t => {
  const [load, compare, ...rest] = expressionsOf({ source: '10.1.0.5', target: 'ACCEPT' }) as [
    Expression,
    Expression,
    ...Expression[],
  ]
  const strange: Record<string, Expression[]> = {
    'another match': [
      load,
      compare,
      { name: 'match', data: { name: 'tcp', revision: 0, info: new Uint8Array(16) } },
      ...rest,
    ],
    'a subnet': [load, { name: 'bitwise', data: { sreg: 1, dreg: 1, length: 4 } }, compare, ...rest],
    'no target': [load, compare],
    'twice the same': [load, compare, load, compare, ...rest],
    'a name that begins so': [
      { name: 'meta', data: { key: 'iifname', dreg: 1 } },
      { name: 'cmp', data: { sreg: 1, operator: '==', data: { value: Uint8Array.of(99, 110, 105) } } },
      ...rest,
    ],
  }
  for (const [what, expressions] of Object.entries(strange))
    t.equal(filterRuleOf(expressions), undefined, what)
  t.end()
})

t.test('in the words of iptables', t => {
  t.strictSame(
    argumentsOf({ destination: 'fd00::5', established: true, target: 'ACCEPT' }).join(' '),
    '-d fd00::5/128 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  )
  t.strictSame(argumentsOf({ in: 'a', notOut: 'b', comment: 'c d', target: 'X' }), [
    '-i',
    'a',
    '!',
    '-o',
    'b',
    '-m',
    'comment',
    '--comment',
    'c d',
    '-j',
    'X',
  ])
  t.end()
})
