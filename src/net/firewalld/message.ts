// Messages of D-Bus, as far as calls with texts need them: the D-Bus specification, "Message Protocol".

/** What a call is answered with: values by their signature, or an error. */
export interface Reply {
  /** The serial of the call. */
  readonly to: number
  /** `org.freedesktop.DBus.Error.NameHasNoOwner`; undefined where it is no error. */
  readonly error: string | undefined
  readonly body: readonly unknown[]
}

export interface Call {
  readonly destination: string
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly arguments: readonly string[]
}

const LITTLE_ENDIAN = 0x6c // 'l'
const TYPES = { call: 1, answer: 2, error: 3 } as const
const FIELDS = {
  path: 1,
  interface: 2,
  member: 3,
  error: 4,
  replySerial: 5,
  destination: 6,
  signature: 8,
} as const
const VERSION = 1
/** Type, length, serial and the length of the fields. */
const FIXED = 16
const ALIGNMENT = 8

const padded = (length: number, to: number): number => Math.ceil(length / to) * to

class Marshal {
  #bytes: number[] = []

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }

  align(to: number): void {
    while (this.#bytes.length % to !== 0) this.#bytes.push(0)
  }

  u8(value: number): void {
    this.#bytes.push(value)
  }

  u32(value: number): void {
    this.align(4)
    for (let shift = 0; shift < 32; shift += 8) this.#bytes.push((value >>> shift) & 0xff)
  }

  text(value: string): void {
    const octets = new TextEncoder().encode(value)
    this.u32(octets.length)
    this.#bytes.push(...octets, 0)
  }

  signature(value: string): void {
    this.#bytes.push(value.length, ...new TextEncoder().encode(value), 0)
  }
}

/** A call as bytes. `serial` is any number but 0 that no other call of the connection has. */
export function encodeCall(call: Call, serial: number): Uint8Array {
  const body = new Marshal()
  for (const text of call.arguments) body.text(text)
  const fields = new Marshal()
  const field = (code: number, type: 'o' | 's' | 'g', value: string) => {
    fields.align(ALIGNMENT)
    fields.u8(code)
    fields.signature(type)
    if (type === 'g') fields.signature(value)
    else fields.text(value)
  }
  field(FIELDS.path, 'o', call.path)
  field(FIELDS.interface, 's', call.interface)
  field(FIELDS.member, 's', call.member)
  field(FIELDS.destination, 's', call.destination)
  if (call.arguments.length > 0) field(FIELDS.signature, 'g', 's'.repeat(call.arguments.length))
  const head = new Marshal()
  for (const octet of [LITTLE_ENDIAN, TYPES.call, 0, VERSION]) head.u8(octet)
  head.u32(body.bytes.length)
  head.u32(serial)
  head.u32(fields.bytes.length)
  // The fields begin at 16, so that their alignment is that of the message.
  const start = padded(FIXED + fields.bytes.length, ALIGNMENT)
  const whole = new Uint8Array(start + body.bytes.length)
  whole.set(head.bytes)
  whole.set(fields.bytes, FIXED)
  whole.set(body.bytes, start)
  return whole
}

/** The length of the message that `bytes` begin with, or undefined while too few of them are there to say. */
export function messageLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < FIXED) return undefined
  const unmarshal = new Unmarshal(bytes)
  return padded(FIXED + unmarshal.u32At(12), ALIGNMENT) + unmarshal.u32At(4)
}

/** The answer in a whole message; undefined where it is none, such as a signal. Throws RangeError at damaged bytes. */
export function decodeReply(message: Uint8Array): Reply | undefined {
  const unmarshal = new Unmarshal(message)
  const type = message[1]
  if (type !== TYPES.answer && type !== TYPES.error) return undefined
  const end = FIXED + unmarshal.u32At(12)
  const fields = new Map<number, unknown>()
  unmarshal.offset = FIXED
  while (unmarshal.offset < end) {
    unmarshal.align(ALIGNMENT)
    const code = unmarshal.u8()
    fields.set(code, unmarshal.values(unmarshal.signature())[0])
  }
  unmarshal.offset = padded(end, ALIGNMENT)
  const body = unmarshal.values(String(fields.get(FIELDS.signature) ?? ''))
  const error = type === TYPES.error ? String(fields.get(FIELDS.error)) : undefined
  return { to: Number(fields.get(FIELDS.replySerial)), error, body }
}

/** Reads texts, numbers, truth values and lists of them; what comes after anything else is not read. */
class Unmarshal {
  offset = 0
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #little: boolean

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#little = bytes[0] === LITTLE_ENDIAN
  }

  u32At(offset: number): number {
    return this.#view.getUint32(offset, this.#little)
  }

  align(to: number): void {
    this.offset = padded(this.offset, to)
  }

  u8(): number {
    return this.#view.getUint8(this.offset++)
  }

  u32(): number {
    this.align(4)
    this.offset += 4
    return this.u32At(this.offset - 4)
  }

  #text(length: number): string {
    const end = this.offset + length
    if (end >= this.#bytes.length) throw new RangeError(`a text of ${length} bytes ends after the message`)
    const text = new TextDecoder().decode(this.#bytes.subarray(this.offset, end))
    this.offset = end + 1
    return text
  }

  signature(): string {
    return this.#text(this.u8())
  }

  values(signature: string): unknown[] {
    const values: unknown[] = []
    for (let at = 0; at < signature.length; at++) {
      const type = signature[at]
      if (type === 's' || type === 'o') values.push(this.#text(this.u32()))
      else if (type === 'g') values.push(this.signature())
      else if (type === 'u' || type === 'i') values.push(this.u32())
      else if (type === 'b') values.push(this.u32() !== 0)
      else if (type === 'a' && signature[at + 1] === 's') {
        values.push(this.#list())
        at++
      } else return values
    }
    return values
  }

  #list(): string[] {
    const length = this.u32()
    const end = this.offset + length
    const list: string[] = []
    while (this.offset < end) list.push(this.#text(this.u32()))
    return list
  }
}
