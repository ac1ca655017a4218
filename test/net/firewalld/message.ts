import fc from 'fast-check'
import t from 'tap'
import { decodeReply, encodeCall, messageLength } from '../../../src/net/firewalld/message.ts'

const call = {
  destination: 'org.fedoraproject.FirewallD1',
  path: '/org/fedoraproject/FirewallD1',
  interface: 'org.fedoraproject.FirewallD1.zone',
  member: 'querySource',
  arguments: ['trusted', '10.1.0.5/32'],
}

t.test('a call says how long it is, and is no answer', t => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[ -~]{0,60}$/)),
      fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      (texts, serial) => {
        const bytes = encodeCall({ ...call, arguments: texts }, serial)
        t.equal(messageLength(bytes), bytes.length)
        t.equal(decodeReply(bytes), undefined)
      },
    ),
  )
  t.end()
})

t.test('too few bytes to say', t => {
  t.equal(messageLength(encodeCall(call, 1).subarray(0, 15)), undefined)
  t.end()
})

t.test('a damaged message is a RangeError or another value', t => {
  const bytes = encodeCall(call, 1)
  bytes[1] = 2 // an answer
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: bytes.length - 1 }),
      fc.integer({ min: 0, max: 255 }),
      (at, octet) => {
        const damaged = Uint8Array.from(bytes)
        damaged[at] = octet
        try {
          decodeReply(damaged)
        } catch (error) {
          if (!(error instanceof RangeError)) throw error
        }
      },
    ),
  )
  t.end()
})
