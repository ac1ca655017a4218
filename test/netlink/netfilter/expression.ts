import t from 'tap'
import { bitwise } from '../../../src/netlink/netfilter/expr/bitwise.ts'
import { byteorder } from '../../../src/netlink/netfilter/expr/byteorder.ts'
import { cmp } from '../../../src/netlink/netfilter/expr/cmp.ts'
import { ct, ctState, ctStatus } from '../../../src/netlink/netfilter/expr/ct.ts'
import { dynset } from '../../../src/netlink/netfilter/expr/dynset.ts'
import { addressTypes, fib } from '../../../src/netlink/netfilter/expr/fib.ts'
import { immediate } from '../../../src/netlink/netfilter/expr/immediate.ts'
import { log } from '../../../src/netlink/netfilter/expr/log.ts'
import { lookup } from '../../../src/netlink/netfilter/expr/lookup.ts'
import { meta } from '../../../src/netlink/netfilter/expr/meta.ts'
import { nat } from '../../../src/netlink/netfilter/expr/nat.ts'
import { objref } from '../../../src/netlink/netfilter/expr/objref.ts'
import { fields, payload } from '../../../src/netlink/netfilter/expr/payload.ts'
import { range } from '../../../src/netlink/netfilter/expr/range.ts'
import { reject } from '../../../src/netlink/netfilter/expr/reject.ts'
import { jhash, numgen } from '../../../src/netlink/netfilter/expr/spread.ts'
import { counter, limit } from '../../../src/netlink/netfilter/expr/stateful.ts'
import { type Expression, expression, expressionKinds } from '../../../src/netlink/netfilter/expression.ts'
import type { Family } from '../../../src/netlink/netfilter/message.ts'
import { newRule } from '../../../src/netlink/netfilter/rule.ts'
import { request } from '../../../src/netlink/socket.ts'
import { Reader } from '../../../src/wire/bytes.ts'
import { encode, u32 } from '../../../src/wire/codec.ts'
import { NLM_F_APPEND, NLM_F_CREATE } from '../../../src/wire/message.ts'
import { goldenBatch } from '../../harness/golden-batch.ts'
import { vectors } from '../../harness/golden.ts'

const octets = (...values: number[]): Uint8Array => Uint8Array.from(values)
const host = (value: number): Uint8Array => encode(u32, value)
const name = (text: string): Uint8Array =>
  Uint8Array.from({ length: 16 }, (_, index) => text.charCodeAt(index) || 0)

const ip = [meta.load('nfproto', 1), cmp(1, '==', octets(2))]
const tcp = [meta.load('l4proto', 1), cmp(1, '==', octets(6))]

/** Gives expressions the id of a set that nft adds to its name. */
function withId(expressions: readonly Expression[]): Expression[] {
  return expressions.map(one => {
    if (one.data === undefined || (one.name !== 'lookup' && one.name !== 'dynset')) return one
    const { name, data } = one as Extract<Expression, { name: 'lookup' | 'dynset' }>
    const { flags, expression, ...rest } = data as typeof data & { expression?: unknown }
    return {
      name,
      data: { ...rest, setId: 1, ...(flags && { flags }), ...(expression !== undefined && { expression }) },
    } as Expression
  })
}

/** Each rule as nft sends it: the vector of that name, and where it is another than chain c of inet t. */
const rules: Record<
  string,
  | readonly Expression[]
  | { readonly chain?: string; readonly family?: Family; readonly of: readonly Expression[] }
> = {
  'bitwise-cmp': [
    ...ip,
    payload.load(fields.ipDaddr, 1),
    bitwise.and(1, octets(0xf0, 0, 0, 0)),
    cmp(1, '==', octets(0xe0, 0, 0, 0)),
    immediate.return(),
  ],
  'dnat-map': {
    chain: 'n',
    of: withId([
      ...ip,
      payload.load(fields.ipDaddr, 1),
      meta.load('l4proto', 9),
      payload.load(fields.thDport, 10),
      lookup.map(1, 'm', 1),
      // nft leaves out the flag that the port is meant; the kernel sets it where there is a register for it.
      { name: 'nat', data: { type: 'dnat', family: 'ip', addressMin: 1, protoMin: 9 } },
    ]),
  },
  'ct-state': [
    ct.load('state', 1),
    bitwise.and(1, host(ctState.established | ctState.related)),
    cmp(1, '!=', octets(0, 0, 0, 0)),
    immediate.accept(),
  ],
  'ct-status': [
    ct.load('status', 1),
    bitwise.and(1, host(ctStatus.dnat)),
    cmp(1, '!=', octets(0, 0, 0, 0)),
    immediate.accept(),
  ],
  'ct-direction': [ct.load('dstIp', 1, 'original'), cmp(1, '==', octets(10, 0, 0, 1)), immediate.accept()],
  'meta-byteorder': [
    meta.load('mark', 1),
    byteorder.hton(1, 4),
    cmp(1, '>', octets(0, 0, 0, 100)),
    immediate.accept(),
  ],
  'meta-set': [immediate.load(1, host(1)), meta.set('mark', 1)],
  'meta-names': [
    meta.load('iifname', 1),
    cmp(1, '==', name('eth0')),
    meta.load('oifname', 1),
    cmp(1, '!=', name('eth1')),
    immediate.jump('c2'),
  ],
  goto: [immediate.goto('c2')],
  dnat: {
    chain: 'n',
    of: [
      ...tcp,
      immediate.load(1, octets(10, 0, 0, 2)),
      immediate.load(2, octets(0x1f, 0x90)),
      nat.dnat({ family: 'ip', address: 1, port: 2 }),
    ],
  },
  snat: {
    chain: 'n',
    of: [
      immediate.load(1, octets(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)),
      nat.snat({ family: 'ip6', address: 1 }),
    ],
  },
  masquerade: { chain: 'n', of: [nat.masquerade()] },
  redirect: {
    chain: 'n',
    of: [
      ...tcp,
      payload.load(fields.thDport, 1),
      cmp(1, '==', octets(0, 80)),
      immediate.load(1, octets(0x1f, 0x90)),
      nat.redirect(1),
    ],
  },
  counter: [counter()],
  log: [log({ prefix: 'tnet ', level: 'warn' })],
  limit: [limit({ rate: 10n, unit: 1n, burst: 5 }), immediate.accept()],
  'reject-icmpx': [reject.with('adminProhibited')],
  'reject-tcp': [...tcp, reject.tcpReset()],
  range: [
    ...tcp,
    payload.load(fields.thDport, 1),
    range(1, '!=', { from: octets(0x03, 0xe8), to: octets(0x07, 0xd0) }),
    immediate.drop(),
  ],
  fib: [fib(['daddr'], 'type', 1), cmp(1, '==', host(addressTypes.local)), immediate.accept()],
  numgen: [numgen('incremental', 4, 1), meta.set('mark', 1)],
  lookup: withId([meta.load('iifname', 1), lookup.in(1, 's'), immediate.accept()]),
  'lookup-not': {
    family: 'bridge',
    of: withId([
      meta.load('iifname', 1),
      payload.load(fields.etherSaddr, 2),
      lookup.notIn(1, 's'),
      immediate.drop(),
    ]),
  },
  'lookup-vmap': withId([meta.load('iifname', 1), lookup.vmap(1, 'm')]),
  'lookup-map': withId([...ip, payload.load(fields.ipSaddr, 1), lookup.map(1, 'm', 1), meta.set('mark', 1)]),
  dynset: withId([
    ...ip,
    payload.load(fields.ipSaddr, 1),
    dynset('update', 's', { key: 1, timeout: 60_000n }),
  ]),
  'dynset-counter': withId([
    ...ip,
    payload.load(fields.ipSaddr, 1),
    { name: 'dynset', data: { ...dynset('add', 's', { key: 1 }).data, expression: counter() } },
  ]),
  notrack: { chain: 'n', of: [{ name: 'notrack' }] },
  objref: [objref('counter', 'seen')],
}

t.test('rules of nft', t => {
  for (const [name, rule] of Object.entries(rules)) {
    const { chain = 'c', family = 'inet', of: expressions } = 'of' in rule ? rule : { of: rule }
    const [file = ''] = vectors(import.meta.dirname, name)
    goldenBatch(t, file, [
      request(newRule, { family, table: 't', chain, expressions }, NLM_F_CREATE | NLM_F_APPEND),
    ])
  }
  t.end()
})

t.test('what nft leaves out or adds', t => {
  const [over = '', hashed = ''] = vectors(import.meta.dirname, 'limit-over', 'jhash')
  const rule = (expressions: readonly Expression[]) =>
    request(newRule, { family: 'inet', table: 't', chain: 'c', expressions }, NLM_F_CREATE | NLM_F_APPEND)
  const { burst: _, ...rate } = limit({ rate: 1048576n, unit: 60n, burst: 0, type: 'bytes', over: true }).data
  goldenBatch(t, over, [rule([{ name: 'limit', data: rate }, immediate.drop()])])
  const { type, ...hash } = jhash({ from: 2, length: 4, into: 1, modulus: 16, seed: 7 }).data
  goldenBatch(t, hashed, [
    rule([
      ...ip,
      payload.load(fields.ipSaddr, 2),
      { name: 'hash', data: { ...hash, offset: 0, type } },
      meta.set('mark', 1),
    ]),
  ])
  t.end()
})

t.test('extensions of iptables-nft', t => {
  const [file = ''] = vectors(import.meta.dirname, 'compat')
  const expressions: Expression[] = [
    { name: 'match', data: { name: 'addrtype', revision: 1, info: octets(0, 0, 4, 0, 0, 0, 0, 0) } },
    { name: 'counter', data: { bytes: 0n, packets: 0n } },
    { name: 'target', data: { name: 'MARK', revision: 2, info: octets(1, 0, 0, 0, 255, 255, 255, 255) } },
  ]
  const compat = { protocol: 0, flags: new Set<never>() }
  goldenBatch(
    t,
    file,
    [
      request(
        newRule,
        { family: 'ip', table: 'nat', chain: 'OURS', expressions, compat },
        NLM_F_CREATE | NLM_F_APPEND,
      ),
    ],
    { generation: 2 },
  )
  t.end()
})

t.test('an expression that the table does not know keeps its bytes', t => {
  for (const name of ['osf', 'constructor', '__proto__']) {
    const strange = { name, unknown: [{ type: 0x8002, payload: octets(8, 0, 1, 0, 1, 2, 3, 4) }] }
    const bytes = encode(expression, strange)
    t.strictSame(expression.decode(new Reader(bytes)), strange)
  }
  t.end()
})

t.test('every kind has a vector', t => {
  const seen = new Set(
    Object.values(rules)
      .flatMap(rule => ('of' in rule ? rule.of : rule))
      .map(({ name }) => name),
  )
  const elsewhere = ['hash', 'match', 'target', 'quota', 'connlimit', 'last']
  t.same(
    Object.keys(expressionKinds).filter(kind => !seen.has(kind) && !elsewhere.includes(kind)),
    [],
  )
  t.end()
})
