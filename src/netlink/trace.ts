// Shows netlink traffic as text, decoded by the tables that made it: what TNET_DEBUG=netlink prints.
import { errnoName } from '../sys/errno.ts'
import {
  HEADER_SIZE,
  type Message,
  NLM_F_ACK,
  NLM_F_MULTI,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  readAcknowledgement,
  readMessages,
} from '../wire/message.ts'
import { knownMessages, type MessageTable, tablesOfFamily } from './messages.ts'
import type { Readable } from './monitor.ts'
import type { Trace } from './socket.ts'
import { valueLines } from './value-lines.ts'

/** NLM_F_*, include/uapi/linux/netlink.h */
const FLAGS = {
  request: NLM_F_REQUEST,
  multi: NLM_F_MULTI,
  ack: NLM_F_ACK,
  echo: 0x8,
  dump_intr: 0x10,
  dump_filtered: 0x20,
}
/** What the higher bits mean depends on the deed. */
const FLAGS_BY_DEED: readonly (readonly [name: RegExp, flags: Readonly<Record<string, number>>])[] = [
  [/_GET/, { dump: 0x300, root: 0x100, match: 0x200, atomic: 0x400 }],
  [/_DEL/, { nonrec: 0x100, bulk: 0x200 }],
  [/_(NEW|SET)/, { replace: 0x100, excl: 0x200, create: 0x400, append: 0x800 }],
]

/**
 * A trace for `SocketOptions` that hands each message to `write` as lines of text, one message at a time:
 *
 *     -> RTM_NEWADDR #1 request ack excl create
 *          family 2
 *          prefixLength 24
 *          local 10.1.2.3
 *     <- RTM_NEWADDR #1 refused: EEXIST
 *
 * `->` was sent, `<-` received. Never throws: what it cannot read it shows as bytes. `more` are tables of your own.
 */
export function tracer(write: (text: string) => void, more: readonly MessageTable[] = []): Trace {
  const tables = [...more, ...knownMessages]
  /** The last requests that were sent, by protocol, to name the attributes that answers refuse. */
  const sent = new Map<number, Uint8Array>()
  return (direction, datagram, protocol) => {
    if (direction === 'send') sent.set(protocol, datagram.slice())
    const arrow = direction === 'send' ? '->' : '<-'
    try {
      for (const message of readMessages(datagram)) {
        learn(tables, tablesOfFamily(protocol, message))
        const request = isAnswer(message) ? findRequest(sent.get(protocol), message.sequence) : undefined
        const lines = isAnswer(message)
          ? answerLines(
              message,
              request,
              request && tableOf(tables, request.message, { protocol, direction: 'send' }),
            )
          : messageLines(message, tableOf(tables, message, { protocol, direction }))
        write(`${arrow} ${lines.join('\n     ')}\n`)
      }
    } catch (error) {
      write(`${arrow} ${String(error)}: ${Buffer.from(datagram).toString('hex')}\n`)
    }
  }
}

function isAnswer({ type }: Message): boolean {
  return type === NLMSG_ERROR || type === NLMSG_DONE
}

/** A family that was asked for before has its tables already. */
function learn(tables: MessageTable[], more: readonly MessageTable[]): void {
  const known = new Set(
    tables.flatMap(({ protocol, types }) => types.map(({ type }) => `${protocol} ${type}`)),
  )
  tables.push(...more.filter(({ protocol, types: [each] }) => !known.has(`${protocol} ${each?.type}`)))
}

interface Way {
  readonly protocol: number
  readonly direction: 'send' | 'receive'
}

function tableOf(
  tables: readonly MessageTable[],
  message: Message,
  { protocol, direction }: Way,
): Readable | undefined {
  const way = { protocol, direction, family: message.payload.bytes[message.payload.offset] }
  for (const table of tables) {
    if (!leads(table, way)) continue
    const found = table.types.find(({ type }) => type === message.type)
    if (found !== undefined) return found
  }
  return undefined
}

function leads(table: MessageTable, { protocol, direction, family }: Way & { family: number | undefined }) {
  if (table.protocol !== protocol) return false
  return (table.family ?? family) === family && (table.direction ?? direction) === direction
}

function messageLines(message: Message, table: Readable | undefined): string[] {
  const name = table?.name ?? `message ${message.type}`
  const head = [name, `#${message.sequence}`, ...flagNames(message.flags, name)].join(' ')
  if (table === undefined) return [head, ...valueLines(message.payload.rest())]
  const start = message.payload.offset
  try {
    return [head, ...valueLines(table.decode(message.payload))]
  } catch (error) {
    message.payload.offset = start
    return [head, String(error), ...valueLines(message.payload.rest())]
  }
}

interface SentRequest {
  readonly message: Message
  readonly bytes: Uint8Array
}

function findRequest(datagram: Uint8Array | undefined, sequence: number): SentRequest | undefined {
  for (const message of readMessages(datagram ?? Uint8Array.of())) {
    const { payload } = message
    const bytes = payload.bytes.subarray(payload.offset - HEADER_SIZE, payload.end)
    if (message.sequence === sequence) return { message, bytes }
  }
  return undefined
}

/** An acknowledgement, a refusal, or the end of a dump. */
function answerLines(
  answer: Message,
  request: SentRequest | undefined,
  table: Readable | undefined,
): string[] {
  const { error, message, offset } = readAcknowledgement(answer)
  const name = [table?.name, `#${answer.sequence}`].filter(part => part !== undefined).join(' ')
  if (error === 0) return [`${name} ${answer.type === NLMSG_DONE ? 'done' : 'acknowledged'}`]
  const path = request && offset !== undefined ? table?.locate?.(request.bytes, offset) : undefined
  const words = [errnoName(-error), ...(message === undefined ? [] : valueLines(message))]
  return [`${name} refused: ${words.join(', ')}${path === undefined ? '' : ` at ${path.join('.')}`}`]
}

function flagNames(flags: number, name: string): string[] {
  const deed = FLAGS_BY_DEED.find(([pattern]) => pattern.test(name))?.[1] ?? {}
  const names: string[] = []
  let left = flags
  for (const [flag, bit] of [...Object.entries(FLAGS), ...Object.entries(deed)]) {
    if ((left & bit) !== bit) continue
    names.push(flag)
    left &= ~bit
  }
  return left === 0 ? names : [...names, `0x${left.toString(16)}`]
}
