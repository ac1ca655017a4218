// Compares whole batches of nf_tables with what nft sends.
import type { Test } from 'tap'
import { batchBegin, batchEnd } from '../../src/netlink/netfilter/batch.ts'
import { NFNL_SUBSYS_NFTABLES } from '../../src/netlink/netfilter/message.ts'
import { type Request, request } from '../../src/netlink/socket.ts'
import { Writer } from '../../src/wire/bytes.ts'
import {
  type Message,
  type MessageType,
  NLM_F_REQUEST,
  readMessages,
  writeMessage,
} from '../../src/wire/message.ts'
import { readVector } from './vectors.ts'

/** The tool's batch decodes to the requests, and the requests encode to the tool's batch. */
export function goldenBatch(
  t: Test,
  file: string,
  requests: readonly Request[],
  options: { readonly generation?: number } = {},
): void {
  const { command, datagrams } = readVector(file)
  const frame = { resourceId: NFNL_SUBSYS_NFTABLES }
  const whole = [request(batchBegin, { ...frame, ...options }), ...requests, request(batchEnd, frame)]
  const messages = datagrams.flatMap(datagram => [...readMessages(datagram)])
  t.equal(datagrams.length, 1, command)
  t.equal(messages.length, whole.length, `${command}: messages`)
  const out = new Writer()
  messages.forEach((message, index) => {
    const one = whole[index]
    if (one === undefined) return
    t.equal(message.type, one.type.type, one.type.name)
    t.equal(message.flags, NLM_F_REQUEST | one.flags, `${one.type.name}: flags`)
    t.strictSame(decoded(one, message), stated(one.value), `${one.type.name}: decoded`)
    writeMessage(out, one.type, { flags: message.flags, sequence: message.sequence, value: one.value })
  })
  t.equal(lines(out.written()), lines(datagrams[0] ?? Uint8Array.of()), `${command}: encoded`)
}

function decoded({ type }: Request, { payload }: Message): unknown {
  return (type as MessageType<unknown, unknown>).decode(payload)
}

/** As the decoder says it: with the whole header, and without what is undefined. */
function stated(value: unknown): unknown {
  const header = { family: 'unspec', version: 0, resourceId: 0 }
  return { ...header, ...(withoutUndefined(value) as object) }
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Set)
    return value
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return Object.fromEntries(fields.map(([name, field]) => [name, withoutUndefined(field)]))
}

/** Hexadecimal text, 4 bytes a line, so that a difference is easy to see. */
function lines(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').replace(/.{8}/g, '$&\n')
}
