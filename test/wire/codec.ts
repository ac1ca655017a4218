import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { DecodeError, Reader } from '../../src/wire/bytes.ts'
import {
  be16,
  be32,
  be64,
  bool,
  bytes,
  type Codec,
  encode,
  enumeration,
  flag,
  flagSet,
  i32,
  i8,
  mac,
  mapped,
  string,
  u16,
  u32,
  u64,
  u8,
  uint,
} from '../../src/wire/codec.ts'

function decode<T>(codec: Codec<T>, wire: Uint8Array): T {
  const input = new Reader(wire)
  const value = codec.decode(input)
  if (input.left > 0) throw input.error('too long')
  return value
}

const whole = [
  { name: 'u8', codec: u8, min: 0, max: 0xff },
  { name: 'u16', codec: u16, min: 0, max: 0xffff },
  { name: 'u32', codec: u32, min: 0, max: 0xffffffff },
  { name: 'i8', codec: i8, min: -0x80, max: 0x7f },
  { name: 'i32', codec: i32, min: -0x80000000, max: 0x7fffffff },
  { name: 'be16', codec: be16, min: 0, max: 0xffff },
  { name: 'be32', codec: be32, min: 0, max: 0xffffffff },
]

for (const { name, codec, min, max } of whole) {
  t.test(`${name} keeps every number that fits and refuses the others`, t => {
    fc.assert(
      fc.property(fc.integer({ min, max }), number => decode(codec, encode(codec, number)) === number),
    )
    for (const number of [min, max]) t.equal(decode(codec, encode(codec, number)), number)
    for (const number of [min - 1, max + 1, 0.5, NaN]) t.throws(() => encode(codec, number), RangeError)
    t.equal(encode(codec, 1).length, codec.size)
    t.throws(() => codec.decode(new Reader(new Uint8Array((codec.size ?? 0) - 1))), DecodeError)
    t.end()
  })
}

for (const [name, codec] of Object.entries({ u64, be64, uint })) {
  t.test(`${name} keeps 64 bits`, t => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), n => decode(codec, encode(codec, n)) === n),
    )
    for (const number of [-1n, 2n ** 64n]) t.throws(() => encode(codec, number), RangeError)
    t.throws(() => decode(codec, new Uint8Array(7)), DecodeError)
    t.end()
  })
}

t.test('uint takes 4 bytes where they do, as NLA_UINT', t => {
  t.equal(encode(uint, 0xffffffffn).length, 4)
  t.equal(encode(uint, 0x100000000n).length, 8)
  t.end()
})

t.test('byte orders', t => {
  t.same([...encode(be16, 0x0102)], [1, 2])
  t.same([...encode(be32, 0x01020304)], [1, 2, 3, 4])
  t.same([...encode(be64, 0x0102030405060708n)], [1, 2, 3, 4, 5, 6, 7, 8])
  const host = new Uint8Array(new Uint32Array([0x01020304]).buffer)
  t.same(encode(u32, 0x01020304), host)
  t.same(encode(i32, 0x01020304), host)
  t.same(encode(u64, 5n), new Uint8Array(new BigUint64Array([5n]).buffer))
  t.same(encode(u16, 5), new Uint8Array(new Uint16Array([5]).buffer))
  t.end()
})

t.test('bool is a byte, flag is nothing', t => {
  t.same([...encode(bool, true), ...encode(bool, false)], [1, 0])
  t.equal(decode(bool, Uint8Array.of(2)), true)
  t.equal(decode(bool, Uint8Array.of(0)), false)
  t.equal(encode(flag, true).length, 0)
  t.equal(decode(flag, Uint8Array.of()), true)
  t.throws(() => decode(flag, Uint8Array.of(1)), DecodeError)
  t.end()
})

t.test('strings end with NUL', t => {
  t.same([...encode(string, 'eth')], [0x65, 0x74, 0x68, 0])
  t.equal(decode(string, Uint8Array.of(0x65, 0, 0x66)), 'e', 'what follows is not read')
  t.equal(decode(string, Uint8Array.of(0x65)), 'e', 'old kernels leave the NUL out')
  t.throws(() => encode(string, 'a\0b'), TypeError)
  const text = fc.string({ unit: 'grapheme' }).filter(each => !each.includes('\0'))
  fc.assert(fc.property(text, value => decode(string, encode(string, value)) === value))
  t.end()
})

t.test('link-layer addresses', t => {
  t.same([...encode(mac, '02:aB:00:00:00:ff')], [2, 0xab, 0, 0, 0, 255])
  const octets = fc.uint8Array({ maxLength: 20 })
  fc.assert(fc.property(octets, each => assert.deepEqual(encode(mac, decode(mac, each)), each)))
  for (const wrong of ['2:1', '02:', '02-03', '0g:00', '02:03\n'])
    t.throws(() => encode(mac, wrong), TypeError)
  t.end()
})

t.test('bytes are as they are', t => {
  t.same(decode(bytes, encode(bytes, Uint8Array.of(1, 2))), Uint8Array.of(1, 2))
  t.end()
})

t.test('names for numbers', t => {
  const mode = enumeration(u8, { private: 1, vepa: 2 })
  t.equal(decode(mode, Uint8Array.of(2)), 'vepa')
  t.equal(decode(mode, Uint8Array.of(9)), 9)
  t.equal(mode.size, 1)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 255 }), n => encode(mode, decode(mode, Uint8Array.of(n)))[0] === n),
  )
  for (const wrong of ['brige', 'toString', '__proto__']) {
    t.throws(() => encode(mode, wrong as 'vepa'), TypeError)
  }
  t.end()
})

t.test('sets of names for bits', t => {
  const flags = flagSet(u32, { up: 1, broadcast: 2, high: 0x80000000 })
  t.same(decode(flags, encode(u32, 0x80000003)), new Set(['up', 'broadcast', 'high']))
  t.same(decode(flags, encode(u32, 0x90000000)), new Set(['high', '0x10000000']))
  t.same(decode(flags, encode(u32, 0)), new Set())
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), bits => {
      const wire = encode(u32, bits)
      assert.deepEqual(encode(flags, decode(flags, wire)), wire)
    }),
  )
  for (const wrong of ['down', 'toString', '3', '0xg']) {
    t.throws(() => encode(flags, new Set([wrong as 'up'])), TypeError)
  }
  t.throws(() => encode(flagSet(u8, { up: 1 }), new Set(['0x100'] as const)), RangeError)
  t.end()
})

t.test('a mapped codec keeps size and locate', t => {
  const plain = mapped(
    bytes,
    wire => wire.length,
    (length: number) => new Uint8Array(length),
  )
  t.equal(decode(plain, Uint8Array.of(0, 0)), 2)
  t.equal(encode(plain, 3).length, 3)
  t.notOk('size' in plain)
  t.notOk('locate' in plain)
  const located = mapped<Uint8Array, Uint8Array>(
    { ...bytes, locate: () => ['here'] },
    wire => wire,
    wire => wire,
  )
  t.same(located.locate?.(new Reader(Uint8Array.of()), 0), ['here'])
  t.end()
})
