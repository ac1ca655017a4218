import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { attributes } from '../../src/wire/attributes.ts'
import { DecodeError, Reader, Writer } from '../../src/wire/bytes.ts'
import { encode, i32, string, u16, u32, u8 } from '../../src/wire/codec.ts'
import {
  HEADER_SIZE,
  type Message,
  message,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  readAcknowledgement,
  readMessages,
  writeMessage,
} from '../../src/wire/message.ts'
import { struct } from '../../src/wire/struct.ts'

const newThing = message(
  'NEWTHING',
  77,
  struct({ family: u8 }),
  attributes({ name: [3, string], mtu: [4, u32] }),
)

function datagram(...values: { name?: string; mtu?: number; family?: number }[]): Uint8Array {
  const out = new Writer()
  values.forEach((value, i) => writeMessage(out, newThing, { flags: NLM_F_REQUEST, sequence: 10 + i, value }))
  return out.written()
}

t.test('golden bytes of a message', t => {
  const half = (n: number): number[] => [...encode(u16, n)]
  const word = (n: number): number[] => [...encode(u32, n)]
  t.same(
    [...datagram({ family: 2, name: 'a' })],
    [
      ...word(28),
      ...half(77),
      ...half(1),
      ...word(10),
      ...word(0),
      2,
      0,
      0,
      0,
      ...half(6),
      ...half(3),
      0x61,
      0,
      0,
      0,
    ],
  )
  t.end()
})

t.test('several messages in one datagram', t => {
  const values = fc.array(
    fc.record(
      { family: fc.integer({ min: 0, max: 255 }), name: fc.stringMatching(/^[a-z]{0,5}$/) },
      { noNullPrototype: true },
    ),
    { maxLength: 5 },
  )
  fc.assert(
    fc.property(values, each => {
      const messages = [...readMessages(datagram(...each))]
      assert.deepEqual(
        messages.map(({ type, flags, sequence, port }) => ({ type, flags, sequence, port })),
        each.map((_, i) => ({ type: 77, flags: NLM_F_REQUEST, sequence: 10 + i, port: 0 })),
      )
      assert.deepEqual(
        messages.map(({ payload }) => newThing.decode(payload)),
        each,
      )
    }),
  )
  t.end()
})

t.test('the last message may lack its padding', t => {
  const odd = Uint8Array.from([...encode(u32, 17), ...new Uint8Array(13)])
  t.equal([...readMessages(odd)].length, 1)
  t.equal([...readMessages(Uint8Array.from([...odd, 0, 0, 0, ...odd]))].length, 2)
  t.end()
})

t.test('lengths that do not fit are a DecodeError', t => {
  const whole = datagram({ name: 'ab' })
  t.throws(() => [...readMessages(whole.subarray(0, 8))], DecodeError, 'a cut header')
  t.throws(() => [...readMessages(whole.subarray(0, 22))], DecodeError, 'a cut message')
  t.throws(() => [...readMessages(Uint8Array.from([...encode(u32, 15), ...whole.subarray(4)]))], DecodeError)
  t.throws(() => [...readMessages(new Uint8Array(16))], DecodeError, 'no progress')
  t.end()
})

t.test('any datagram is messages or a DecodeError', t => {
  const prefix = fc.integer({ min: 0, max: 40 }).map(length => encode(u32, length))
  fc.assert(
    fc.property(prefix, fc.uint8Array({ maxLength: 60 }), (length, rest) => {
      try {
        for (const one of readMessages(Uint8Array.from([...length, ...rest]))) {
          newThing.decode(new Reader(one.payload.rest()))
        }
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
      }
    }),
    { numRuns: 1000 },
  )
  t.end()
})

t.test('errors begin with the name of the message', t => {
  const [one] = [...readMessages(datagram({ name: 'a' }))]
  if (one === undefined) return t.fail('no message')
  const other = message('OTHER', 77, struct({ family: u8 }), attributes({ mtu: [3, u32] }))
  try {
    other.decode(one.payload)
    t.fail('want a DecodeError')
  } catch (error) {
    t.same((error as DecodeError).path, ['OTHER', 'mtu'])
  }
  t.end()
})

t.test('locate counts from the start of the message', t => {
  const wire = datagram({ name: 'a', mtu: 5 })
  t.same(newThing.locate(wire, HEADER_SIZE + 4), ['name'])
  t.same(newThing.locate(wire, HEADER_SIZE + 12), ['mtu'])
  t.same(newThing.locate(wire, 3), [])
  t.end()
})

/** What the kernel answers: the parts after the nlmsghdr. */
function answer(type: number, flags: number, ...parts: Uint8Array[]): Message {
  const payload = new Reader(Uint8Array.from(parts.flatMap(part => [...part])))
  return { type, flags, sequence: 1, port: 0, payload }
}

const extended = encode(attributes({ message: [1, string], offset: [2, u32], cookie: [3, u32] }), {
  message: 'Invalid MTU',
  offset: 36,
  cookie: 1,
})
const request = datagram({ name: 'abcde' })
const error = encode(i32, -22)

t.test('acknowledgements', t => {
  const plain = { error: -22, message: undefined, offset: undefined }
  const full = { error: -22, message: 'Invalid MTU', offset: 36 }
  const header = request.subarray(0, HEADER_SIZE)
  const both = NLM_F_ACK_TLVS | NLM_F_CAPPED
  t.same(readAcknowledgement(answer(NLMSG_ERROR, 0, error, request)), plain)
  t.same(readAcknowledgement(answer(NLMSG_ERROR, NLM_F_CAPPED, error, header)), plain)
  t.same(readAcknowledgement(answer(NLMSG_ERROR, both, error, header, extended)), full)
  t.same(readAcknowledgement(answer(NLMSG_ERROR, NLM_F_ACK_TLVS, error, request, extended)), full)
  const odd = Uint8Array.from([...encode(u32, 17), ...new Uint8Array(16)])
  t.same(
    readAcknowledgement(answer(NLMSG_ERROR, NLM_F_ACK_TLVS, error, odd, extended)),
    full,
    'a padded echo',
  )
  t.same(readAcknowledgement(answer(NLMSG_DONE, NLM_F_ACK_TLVS, error, extended)), full, 'the end of a dump')
  t.same(readAcknowledgement(answer(NLMSG_DONE, 0, encode(i32, 0))), { ...plain, error: 0 })
  t.same(
    readAcknowledgement(answer(NLMSG_ERROR, NLM_F_ACK_TLVS, error, request)),
    plain,
    'with nothing to say',
  )
  t.throws(() => readAcknowledgement(answer(NLMSG_ERROR, 0, Uint8Array.of(1))), DecodeError)
  t.throws(() => readAcknowledgement(answer(NLMSG_ERROR, both, error)), DecodeError)
  t.same(
    readAcknowledgement(answer(NLMSG_ERROR, NLM_F_ACK_TLVS, error, header)),
    plain,
    'an echo that is shorter than it says',
  )
  t.end()
})
