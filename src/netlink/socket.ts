// One netlink socket: requests and their acknowledgements, dumps, batches and multicast messages.
import { scratch } from '../sys/scratch.ts'
import { close, type NetnsFd } from '../sys/syscalls.ts'
import { Writer } from '../wire/bytes.ts'
import {
  type Message,
  type MessageType,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  readAcknowledgement,
  readMessages,
  writeMessage,
} from '../wire/message.ts'
import { openNetlink, readDatagram, receiveBuffer, receiveTimeout, writeDatagram } from './descriptor.ts'
import { NetlinkError } from './error.ts'

export { NETLINK_GENERIC, NETLINK_NETFILTER, NETLINK_ROUTE } from './descriptor.ts'

const DUMP_ATTEMPTS = 32
/** The kernel puts at most 32 KiB into one datagram of a dump. */
const BUFFER = 64 * 1024
/** Acknowledgements queue up in the socket's buffer until they are read; it holds some two hundred. */
const BATCH = 128
/** No answer within this time means that there will be none: a lost acknowledgement must not hang a DEL. */
const ANSWER_MILLISECONDS = 30_000

/** What sending needs of a MessageType. */
type Sendable = Pick<MessageType<unknown, unknown>, 'name' | 'type' | 'locate'> & {
  encode(out: Writer, value: never): void
}

/** What a request says: written so that the compiler knows the names of flags in `new Set(['up'])`. */
export type Value<H, B> = { [K in keyof H]?: H[K] } & { [K in keyof B]: B[K] }

/** One message of a batch, made by `request`. */
export interface Request {
  readonly type: Sendable
  readonly value: unknown
  readonly flags: number
}

/** `flags` adds to NLM_F_REQUEST: NLM_F_CREATE and its like. */
export function request<H, B>(type: MessageType<H, B>, value: Value<H, B>, flags = 0): Request {
  return { type, value, flags }
}

/** Requests as they were sent. The sequence numbers of their answers begin with `first`. */
export interface Sent {
  readonly bytes: Uint8Array
  /** Where in `bytes` each request begins. */
  readonly starts: readonly number[]
  readonly first: number
}

/** `protocol` is NETLINK_ROUTE or another: the types of messages depend on it. */
export type Trace = (direction: 'send' | 'receive', datagram: Uint8Array, protocol: number) => void

export interface SocketOptions {
  /** The fd of the namespace that the socket works in; left out: that of this process. */
  readonly netns?: NetnsFd
  /** Multicast groups to join, by number: RTNLGRP_LINK is 1. */
  readonly groups?: readonly number[]
  /** Called with each datagram that is sent or received; `tracer` makes one. */
  readonly trace?: Trace | undefined
  /** How the socket is closed in the end; left out: at once. */
  readonly close?: ((fd: number) => void) | undefined
}

export class NetlinkSocket implements Disposable {
  readonly fd: number
  readonly protocol: number
  readonly #trace: SocketOptions['trace']
  readonly #close: (fd: number) => void
  readonly #buffer = scratch(BUFFER)
  #sequence = 0
  #closed = false

  /** Opens a socket for `protocol` (NETLINK_ROUTE, NETLINK_NETFILTER, NETLINK_GENERIC). Throws SystemError. */
  constructor(protocol: number, options: SocketOptions = {}) {
    this.protocol = protocol
    this.#trace = options.trace
    this.#close = options.close ?? close
    this.fd = openNetlink(protocol, options.groups ?? [], options.netns)
    this.timeout()
  }

  [Symbol.dispose](): void {
    if (!this.#closed) this.#close(this.fd)
    this.#closed = true
  }

  /** How long a read waits before it throws EAGAIN: 30 seconds, unless told otherwise. */
  timeout(milliseconds = ANSWER_MILLISECONDS): void {
    receiveTimeout(this.fd, milliseconds)
  }

  /** Asks for room for `bytes` of unread messages. */
  receiveBuffer(bytes: number): void {
    receiveBuffer(this.fd, bytes)
  }

  /** Sends one request and waits for its acknowledgement. Throws NetlinkError. */
  async request<H, B>(type: MessageType<H, B>, value: Value<H, B>, flags = 0): Promise<void> {
    await this.batch([request(type, value, flags)])
  }

  /**
   * Sends several requests in one system call, and waits until each is acknowledged. The kernel works them off in
   * order; one that fails does not stop the next. Throws the first one's NetlinkError after all were answered.
   */
  async batch(requests: readonly Request[]): Promise<void> {
    const results = await this.attempt(requests)
    for (const error of results) if (error !== undefined) throw error
  }

  /** As `batch`, but answers with the error, or undefined, of each request. */
  async attempt(requests: readonly Request[]): Promise<(NetlinkError | undefined)[]> {
    const results: (NetlinkError | undefined)[] = []
    for (let start = 0; start < requests.length; start += BATCH) {
      results.push(...this.#attempt(requests.slice(start, start + BATCH)))
    }
    return results
  }

  #attempt(requests: readonly Request[]): (NetlinkError | undefined)[] {
    const results: (NetlinkError | undefined)[] = requests.map(() => undefined)
    const { bytes, starts, first } = this.send(requests, NLM_F_ACK)
    let missing = requests.length
    while (missing > 0) {
      for (const message of this.#receive()) {
        const index = message.sequence - first
        const request = requests[index]
        if (request === undefined || message.type !== NLMSG_ERROR) continue
        missing--
        results[index] = refusal(request.type, message, bytes.subarray(starts[index], starts[index + 1]))
      }
    }
    return results
  }

  /** Sends one request that is answered by one message of the type `reply`. Throws NetlinkError. */
  async get<H, B, RH, RB>(
    type: MessageType<H, B>,
    value: Value<H, B>,
    reply: MessageType<RH, RB>,
    flags = 0,
  ): Promise<RH & RB> {
    const { bytes, first } = this.send([request(type, value, flags)])
    for (;;) {
      for (const message of this.#receive()) {
        if (message.sequence !== first) continue
        const error = message.type === NLMSG_ERROR ? refusal(type, message, bytes) : undefined
        if (error !== undefined) throw error
        if (message.type === reply.type) return reply.decode(message.payload)
      }
    }
  }

  /**
   * Everything that matches, as messages of the type `reply`. A dump that a change interrupted is repeated, so that
   * the answer is one state of the kernel; with `torn`, an answer of several states will do. Throws NetlinkError.
   */
  async dump<H, B, RH, RB>(
    type: MessageType<H, B>,
    value: Value<H, B>,
    reply: MessageType<RH, RB>,
    { torn = false }: { readonly torn?: boolean } = {},
  ): Promise<(RH & RB)[]> {
    for (let attempt = 1; ; attempt++) {
      const answer = this.#dumpOnce(type, value, reply)
      if (!answer.interrupted || torn) return answer.values
      if (attempt === DUMP_ATTEMPTS) {
        throw new NetlinkError(type.name, {
          error: -4,
          message: 'the dump was interrupted by changes, again and again',
          offset: undefined,
        })
      }
    }
  }

  /**
   * The messages of the next datagram, which can be read until the next is received. Throws EAGAIN at the timeout, and
   * ENOBUFS where messages were lost.
   */
  receive(): Message[] {
    return [...this.#receive()]
  }

  /** Reads to the end whatever comes: the kernel refuses the next dump while one is under way. */
  #dumpOnce<H, B, RH, RB>(type: MessageType<H, B>, value: Value<H, B>, reply: MessageType<RH, RB>) {
    const { bytes, first } = this.send([request(type, value, NLM_F_DUMP)])
    const values: (RH & RB)[] = []
    let interrupted = false
    let unreadable: unknown
    for (;;) {
      for (const message of this.#receive()) {
        if (message.sequence !== first) continue
        if ((message.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true
        if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
          const error = refusal(type, message, bytes)
          if (error?.code === 'EINTR') return { values, interrupted: true }
          if (error !== undefined || unreadable !== undefined) throw error ?? unreadable
          return { values, interrupted }
        }
        if (message.type !== reply.type || unreadable !== undefined) continue
        try {
          values.push(reply.decode(message.payload))
        } catch (error) {
          unreadable = error
        }
      }
    }
  }

  /**
   * Sends several requests in one system call and does not wait. `flags` adds to those of each. For protocols that
   * acknowledge in their own way; the answers come with `receive`.
   */
  send(requests: readonly Request[], flags = 0): Sent {
    const out = new Writer()
    const first = this.#sequence + 1
    const starts = requests.map(request => {
      const start = out.length
      const sequence = ++this.#sequence
      writeMessage(out, request.type, {
        flags: NLM_F_REQUEST | flags | request.flags,
        sequence,
        value: request.value as never,
      })
      return start
    })
    const bytes = out.written()
    this.#trace?.('send', bytes, this.protocol)
    writeDatagram(this.fd, bytes)
    return { bytes, starts, first }
  }

  /** The messages of one datagram. A dump's are decoded before the next read, so they may share the buffer. */
  #receive(): Iterable<Message> {
    const datagram = readDatagram(this.fd, this.#buffer)
    this.#trace?.('receive', datagram, this.protocol)
    return readMessages(datagram)
  }
}

/** The error that an NLMSG_ERROR or NLMSG_DONE carries for `request`, or undefined where it says success. */
export function refusal(type: Sendable, answer: Message, request: Uint8Array): NetlinkError | undefined {
  const acknowledgement = readAcknowledgement(answer)
  if (acknowledgement.error === 0) return undefined
  const { offset } = acknowledgement
  const path = offset === undefined ? [] : type.locate(request, offset)
  return new NetlinkError(type.name, acknowledgement, path.length > 0 ? path.join('.') : undefined)
}
