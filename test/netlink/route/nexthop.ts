import t from 'tap'
import { DecodeError, Reader } from '../../../src/wire/bytes.ts'
import { encode, u16 } from '../../../src/wire/codec.ts'
import { nexthops } from '../../../src/netlink/route/nexthop.ts'

t.test('next hops stand one after the other, each at a multiple of 4', t => {
  const hops = [
    { flags: new Set<never>(), weight: 1, index: 3, gateway: 'fe80::1' },
    { flags: new Set(['onlink'] as const), weight: 256, index: 4, via: '10.0.0.1' },
  ]
  const wire = encode(nexthops, hops)
  t.equal(wire.length, 8 + 20 + (8 + 4 + 6 + 2))
  t.strictSame(nexthops.decode(new Reader(wire)), hops)
  t.same(nexthops.locate?.(new Reader(wire), 8), ['0', 'gateway'])
  t.same(nexthops.locate?.(new Reader(wire), 28), ['1'])
  t.same(nexthops.locate?.(new Reader(wire), 36), ['1', 'via'])
  t.same(nexthops.locate?.(new Reader(wire), 99), [])
  t.same(nexthops.decode(new Reader(Uint8Array.of())), [])
  t.end()
})

t.test('lengths are exact', t => {
  const wire = encode(nexthops, [{ index: 3 }])
  t.throws(() => nexthops.decode(new Reader(wire.subarray(0, 7))), DecodeError)
  t.throws(() => nexthops.decode(new Reader(wire.subarray(0, 1))), DecodeError)
  t.throws(
    () => nexthops.decode(new Reader(Uint8Array.from([...encode(u16, 7), ...wire.subarray(2)]))),
    DecodeError,
  )
  t.throws(
    () => nexthops.decode(new Reader(Uint8Array.from([...encode(u16, 0), ...wire.subarray(2)]))),
    DecodeError,
  )
  t.throws(() => encode(nexthops, [{ index: 3, weight: 0 }]), RangeError)
  t.throws(() => encode(nexthops, [{ index: 3, weight: 257 }]), RangeError)
  t.end()
})
