// Values <-> bytes: the scalar codecs that the tables of src/netlink are made of.
import { type Reader, Writer } from './bytes.ts'

/** One shape of bytes. `decode` takes all that the reader holds, or as much as its fixed `size`. */
export interface Codec<T> {
  /** Bytes that every value takes, where that is fixed. */
  readonly size?: number
  encode(out: Writer, value: NoInfer<T>): void
  decode(input: Reader): T
  /** The names of the attributes around `offset`, outermost first; used to explain a kernel's refusal. */
  locate?(input: Reader, offset: number): string[]
}

export type ValueOf<C> = C extends { decode(input: Reader): infer T } ? T : never

/** Netlink's numbers are in the byte order of the machine; those in network order say so in their name. */
const HOST = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** A codec whose values all take as many bytes. */
export interface Fixed<T> extends Codec<T> {
  readonly size: number
}

/** Whole numbers of `size` bytes. Encoding throws RangeError at what does not fit: a cut number is another number. */
function whole(
  size: number,
  signed: boolean,
  set: (view: DataView, offset: number, value: number) => void,
  get: (view: DataView, offset: number) => number,
): Fixed<number> {
  const least = signed ? -(2 ** (8 * size - 1)) : 0
  const most = 2 ** (signed ? 8 * size - 1 : 8 * size) - 1
  return {
    size,
    encode: (out, value) => {
      if (!(value >= least && value <= most && Number.isInteger(value))) {
        throw new RangeError(`want a whole number from ${least} to ${most}, got ${value}`)
      }
      const offset = out.reserve(size)
      set(out.view, offset, value)
    },
    decode: input => get(input.view, input.take(size)),
  }
}

function whole64(littleEndian: boolean): Fixed<bigint> {
  return {
    size: 8,
    encode: (out, value) => {
      if (value < 0n || value > 0xffff_ffff_ffff_ffffn) {
        throw new RangeError(`want a whole number of 64 bits, got ${value}`)
      }
      const offset = out.reserve(8)
      out.view.setBigUint64(offset, value, littleEndian)
    },
    decode: input => input.view.getBigUint64(input.take(8), littleEndian),
  }
}

export const u8 = whole(
  1,
  false,
  (v, o, n) => v.setUint8(o, n),
  (v, o) => v.getUint8(o),
)
export const u16 = whole(
  2,
  false,
  (v, o, n) => v.setUint16(o, n, HOST),
  (v, o) => v.getUint16(o, HOST),
)
export const u32 = whole(
  4,
  false,
  (v, o, n) => v.setUint32(o, n, HOST),
  (v, o) => v.getUint32(o, HOST),
)
export const u64 = whole64(HOST)
export const i8 = whole(
  1,
  true,
  (v, o, n) => v.setInt8(o, n),
  (v, o) => v.getInt8(o),
)
export const i32 = whole(
  4,
  true,
  (v, o, n) => v.setInt32(o, n, HOST),
  (v, o) => v.getInt32(o, HOST),
)
export const be16 = whole(
  2,
  false,
  (v, o, n) => v.setUint16(o, n),
  (v, o) => v.getUint16(o),
)
export const be32 = whole(
  4,
  false,
  (v, o, n) => v.setUint32(o, n),
  (v, o) => v.getUint32(o),
)
export const be64 = whole64(false)

/** A number of 4 bytes where it fits, else of 8: NLA_UINT. */
export const uint: Codec<bigint> = {
  encode: (out, value) => (value <= 0xffffffffn ? u32.encode(out, Number(value)) : u64.encode(out, value)),
  decode: input => (input.left === 4 ? BigInt(u32.decode(input)) : u64.decode(input)),
}

/** A byte that is 0 or 1. */
export const bool: Codec<boolean> = {
  size: 1,
  encode: (out, value) => u8.encode(out, value ? 1 : 0),
  decode: input => u8.decode(input) !== 0,
}

/** An attribute without payload: its presence is the value. */
export const flag: Codec<true> = { size: 0, encode: () => {}, decode: () => true }

/** Bytes as they are. */
export const bytes: Codec<Uint8Array> = {
  encode: (out, value) => out.write(value),
  decode: input => input.rest(),
}

const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() }

/** A string that ends with NUL. What follows a NUL is not read; encoding throws TypeError where one is inside. */
export const string: Codec<string> = {
  encode: (out, value) => {
    if (value.includes('\0')) throw new TypeError(`${JSON.stringify(value)} has a NUL inside`)
    out.write(utf8.encoder.encode(value))
    out.reserve(1)
  },
  decode: input => {
    const all = input.rest()
    const nul = all.indexOf(0)
    return utf8.decoder.decode(nul < 0 ? all : all.subarray(0, nul))
  },
}

const OCTETS = /^(?:[0-9a-f]{2}(?::[0-9a-f]{2})*)?$/i

/** A link-layer address of any length: `02:42:ac:11:00:02`. */
export const mac: Codec<string> = {
  encode: (out, value) => {
    if (!OCTETS.test(value)) throw new TypeError(`"${value}" is no link-layer address`)
    if (value === '') return
    for (const octet of value.split(':')) u8.encode(out, parseInt(octet, 16))
  },
  decode: input => macText(input.rest()),
}

/** `02:42:ac:11:00:02` */
export function macText(octets: Uint8Array): string {
  let text = ''
  for (const octet of octets) text += `${text === '' ? '' : ':'}${octet < 16 ? '0' : ''}${octet.toString(16)}`
  return text
}

/** Applies `codec` to a value that is shown in another form. */
export function mapped<A, B>(codec: Codec<A>, to: (wire: A) => B, from: (value: B) => A): Codec<B> {
  return {
    ...(codec.size === undefined ? {} : { size: codec.size }),
    ...(codec.locate === undefined ? {} : { locate: codec.locate }),
    encode: (out, value) => codec.encode(out, from(value)),
    decode: input => to(codec.decode(input)),
  }
}

/** One of a few names for a number: `enumeration(u32, { private: 1, vepa: 2 })`. Numbers without a name stay numbers. */
export function enumeration<const N extends string>(
  codec: Codec<number>,
  names: Readonly<Record<N, number>>,
): Codec<N | number> {
  let byNumber: Map<number, N> | undefined
  return mapped<number, N | number>(
    codec,
    number => {
      byNumber ??= new Map(Object.entries<number>(names).map(([name, each]) => [each, name as N]))
      return byNumber.get(number) ?? number
    },
    value => {
      if (typeof value === 'number') return value
      if (!Object.hasOwn(names, value))
        throw new TypeError(`want one of ${Object.keys(names).join(', ')}, got "${value}"`)
      return names[value]
    },
  )
}

const BITS = /^0x[0-9a-f]+$/

/** A set of names for the bits of a number. Bits without a name appear as `0x...`. */
export function flagSet<const N extends string>(
  codec: Codec<number>,
  bits: Readonly<Record<N, number>>,
): Codec<ReadonlySet<N | `0x${string}`>> {
  return mapped(
    codec,
    number => {
      const names = new Set<N | `0x${string}`>()
      let left = number
      for (const name in bits) {
        if ((number & bits[name]) !== 0) {
          names.add(name)
          left &= ~bits[name]
        }
      }
      if (left !== 0) names.add(`0x${(left >>> 0).toString(16)}`)
      return names
    },
    names => {
      let number = 0
      for (const name of names) {
        if (Object.hasOwn(bits, name)) number |= bits[name as N]
        else if (BITS.test(name)) number |= Number(name)
        else throw new TypeError(`want some of ${Object.keys(bits).join(', ')}, got "${name}"`)
      }
      return number >>> 0
    },
  )
}

export function encode<T>(codec: Codec<T>, value: { [K in keyof T]: T[K] }): Uint8Array {
  const out = new Writer()
  codec.encode(out, value)
  return out.bytes.slice(0, out.length)
}
