import fc from 'fast-check'
import t from 'tap'
import {
  byteOrder,
  decodeKey,
  encodeKey,
  typeLength,
  typeNumber,
} from '../../../src/netlink/netfilter/data-type.ts'
import { DecodeError } from '../../../src/wire/bytes.ts'

t.test('numbers and lengths as nft sends them', t => {
  // the keys of the vectors set-concatenation, set-ranges and map-target
  t.equal(typeNumber(['ifname', 'ether_addr']), 2633)
  t.equal(typeNumber(['ipv4_addr', 'ipv4_addr']), 455)
  t.equal(typeNumber(['inet_proto', 'inet_service']), 781)
  t.equal(typeLength(['ether_addr']), 6)
  t.equal(typeLength(['ifname', 'ether_addr']), 24)
  t.equal(typeLength(['inet_proto', 'inet_service']), 8)
  t.equal(byteOrder(['ipv6_addr']), 'network')
  t.equal(byteOrder(['ifname']), 'host')
  t.equal(byteOrder(['ifname', 'ether_addr']), 'none')
  t.end()
})

t.test('bytes of keys', t => {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  t.equal(hex(encodeKey(['inet_proto', 'inet_service'], ['tcp', 80])), '0600000000500000')
  t.equal(hex(encodeKey(['inet_service'], [80])), '0050')
  t.equal(hex(encodeKey(['ifname'], ['eth0'])), '65746830000000000000000000000000')
  t.equal(hex(encodeKey(['ipv6_addr'], ['fd00::1'])), 'fd000000000000000000000000000001')
  t.throws(() => encodeKey(['ifname'], ['sixteen-letters-']), RangeError)
  t.throws(() => encodeKey(['ipv4_addr'], ['fd00::1']), RangeError, 'another family')
  t.throws(() => encodeKey(['ipv4_addr'], ['10.1']), TypeError)
  t.throws(() => decodeKey(['ipv4_addr'], Uint8Array.of(1, 2, 3)), DecodeError)
  t.throws(() => decodeKey(['ipv4_addr'], Uint8Array.of(1, 2, 3, 4, 5)), DecodeError)
  t.end()
})

t.test('every key reads as it was written', t => {
  const types = [
    'ipv4_addr',
    'ether_addr',
    'inet_service',
    'ifname',
    'inet_proto',
    'mark',
    'ether_type',
  ] as const
  const octet = fc.integer({ min: 0, max: 255 })
  const part = {
    ipv4_addr: fc.tuple(octet, octet, octet, octet).map(octets => octets.join('.')),
    ether_addr: fc.uint8Array({ minLength: 6, maxLength: 6 }).map(bytes =>
      Buffer.from(bytes)
        .toString('hex')
        .replace(/..(?!$)/g, '$&:'),
    ),
    inet_service: fc.integer({ min: 0, max: 0xffff }),
    ether_type: fc.integer({ min: 0, max: 0xffff }),
    mark: fc.integer({ min: 0, max: 0xffffffff }),
    inet_proto: fc.constantFrom('tcp', 'udp', 'sctp', 2, 89),
    ifname: fc.stringMatching(/^[a-z0-9.]{1,15}$/),
  }
  const key = fc
    .array(fc.constantFrom(...types), { minLength: 1, maxLength: 4 })
    .chain(chosen =>
      fc.tuple(
        fc.constant(chosen),
        fc.tuple(...chosen.map(type => part[type] as fc.Arbitrary<string | number>)),
      ),
    )
  fc.assert(
    fc.property(key, ([chosen, values]) => {
      const bytes = encodeKey(chosen, values)
      t.equal(bytes.length, typeLength(chosen))
      t.strictSame(decodeKey(chosen, bytes), values)
    }),
  )
  t.end()
})
