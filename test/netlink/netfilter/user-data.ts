import fc from 'fast-check'
import t from 'tap'
import { elementUserData, setUserData } from '../../../src/netlink/netfilter/user-data.ts'
import { Reader } from '../../../src/wire/bytes.ts'
import { encode } from '../../../src/wire/codec.ts'

t.test('comments and what nft does not know', t => {
  const value = {
    comment: 'tnet net c eth0',
    flags: 1,
    unknown: [{ type: 0x74, value: Uint8Array.of(1, 2) }],
  }
  const bytes = encode(elementUserData, value)
  t.same([...bytes.subarray(0, 2)], [0, 16])
  t.same([...bytes.subarray(18)], [1, 4, 1, 0, 0, 0, 0x74, 2, 1, 2])
  t.strictSame(elementUserData.decode(new Reader(bytes)), value)
  t.end()
})

t.test('the longest comment', t => {
  const comment = 'x'.repeat(254)
  t.strictSame(elementUserData.decode(new Reader(encode(elementUserData, { comment }))), { comment })
  t.throws(() => encode(elementUserData, { comment: `${comment}x` }), RangeError)
  t.throws(() => encode(elementUserData, { remark: 'x' } as object), TypeError)
  t.end()
})

t.test('bytes of another form are kept as they are', t => {
  for (const raw of [Uint8Array.of(0), Uint8Array.of(0, 9, 120), Uint8Array.of(1, 1, 0)]) {
    t.strictSame(elementUserData.decode(new Reader(raw)), { raw })
    t.same(encode(elementUserData, { raw }), raw)
  }
  t.strictSame(elementUserData.decode(new Reader(Uint8Array.of(1, 5, 0, 0, 0, 0, 0))), {
    raw: Uint8Array.of(1, 5, 0, 0, 0, 0, 0),
  })
  t.end()
})

t.test('any bytes can be read, and read the same after they were written', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 256 }), bytes => {
      const value = setUserData.decode(new Reader(bytes))
      t.strictSame(setUserData.decode(new Reader(encode(setUserData, value))), value)
    }),
  )
  t.end()
})
