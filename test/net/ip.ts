import { isIP, isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import t from 'tap'
import {
  addressOf,
  cidr,
  compare,
  contains,
  equal,
  formatAddress,
  formatCidr,
  formatSubnet,
  overlap,
  parseAddress,
  parseCidr,
  parseSubnet,
  plus,
} from '../../src/net/ip.ts'

const bits4 = fc.bigInt({ min: 0n, max: (1n << 32n) - 1n })
/** Groups are often 0, so that runs to be shortened occur; never IPv4-mapped. */
const bits6 = fc
  .array(fc.oneof(fc.constant(0), fc.constant(1), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  })
  .map(groups => groups.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n))
  .filter(bits => bits >> 32n !== 0xffffn)
const address = fc.oneof(
  bits4.map(bits => ({ family: 4 as const, bits })),
  bits6.map(bits => ({ family: 6 as const, bits })),
)
const prefixed = address.chain(each =>
  fc.integer({ min: 0, max: each.family === 4 ? 32 : 128 }).map(prefix => cidr(each, prefix)),
)

t.test('reads what is unambiguous', async t => {
  for (const [text, family, bits] of [
    ['0.0.0.0', 4, 0n],
    ['10.0.0.1', 4, 0x0a000001n],
    ['255.255.255.255', 4, 0xffffffffn],
    ['::', 6, 0n],
    ['::1', 6, 1n],
    ['1::', 6, 1n << 112n],
    ['FD00::A', 6, (0xfd00n << 112n) | 10n],
    ['2001:db8:0:0:1:0:0:1', 6, 0x20010db8000000000001000000000001n],
    ['64:ff9b::1.2.3.4', 6, (0x64n << 112n) | (0xff9bn << 96n) | 0x01020304n],
  ] as const) {
    t.same(parseAddress(text, 'ip'), { family, bits }, text)
  }
})

t.test('refuses what programs read differently', async t => {
  const octal = [
    '010.0.0.1',
    '10.0.0.01',
    '00.0.0.0',
    '0x0a.0.0.1',
    '10.1',
    '10',
    '167772161',
    '10.0.0',
    '10.0.0.256',
  ]
  const scraps = [
    '',
    ' 10.0.0.1',
    '10.0.0.1 ',
    '10.0.0.1\n',
    '10.0.0.1/24',
    '1.2.3.4.5',
    'host',
    '10.0.0.-1',
    '１０.0.0.1',
  ]
  const six = [
    ':',
    ':::',
    '1::2::3',
    'fe80::1%eth0',
    '::ffff:10.0.0.1',
    '::ffff:0a00:1',
    '00001::',
    '1:2:3:4:5:6:7',
    'g::',
  ]
  const tails = [
    '::010.0.0.1',
    '::1.2.3',
    '::10.1',
    '[::1]',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8:9',
    '::1/64',
  ]
  for (const text of [...octal, ...scraps, ...six, ...tails]) {
    t.throws(() => parseAddress(text, 'ip'), { code: 'BAD_CONFIG' }, JSON.stringify(text))
    t.equal(addressOf(text), undefined, JSON.stringify(text))
  }
  for (const value of [undefined, null, 5, true, {}, ['10.0.0.1'], 10n ** 3n === 1000n]) {
    t.throws(() => parseAddress(value, 'ip'), { code: 'BAD_CONFIG' }, String(value))
  }
})

t.test('takes nothing that is no address, in any text', async () => {
  const piece = fc.constantFrom(
    '0',
    '1',
    '25',
    '255',
    '256',
    '01',
    '0x1',
    'f',
    'ffff',
    'fffff',
    '.',
    ':',
    '::',
    '%',
    '/',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 16 }), pieces => {
      const text = pieces.join('')
      const parsed = addressOf(text)
      return parsed === undefined || (parsed.family === 4 ? isIPv4(text) : isIPv6(text))
    }),
    { numRuns: 5000 },
  )
})

t.test('its own text is canonical, and is read back as the same address', async t => {
  fc.assert(
    fc.property(address, each => {
      const text = formatAddress(each)
      t.equal(isIP(text), each.family)
      t.same(parseAddress(text, 'ip'), each)
      const full = each.bits
        .toString(16)
        .padStart(32, '0')
        .replaceAll(/(.{4})(?!$)/g, '$1:')
      if (each.family === 6) t.same(parseAddress(full, 'ip'), each)
    }),
  )
})

t.test('shortens as RFC 5952 says', async t => {
  for (const [written, canonical] of [
    ['2001:DB8::0001', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
    ['0:0:1:0:0:0:0:0', '0:0:1::'],
    ['::1.2.3.4', '::102:304'],
    ['0:0:0:0:0:0:0:0', '::'],
  ] as const) {
    t.equal(formatAddress(parseAddress(written, 'ip')), canonical)
  }
})

t.test('prefixes', async t => {
  const one = parseCidr('10.1.2.3/24', 'address')
  t.equal(formatCidr(one), '10.1.2.3/24')
  t.equal(formatSubnet(one), '10.1.2.0/24')
  t.equal(formatAddress(one.last), '10.1.2.255')
  t.equal(formatAddress(parseCidr('fd00::5/64', 'address').last), 'fd00::ffff:ffff:ffff:ffff')
  t.equal(formatAddress(parseSubnet('0.0.0.0/0', 'subnet').last), '255.255.255.255')
  for (const text of [
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/+8',
    '10.0.0.0/8/8',
    '::/129',
    '10.0/8',
    '10.0.0.0/255.0.0.0',
  ]) {
    t.throws(() => parseCidr(text, 'address'), { code: 'BAD_CONFIG' }, text)
  }
  for (const text of ['10.0.0.1/24', 'fd00::1/64', '10.0.0.0/6']) {
    t.throws(() => parseSubnet(text, 'subnet'), { code: 'BAD_CONFIG' }, text)
  }
  t.throws(() => parseSubnet(24, 'subnet'), { code: 'BAD_CONFIG' })
})

t.test('network, last, contains and overlap agree', async () => {
  fc.assert(
    fc.property(prefixed, prefixed, address, (a, b, other) => {
      const inside = contains(a, a.network) && contains(a, a.last) && contains(a, a.address)
      const size = a.last.bits - a.network.bits + 1n
      const whole = size === 1n << BigInt((a.family === 4 ? 32 : 128) - a.prefix)
      const below = a.network.bits === 0n || !contains(a, plus(a.network, -1n))
      const bothContain = contains(a, other) && contains(b, other)
      const shares = overlap(a, b) === overlap(b, a) && (!bothContain || overlap(a, b))
      return inside && whole && below && shares && !contains(a, plus(a.last, 1n))
    }),
  )
})

t.test('order', async () => {
  fc.assert(
    fc.property(address, address, (a, b) => {
      const order = Math.sign(compare(a, b))
      if (a.family !== b.family) return order === (a.family === 4 ? -1 : 1)
      return order === -Math.sign(compare(b, a)) + 0 && (order === 0) === equal(a, b)
    }),
  )
})

t.test('reads and writes IPv6 as ipaddr.js does', async t => {
  fc.assert(
    fc.property(bits6, bits => {
      const text = formatAddress({ family: 6, bits })
      t.equal(text, ipaddr.parse(text).toString())
      t.equal(BigInt(`0x${Buffer.from(ipaddr.parse(text).toByteArray()).toString('hex')}`), bits)
    }),
  )
})
