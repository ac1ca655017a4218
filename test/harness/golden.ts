// Compares tables with golden vectors, in both directions, and damages vectors to see what decoders make of it.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Test } from 'tap'
import { DecodeError, Reader, Writer } from '../../src/wire/bytes.ts'
import { u16, u32 } from '../../src/wire/codec.ts'
import { HEADER_SIZE, type MessageType, readMessages, writeMessage } from '../../src/wire/message.ts'
import { readVector } from './vectors.ts'

/** The attributes, by their types from the outermost in, that are strings which the tool sent without NUL. */
export type Unterminated = readonly (readonly number[])[]

interface Golden<H, B> {
  readonly type: MessageType<H, B>
  readonly value: H & B
  /** Of the nlmsghdr. */
  readonly flags: number
  /** The kernel takes strings with NUL and without; we always write it. */
  readonly unterminated?: Unterminated
}

/** The tool's request decodes to the value, and the value encodes to the tool's request. */
export function goldenRequest<H, B>(t: Test, file: string, golden: Golden<H, B>): void {
  const { type, value, flags, unterminated = [] } = golden
  const { command, datagrams } = readVector(file)
  const messages = datagrams.flatMap(datagram => [...readMessages(datagram)])
  t.equal(messages.length, 1, command)
  for (const message of messages) {
    t.equal(message.type, type.type, 'type')
    t.equal(message.flags, flags, 'flags')
    t.strictSame(type.decode(message.payload), value, 'decoded')
    const out = new Writer()
    writeMessage(out, type, { flags, sequence: message.sequence, value })
    const sent = terminated(datagrams[0] ?? Uint8Array.of(), unterminated, type)
    t.equal(lines(out.written()), lines(sent), 'encoded')
  }
}

/** The values in the kernel's answer, each of which encodes to its own bytes again. */
export function goldenReply<H, B>(t: Test, file: string, type: MessageType<H, B>): (H & B)[] {
  const { command, datagrams } = readVector(file)
  const values: (H & B)[] = []
  for (const datagram of datagrams) {
    for (const message of readMessages(datagram)) {
      if (message.type !== type.type) continue
      const { payload } = message
      const bytes = payload.bytes.subarray(payload.offset, payload.end)
      const value = type.decode(payload)
      const out = new Writer()
      type.encode(out, value)
      t.equal(lines(out.written()), lines(bytes), `${command}: message ${values.length}`)
      values.push(value)
    }
  }
  t.not(values.length, 0, command)
  return values
}

/** Whatever is done to the bytes of `files`: a value that is the same after encoding and decoding, or a DecodeError. */
export function survivesDamage<H, B>(files: readonly string[], type: MessageType<H, B>): void {
  const payloads = files
    .flatMap(file => readVector(file).datagrams)
    .flatMap(datagram => [...readMessages(datagram)])
    .filter(message => message.type === type.type)
    .map(({ payload }) => payload.bytes.slice(payload.offset, payload.end))
  assert.notEqual(payloads.length, 0)
  const place = fc.nat({ max: 0xffff })
  const damage = fc.record({
    payload: fc.constantFrom(...payloads),
    bytes: fc.array(fc.tuple(place, fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
    cut: fc.option(place),
    extra: fc.uint8Array({ maxLength: 12 }),
  })
  fc.assert(
    fc.property(damage, ({ payload, bytes, cut, extra }) => {
      const whole = cut === null ? payload : payload.subarray(0, cut % (payload.length + 1))
      const damaged = Uint8Array.from([...whole, ...extra])
      for (const [at, byte] of bytes) if (damaged.length > 0) damaged[at % damaged.length] = byte
      stable(type, damaged)
    }),
    { numRuns: 400 },
  )
}

function stable<H, B>(type: MessageType<H, B>, bytes: Uint8Array): void {
  let value
  try {
    value = type.decode(new Reader(bytes))
  } catch (error) {
    if (error instanceof DecodeError) return
    throw error
  }
  const first = new Writer()
  type.encode(first, value)
  const again = type.decode(new Reader(first.written()))
  const second = new Writer()
  type.encode(second, again)
  assert.equal(lines(second.written()), lines(first.written()))
}

/** The files of vectors beside a test. */
export function vectors(folder: string, ...names: readonly string[]): string[] {
  return names.map(name => join(folder, 'vectors', `${name}.txt`))
}

/** Hexadecimal text, 4 bytes a line, so that a difference is easy to see. */
function lines(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').replace(/.{8}/g, '$&\n')
}

/** The datagram of one message, with a NUL after each of the strings that lack it, and zeros for padding. */
function terminated<H, B>(datagram: Uint8Array, strings: Unterminated, type: MessageType<H, B>): Uint8Array {
  const body = new Writer()
  type.encode(body, {} as Partial<H> & B)
  const start = HEADER_SIZE + body.length
  const out = new Writer()
  out.write(datagram.subarray(0, start))
  terminate(out, datagram.subarray(start), strings)
  const { length } = out
  out.length = 0
  u32.encode(out, length)
  out.length = length
  return out.written()
}

function terminate(out: Writer, attributes: Uint8Array, strings: Unterminated): void {
  const input = new Reader(attributes)
  while (input.left >= 4) {
    const length = u16.decode(input)
    const type = u16.decode(input)
    const payload = input.slice(length - 4).rest()
    input.take(Math.min((4 - (length % 4)) % 4, input.left))
    const inside = strings.filter(([first]) => first === (type & 0x3fff)).map(path => path.slice(1))
    const start = out.reserve(4)
    if (inside.some(path => path.length > 0)) terminate(out, payload, inside)
    else out.write(payload)
    if (inside.some(path => path.length === 0)) out.reserve(1)
    const end = out.length
    out.length = start
    u16.encode(out, end - start)
    u16.encode(out, type)
    out.length = end
    out.align(4)
  }
}
