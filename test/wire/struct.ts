import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { attributes } from '../../src/wire/attributes.ts'
import { DecodeError, Reader, Writer } from '../../src/wire/bytes.ts'
import { be16, bytes, encode, string, u32, u8 } from '../../src/wire/codec.ts'
import { growing, pad, struct, withHeader } from '../../src/wire/struct.ts'

const header = struct({ family: u8, padding: pad(1), port: be16, index: u32 })

t.test('fields stand one after the other', t => {
  t.equal(header.size, 8)
  t.same([...header.fields], ['family', 'padding', 'port', 'index'])
  const golden = Uint8Array.from([7, 0, 0x12, 0x34, ...encode(u32, 9)])
  const value = { family: 7, port: 0x1234, index: 9 }
  t.same(encode(header, value), golden)
  t.strictSame(header.decode(new Reader(golden)), value)
  t.same(header.decode(new Reader(golden.with(1, 99))), value, 'padding is not read')
  t.throws(() => header.decode(new Reader(golden.subarray(1))), DecodeError)
  t.end()
})

t.test('padding is zeros', t => {
  t.same([...encode(pad(2), undefined)], [0, 0])
  t.end()
})

t.test('fields left out are zero', t => {
  const out = new Writer()
  header.encode(out, { port: 1 })
  t.same([...out.written()], [0, 0, 0, 1, 0, 0, 0, 0])
  t.end()
})

t.test('a field without a fixed size counts for nothing', t => {
  const open = struct({ family: u8, rest: bytes })
  t.equal(open.size, 1)
  const out = new Writer()
  open.encode(out, { family: 3 })
  t.same([...out.written()], [3])
  t.end()
})

t.test('a growing struct keeps what newer kernels append', t => {
  const counters = growing(struct({ packets: u32 }))
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 12 }), wire => {
      const input = new Reader(wire)
      const value = counters.decode(input)
      assert.equal(input.left, 0)
      assert.equal('rest' in value, wire.length > 4)
      assert.deepEqual(encode(counters, value), wire)
    }),
  )
  t.throws(() => counters.decode(new Reader(new Uint8Array(3))), DecodeError)
  t.end()
})

t.test('a header and its attributes are one value', t => {
  const record = withHeader(struct({ family: u8 }), attributes({ name: [1, string], index: [2, u32] }))
  const value = { family: 2, name: 'a', index: 5 }
  const wire = encode(record, value)
  t.equal(wire.length, 4 + 8 + 8, 'the header is padded to 4')
  t.strictSame(record.decode(new Reader(wire)), value)
  t.same(record.locate(new Reader(wire), 4), ['name'])
  t.same(record.locate(new Reader(wire), 12), ['index'])
  t.same(record.locate(new Reader(wire), 1), [])
  t.same(record.locate(new Reader(Uint8Array.of(1)), 1), [])
  t.same(
    record.decode(new Reader(Uint8Array.of(2))),
    { family: 2 },
    'old kernels leave the padding out at the end',
  )
  t.throws(() => record.decode(new Reader(Uint8Array.of())), DecodeError)
  const out = new Writer()
  record.encode(out, { name: 'a' })
  t.same(record.decode(new Reader(out.written())), { family: 0, name: 'a' })
  t.same(
    withHeader(header, bytes).locate(new Reader(new Uint8Array(12)), 9),
    [],
    'nothing to say about plain bytes',
  )
  t.end()
})
