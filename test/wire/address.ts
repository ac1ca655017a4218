import assert from 'node:assert/strict'
import { isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import t from 'tap'
import { address, addressBytes, addressText } from '../../src/wire/address.ts'
import { DecodeError, Reader } from '../../src/wire/bytes.ts'
import { encode } from '../../src/wire/codec.ts'

/** Zeros are frequent, so that runs of them to be shortened occur. */
const octet = fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, fc.integer({ min: 0, max: 255 }))
const four = fc.array(octet, { minLength: 4, maxLength: 4 })
const sixteen = fc.array(octet, { minLength: 16, maxLength: 16 })

t.test('text and bytes are the same address', t => {
  fc.assert(
    fc.property(fc.oneof(four, sixteen), octets => {
      const text = addressText(Uint8Array.from(octets))
      assert.deepEqual([...addressBytes(text)], octets)
    }),
  )
  t.end()
})

t.test('the text is the one of RFC 5952, as ipaddr.js has it', t => {
  const mapped = (octets: readonly number[]): boolean =>
    octets.slice(0, 10).every(each => each === 0) && octets[10] === 255 && octets[11] === 255
  fc.assert(
    fc.property(
      sixteen.filter(octets => !mapped(octets)),
      octets => addressText(Uint8Array.from(octets)) === ipaddr.fromByteArray(octets).toString(),
    ),
  )
  for (const [text, wanted] of [
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:2:3:4:5:6::', '1:2:3:4:5:6::'],
    ['::FFFF:10.0.0.1', '::ffff:10.0.0.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:7.8.9.10', '1:2:3:4:5:6:708:90a'],
  ] as const) {
    t.equal(addressText(addressBytes(text)), wanted, text)
  }
  t.end()
})

t.test('what is no address, or not the same one to every program, is refused', t => {
  const wrong = [
    [
      '',
      '1',
      '10.1',
      '010.0.0.1',
      '1.2.3.4.5',
      '1.2.3.256',
      '1.2.3.-4',
      '1.2.3.4 ',
      '0x1.2.3.4',
      '1.2.3.',
      '1..2.3',
    ],
    [
      ':',
      ':::',
      '1::2::3',
      '1:2',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7::8',
      'g::',
      '12345::',
      ':1:2:3:4:5:6:7:8',
    ],
    [
      'fe80::1%eth0',
      '1:2:3:4:5:6:7:1.2.3.4',
      '::1.2.3',
      '::1.2.3.04',
      '::1.2.3.4:5',
      '1.2.3.4::',
      '::/0',
      '1:2:3:4:5:6:7:',
    ],
  ].flat()
  for (const text of wrong) t.throws(() => addressBytes(text), TypeError, text)
  t.end()
})

t.test('accepts what Node takes for an address without a zone, and nothing else', t => {
  const part = fc.constantFrom('', '0', '1', 'ab', 'ffff', '01', '12345', ':', '::', '1.2.3.4', '.', '255')
  const like = fc.array(part, { maxLength: 12 }).map(parts => parts.join(':').replaceAll(':::', '::'))
  const dotted = fc
    .array(fc.constantFrom('0', '1', '01', '255', '256', ''), { maxLength: 5 })
    .map(each => each.join('.'))
  const accepts = (text: string): boolean => {
    try {
      return addressBytes(text).length > 0
    } catch {
      return false
    }
  }
  fc.assert(
    fc.property(fc.oneof(like, dotted, fc.string()), text => {
      const valid = isIPv4(text) || (isIPv6(text) && !text.includes('%'))
      if (accepts(text) !== valid) throw new Error(text)
    }),
    { numRuns: 2000 },
  )
  t.end()
})

t.test('an attribute has 4 or 16 bytes', t => {
  t.same([...encode(address, '10.0.0.1')], [10, 0, 0, 1])
  t.equal(address.decode(new Reader(Uint8Array.of(10, 0, 0, 1))), '10.0.0.1')
  t.equal(address.decode(new Reader(new Uint8Array(16))), '::')
  for (const length of [0, 3, 5, 15, 17]) {
    t.throws(() => address.decode(new Reader(new Uint8Array(length))), DecodeError)
  }
  t.end()
})
