// A connection to the system's message bus: calls, one after the other, or signals.
import { connect, type Socket } from 'node:net'
import { asTnetError, TnetError } from '../../errors.ts'
import { type Call, decodeReply, encodeCall, messageLength, type Reply } from './message.ts'

const DEFAULT = 'unix:path=/run/dbus/system_bus_socket'
/** A service may be busy with its own start. */
const ANSWER_MILLISECONDS = 30_000
const BUS = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
} as const

/** What a call was refused with: `name` of D-Bus, and the words of the service. */
export class BusError extends Error {
  constructor(name: string, words: string) {
    super(words)
    this.name = name
  }
}

export class Bus implements Disposable {
  readonly #socket: Socket
  #received: Uint8Array = new Uint8Array()
  #serial = 0
  #failed: unknown
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    const fail = (error: unknown) => {
      this.#failed ??= error
      this.#wake()
    }
    socket.setTimeout(ANSWER_MILLISECONDS, () => fail(new Error('there is no answer in time')))
    socket.on('error', fail)
    socket.on('close', () => fail(new Error('the connection was closed')))
    socket.on('data', (bytes: Uint8Array) => {
      this.#received = Buffer.concat([this.#received, bytes])
      this.#wake()
    })
  }

  /** `address` is that of DBUS_SYSTEM_BUS_ADDRESS; left out, the one that every system has. Throws UNAVAILABLE. */
  static async open(address: string = DEFAULT): Promise<Bus> {
    const bus = new Bus(connect({ path: pathOf(address) }))
    try {
      // Who we are the kernel tells the bus; there is nothing to add.
      bus.#socket.write('\0AUTH EXTERNAL\r\nDATA\r\n')
      for (let line = ''; !line.startsWith('OK');) {
        line = await bus.#line()
        if (line.startsWith('REJECTED') || line.startsWith('ERROR')) throw new Error(line)
      }
      bus.#socket.write('BEGIN\r\n')
      await bus.call({ ...BUS, member: 'Hello', arguments: [] })
      return bus
    } catch (error) {
      bus[Symbol.dispose]()
      const { message } = asTnetError(error)
      throw new TnetError('UNAVAILABLE', `D-Bus at ${address}: ${message}`, 'is it running?', {
        cause: error,
      })
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  async hasOwner(name: string): Promise<boolean> {
    const [found] = await this.call({ ...BUS, member: 'NameHasOwner', arguments: [name] })
    return found === true
  }

  /** The values of the answer. Throws BusError. */
  async call(call: Call): Promise<readonly unknown[]> {
    const serial = ++this.#serial
    this.#socket.write(encodeCall(call, serial))
    for (;;) {
      const reply = await this.#reply()
      if (reply?.to !== serial) continue
      if (reply.error !== undefined) throw new BusError(reply.error, String(reply.body[0] ?? ''))
      return reply.body
    }
  }

  /**
   * Subscribes to what `rules` describe, as `AddMatch` has them. The function that it answers with waits for the next
   * message; nothing else can be asked on this connection then.
   */
  async subscribe(rules: readonly string[]): Promise<() => Promise<void>> {
    for (const rule of rules) await this.call({ ...BUS, member: 'AddMatch', arguments: [rule] })
    this.#socket.setTimeout(0)
    return async () => {
      try {
        await this.#reply()
      } catch (error) {
        throw new TnetError('UNAVAILABLE', `D-Bus: ${asTnetError(error).message}`, '', { cause: error })
      }
    }
  }

  async #reply(): Promise<Reply | undefined> {
    const length = await this.#until(bytes => {
      const whole = messageLength(bytes)
      return whole !== undefined && bytes.length >= whole ? whole : undefined
    })
    return decodeReply(this.#take(length))
  }

  async #line(): Promise<string> {
    const end = await this.#until(bytes => {
      const at = bytes.indexOf(0x0a)
      return at < 0 ? undefined : at + 1
    })
    return Buffer.from(this.#take(end)).toString().trim()
  }

  #take(length: number): Uint8Array {
    const taken = this.#received.slice(0, length)
    this.#received = this.#received.subarray(length)
    return taken
  }

  /** Waits for bytes until `found` has what it looks for. */
  async #until(found: (bytes: Uint8Array) => number | undefined): Promise<number> {
    for (;;) {
      const length = found(this.#received)
      if (length !== undefined) return length
      if (this.#failed !== undefined) throw this.#failed
      await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }
}

/** The socket of the first address that is one of a file or of the abstract namespace. */
function pathOf(address: string): string {
  for (const one of address.split(';')) {
    const [, kind, value] = /^unix:(?:.*,)?(path|abstract)=([^,]*)/.exec(one) ?? []
    if (value !== undefined) return (kind === 'abstract' ? '\0' : '') + decodeURIComponent(value)
  }
  throw new TnetError('UNAVAILABLE', `D-Bus at ${address}: want unix:path=...`)
}
