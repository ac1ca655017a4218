// What the kernel tells of its own accord: changes of links, addresses, routes and so on, as they happen.
import { close, read } from 'node:fs'
import { promisify } from 'node:util'
import { errnoCode } from '../errors.ts'
import { attributes } from '../wire/attributes.ts'
import { type Reader, Writer } from '../wire/bytes.ts'
import { message, NLM_F_ACK, NLM_F_REQUEST, readMessages, writeMessage } from '../wire/message.ts'
import { struct } from '../wire/struct.ts'
import { openNetlink, receiveBuffer, receiveTimeout, writeDatagram } from './descriptor.ts'
import type { SocketOptions } from './socket.ts'

/** What reading needs of a MessageType. */
export interface Readable {
  readonly name: string
  readonly type: number
  decode(payload: Reader): unknown
  locate?(message: Uint8Array, offset: number): string[]
}

/** Something to be told of: multicast groups, and the messages that they carry. */
export interface Subject {
  readonly protocol: number
  readonly groups: readonly number[]
  readonly types: readonly Readable[]
  /** Where it is given, only the messages whose payload begins with this byte: others of a type have other tables. */
  readonly family?: number | undefined
}

type EventOf<M> = M extends { readonly name: infer N; decode(payload: Reader): infer V }
  ? { readonly name: N; readonly value: V }
  : never

/**
 * A message of the kernel, by its name: RTM_NEWLINK; or `lost`: the kernel had more to tell than the socket could hold,
 * so that what the caller knows is out of date until it looks again.
 */
export type MonitorEvent<S extends Subject> = EventOf<S['types'][number]> | { readonly name: 'lost' }

export interface MonitorOptions extends Pick<SocketOptions, 'netns' | 'trace'> {
  /** Room for unread messages in bytes; 1 MiB where left out. */
  readonly buffer?: number | undefined
}

const noop = message('NLMSG_NOOP', 1, struct({}), attributes({}))
/** A process that ends in the middle of a read waits for it: as long as nobody will mind. */
const READ_MILLISECONDS = 250
/** The largest datagram that the kernel sends. */
const BUFFER = 64 * 1024

const closeFd = promisify(close)

function readFd(fd: number, buffer: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.length, null, (error, length) =>
      error === null ? resolve(length) : reject(error),
    )
  })
}

/**
 * Listens from the moment that it is made: make it, look at what is there, then read the events.
 *
 * ```ts
 * await using monitor = new Monitor({}, links, addresses)
 * for await (const event of monitor) console.log(event.name)
 * ```
 * The subjects have to be of one protocol. Reading happens in Node's thread pool, of which each monitor takes one
 * thread. One loop at a time may read; another throws TypeError.
 */
export class Monitor<const S extends readonly Subject[]>
  implements AsyncIterable<MonitorEvent<S[number]>>, AsyncDisposable
{
  readonly #fd: number
  readonly #protocol: number
  readonly #subjects: S
  readonly #trace: SocketOptions['trace']
  readonly #buffer = new Uint8Array(BUFFER)
  #reading: Promise<void> | undefined
  #closed: Promise<void> | undefined

  /** Throws SystemError, and TypeError where there is not one protocol. */
  constructor(options: MonitorOptions, ...subjects: S) {
    const [protocol, ...more] = new Set(subjects.map(subject => subject.protocol))
    if (protocol === undefined || more.length > 0) throw new TypeError('want subjects, all of one protocol')
    const groups = new Set(subjects.flatMap(subject => subject.groups))
    this.#protocol = protocol
    this.#subjects = subjects
    this.#trace = options.trace
    this.#fd = openNetlink(protocol, [...groups], options.netns)
    receiveBuffer(this.#fd, options.buffer ?? 1024 * 1024)
    receiveTimeout(this.#fd, READ_MILLISECONDS)
  }

  /** Throws DecodeError where a message does not fit its table; the next call goes on after it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<MonitorEvent<S[number]>, void, undefined> {
    while (this.#closed === undefined) {
      const datagram = await this.#read()
      if (datagram === 'lost') yield { name: 'lost' }
      else for (const event of this.#events(datagram)) yield event
    }
  }

  /** Ends the loop that reads, after the events that it has. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#wake()
    await this.#reading
    await closeFd(this.#fd)
  }

  /** The kernel acknowledges even what says nothing: the read returns at once. If not, then at its timeout. */
  #wake(): void {
    const out = new Writer()
    writeMessage(out, noop, { flags: NLM_F_REQUEST | NLM_F_ACK, sequence: 0, value: {} })
    try {
      writeDatagram(this.#fd, out.written())
    } catch (error) {
      if (errnoCode(error) === undefined) throw error
    }
  }

  async #read(): Promise<Uint8Array | 'lost'> {
    if (this.#reading !== undefined) throw new TypeError('another loop reads this monitor')
    const reading = readFd(this.#fd, this.#buffer)
    this.#reading = reading.then(
      () => {},
      () => {},
    )
    try {
      const length = await reading
      const datagram = this.#buffer.slice(0, length)
      this.#trace?.('receive', datagram, this.#protocol)
      return datagram
    } catch (error) {
      const code = errnoCode(error)
      if (code === 'ENOBUFS') return 'lost'
      if (code === 'EAGAIN' || code === 'EINTR') return Uint8Array.of()
      throw error
    } finally {
      this.#reading = undefined
    }
  }

  *#events(datagram: Uint8Array): Generator<MonitorEvent<S[number]>> {
    for (const { type, payload } of readMessages(datagram)) {
      for (const subject of this.#subjects) {
        if (subject.family !== undefined && payload.bytes[payload.offset] !== subject.family) continue
        const found = subject.types.find(each => each.type === type)
        if (found === undefined) continue
        yield { name: found.name, value: found.decode(payload) } as MonitorEvent<S[number]>
        break
      }
    }
  }
}
