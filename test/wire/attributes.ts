import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { attributes, by, list, many, nested, numbered } from '../../src/wire/attributes.ts'
import { DecodeError, Reader, Writer } from '../../src/wire/bytes.ts'
import {
  be32,
  bool,
  bytes,
  type Codec,
  encode,
  flag,
  flagSet,
  string,
  u16,
  u32,
  u8,
} from '../../src/wire/codec.ts'
import { struct, withHeader } from '../../src/wire/struct.ts'

const kinds = {
  vlan: attributes({ id: [1, u16], flags: [2, flagSet(u32, { gvrp: 2 })] }),
  vxlan: attributes({ id: [1, be32], gbp: [23, flag] }),
}
const table = attributes({
  mtu: [4, u32],
  name: [3, string],
  up: [5, bool],
  data: [19, by('kind', kinds)],
  kind: [18, string],
  names: [52, nested(attributes({ name: [53, many(string)] }))],
  vlans: [26, many(struct({ vid: u16, flags: u16 }))],
  chain: [27, list(1, nested(attributes({ name: [1, string], key: [2, bytes] })))],
})

function decode<T>(codec: Codec<T>, wire: Uint8Array): T {
  const input = new Reader(wire, ['top'])
  const value = codec.decode(input)
  if (input.left > 0) throw input.error('not all was read')
  return value
}

/** Bytes from words of the host's byte order, two numbers of 16 bits each, and strings. */
function wire(...parts: (readonly [number, number] | string)[]): Uint8Array {
  const out = new Writer()
  for (const part of parts) {
    if (typeof part === 'string') out.write(new TextEncoder().encode(part))
    else part.forEach(half => u16.encode(out, half))
  }
  return out.written()
}

const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter(each => !each.includes('\0'))
const word = fc.integer({ min: 0, max: 0xffffffff })
const half = fc.integer({ min: 0, max: 0xffff })
const octets = fc.uint8Array({ maxLength: 9 })

/** Objects as decoders make them, with some of the fields or all. */
const some = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields, { requiredKeys: [], noNullPrototype: true })
const all = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields, { noNullPrototype: true })

const info = fc.oneof(
  all({
    kind: fc.constant('vlan'),
    data: all({ id: half, flags: fc.constant(new Set(['gvrp'] as const)) }),
  }),
  all({ kind: fc.constant('vxlan'), data: all({ id: word, gbp: fc.constant(true as const) }) }),
  all({ kind: text.filter(each => !Object.hasOwn(kinds, each)) }),
)
const rest = some({
  mtu: word,
  name: text,
  up: fc.boolean(),
  names: all({ name: fc.array(text, { minLength: 1 }) }),
  vlans: fc.array(all({ vid: half, flags: half }), { minLength: 1 }),
  chain: fc.array(some({ name: text, key: octets })),
  unknown: fc.array(all({ type: fc.integer({ min: 100, max: 0x3fff }), payload: octets }), { minLength: 1 }),
})
const value = fc.tuple(info, rest).map(([kind, others]) => ({ ...kind, ...others }))

t.test('golden bytes of the layout', t => {
  const golden = wire([8, 4], [1500, 0], [6, 3], 'e\0\0\0', [12, 52 | 0x8000], [7, 53], 'ab\0\0')
  const decoded = { mtu: 1500, name: 'e', names: { name: ['ab'] } }
  t.same(encode(table, decoded), golden)
  t.same(decode(table, golden), decoded)
  t.end()
})

t.test('what is written is read, and written again the same', t => {
  fc.assert(
    fc.property(value, each => {
      const first = encode(table, each)
      const again = decode(table, first)
      assert.deepEqual(again, each)
      assert.deepEqual(encode(table, again), first)
    }),
  )
  t.end()
})

t.test('any bytes are a value or a DecodeError', t => {
  const chunk = fc.oneof(
    octets,
    fc
      .tuple(fc.integer({ min: 0, max: 20 }), fc.constantFrom(3, 4, 5, 18, 19, 26, 27, 52, 90))
      .map(([length, type]) => wire([length, type])),
    fc.constantFrom(wire([9, 18], 'vlan\0\0\0\0'), wire([8, 19]), wire([6, 1], [7, 0])),
  )
  const anything = fc
    .array(chunk, { maxLength: 12 })
    .map(chunks => Uint8Array.from(chunks.flatMap(each => [...each])))
  let read = 0
  fc.assert(
    fc.property(anything, each => {
      let decoded
      try {
        decoded = decode(table, each)
      } catch (error) {
        if (error instanceof DecodeError) return
        throw error
      }
      read++
      const again = encode(table, decoded)
      assert.deepEqual(decode(table, again), decoded)
      assert.deepEqual(encode(table, decode(table, again)), again)
    }),
    { numRuns: 3000 },
  )
  t.ok(read > 100, 'some of them are values')
  t.end()
})

t.test('of two that pick a codec the last one counts, wherever it stands', t => {
  const twice = wire([6, 18], 'e\0\0\0', [10, 19], [6, 1], [7, 0], [9, 18], 'vlan\0\0\0\0')
  t.same(decode(table, twice), { kind: 'vlan', data: { id: 7 } })
  t.end()
})

t.test('unknown attributes survive, their flags included', t => {
  const golden = wire([8, 4], [1500, 0], [6, 0x8000 | 99], 'x\0\0\0', [4, 0x4000 | 98])
  const decoded = decode(table, golden)
  t.same(decoded.unknown, [
    { type: 0x8000 | 99, payload: Uint8Array.of(0x78, 0) },
    { type: 0x4000 | 98, payload: Uint8Array.of() },
  ])
  t.same(encode(table, decoded), golden)
  t.same(encode(table, { unknown: undefined, mtu: undefined }), Uint8Array.of())
  t.end()
})

t.test('a kind that the table lacks keeps its data unread', t => {
  for (const kind of ['geneve', 'constructor', '__proto__', '']) {
    const golden = encode(attributes({ kind: [18, string], data: [19, bytes] }), {
      kind,
      data: Uint8Array.of(1, 2),
    })
    const decoded = decode(table, golden)
    t.same(decoded, { kind, unknown: [{ type: 19, payload: Uint8Array.of(1, 2) }] })
    t.same(encode(table, decoded), golden)
    t.throws(() => encode(table, { kind, data: { id: 1 } }), TypeError)
  }
  t.throws(() => encode(table, { data: { id: 1 } }), TypeError)
  t.end()
})

t.test('data that stands before its kind is read all the same', t => {
  const golden = wire([12, 19], [6, 1], [7, 0], [9, 18], 'vlan\0\0\0\0')
  t.same(decode(table, golden), { kind: 'vlan', data: { id: 7 } })
  t.end()
})

t.test('the NLA_F_NESTED and NLA_F_NET_BYTEORDER of a known attribute do not matter', t => {
  t.same(decode(table, wire([8, 4 | 0xc000], [9, 0])), { mtu: 9 })
  t.same(decode(table, wire([12, 52], [7, 53], 'ab\0\0')), { names: { name: ['ab'] } })
  t.end()
})

t.test('lengths are exact', t => {
  const wrong: Record<string, [Uint8Array, string[]]> = {
    'payload too short': [wire([6, 4], [1, 0]), ['top', 'mtu']],
    'payload too long': [wire([12, 4], [1, 0], [0, 0]), ['top', 'mtu']],
    'header cut': [wire([8, 4], [1, 0], 'xy'), ['top']],
    'length below that of the header': [wire([3, 4]), ['top']],
    'length beyond the end': [wire([12, 4], [1, 0]), ['top']],
    'inside a nest': [wire([12, 19], [8, 1], [7, 0], [9, 18], 'vlan\0\0\0\0'), ['top', 'data', 'id']],
    'in an attribute without a name': [wire([12, 19], [8, 77]), ['top']],
    'in a struct': [wire([7, 26], 'abc\0'), ['top', 'vlans']],
  }
  for (const [name, [bytes, path]] of Object.entries(wrong)) {
    t.throws(() => decode(table, bytes), DecodeError, name)
    try {
      decode(table, bytes)
    } catch (error) {
      t.same((error as DecodeError).path, path, name)
    }
  }
  t.same(decode(table, wire([5, 5], '\x01')), { up: true }, 'no padding at the end')
  t.end()
})

t.test('refuses what the table does not have, and what no attribute can hold', t => {
  for (const name of ['Mtu', 'toString', 'constructor']) {
    t.throws(() => encode(table, { [name]: 1 } as { mtu: number }), TypeError, name)
  }
  t.throws(() => encode(table, { mtu: -1 }), RangeError)
  t.throws(() => encode(table, { name: 'x'.repeat(65531) }), RangeError)
  t.equal(encode(table, { name: 'x'.repeat(65530) }).length, 65536)
  t.end()
})

t.test('locate names the attributes around an offset', t => {
  const golden = encode(table, {
    mtu: 1,
    kind: 'vlan',
    data: { id: 5 },
    chain: [{ name: 'a' }, { key: Uint8Array.of(1) }],
  })
  const at = (offset: number): string[] => table.locate?.(new Reader(golden), offset) ?? []
  const paths = Array.from({ length: golden.length }, (_, offset) => at(offset).join('.'))
  t.same(
    [...new Set(paths)],
    ['mtu', 'kind', '', 'data', 'data.id', 'chain', 'chain.item', 'chain.item.name', 'chain.item.key'],
  )
  t.equal(at(0)[0], 'mtu', 'an offset points to the header of an attribute')
  t.same(at(golden.length), [])
  t.same(table.locate?.(new Reader(wire([4, 99])), 0), ['attribute 99'])
  const plain = list(1, u8)
  t.same(plain.locate?.(new Reader(encode(plain, [7])), 0), ['item'])
  const unlocated = attributes({ peer: [1, withHeader(struct({ a: u32 }), bytes)] })
  t.same(unlocated.locate?.(new Reader(wire([8, 1], [0, 0])), 4), ['peer'])
  t.end()
})

t.test('an empty list is an empty nest', t => {
  const plain = list(1, u8)
  t.equal(encode(plain, []).length, 0)
  t.same(decode(plain, Uint8Array.of()), [])
  t.end()
})

t.test('a numbered nest counts the types up', t => {
  const pair = attributes({ key: [1, u16], note: [2, string] })
  const items = [{ key: 5 }, { key: 6, note: 'x' }]
  const golden = wire([12, 1], [6, 1], [5, 0], [20, 2], [6, 1], [6, 0], [6, 2], 'x\0\0\0')
  t.same(encode(numbered(pair), items), golden)
  t.same(decode(numbered(pair), golden), items)
  t.same(numbered(pair).locate?.(new Reader(golden), 24), ['2', 'note'])
  t.same(numbered(pair).locate?.(new Reader(golden), 99), [])
  t.same(encode(numbered(nested(pair)), [{ key: 5 }]), wire([12, 1 | 0x8000], [6, 1], [5, 0]))
  t.same(numbered(u16).locate?.(new Reader(wire([6, 1], [7, 0])), 5), ['1'])
  t.throws(() => decode(numbered(u16), wire([8, 1], [7, 7])), DecodeError)
  t.end()
})
