// The types of keys and values as nft calls and numbers them, and their text <-> bytes.
// The kernel stores the number of a type and does not look at it; nft shows a set by it.
import { address } from '../../wire/address.ts'
import { Reader, Writer } from '../../wire/bytes.ts'
import { be16, type Codec, enumeration, mac, string, u32, u8 } from '../../wire/codec.ts'

interface DataType {
  readonly id: number
  /** Bytes. */
  readonly size: number
  readonly order: 'host' | 'network' | 'none'
  readonly codec: Codec<string> | Codec<number> | Codec<string | number>
}

/** A name that fills its field with zeros. */
const IFNAMSIZ = 16
const interfaceName: Codec<string> = {
  size: IFNAMSIZ,
  encode: (out, value) => {
    const start = out.length
    string.encode(out, value)
    const used = out.length - start
    if (used > IFNAMSIZ) throw new RangeError(`interface name ${value}: at most ${IFNAMSIZ - 1} bytes fit`)
    out.reserve(IFNAMSIZ - used)
  },
  decode: string.decode,
}

const protocol = enumeration(u8, { icmp: 1, tcp: 6, udp: 17, dccp: 33, icmpv6: 58, sctp: 132, udplite: 136 })

export const dataTypes = {
  ipv4_addr: { id: 7, size: 4, order: 'network', codec: address },
  ipv6_addr: { id: 8, size: 16, order: 'network', codec: address },
  ether_addr: { id: 9, size: 6, order: 'host', codec: mac },
  ether_type: { id: 10, size: 2, order: 'network', codec: be16 },
  inet_proto: { id: 12, size: 1, order: 'network', codec: protocol },
  inet_service: { id: 13, size: 2, order: 'network', codec: be16 },
  mark: { id: 19, size: 4, order: 'host', codec: u32 },
  ifname: { id: 41, size: IFNAMSIZ, order: 'host', codec: interfaceName },
} as const satisfies Record<string, DataType>

export type TypeName = keyof typeof dataTypes

/** Bits that a type takes in the number of a concatenation. */
const TYPE_BITS = 6
const REGISTER = 4

const padded = (size: number): number => Math.ceil(size / REGISTER) * REGISTER

/** The number of one type, or of a concatenation. */
export function typeNumber(types: readonly TypeName[]): number {
  return types.reduce((number, type) => (number << TYPE_BITS) | dataTypes[type].id, 0)
}

/** The bytes of a value; in a concatenation each part is padded to 4. */
export function typeLength(types: readonly TypeName[]): number {
  const [first] = types
  if (types.length === 1 && first !== undefined) return dataTypes[first].size
  return types.reduce((sum, type) => sum + padded(dataTypes[type].size), 0)
}

/** The bytes of each part. */
export function partLengths(types: readonly TypeName[]): number[] {
  return types.map(type => dataTypes[type].size)
}

/** How nft keeps the byte order of one type; of a concatenation it says none. */
export function byteOrder(types: readonly TypeName[]): DataType['order'] {
  const [first] = types
  return types.length === 1 && first !== undefined ? dataTypes[first].order : 'none'
}

/** `encodeKey(['ifname', 'ether_addr'], ['veth0', '02:00:00:00:00:01'])` */
export function encodeKey(types: readonly TypeName[], values: readonly (string | number)[]): Uint8Array {
  const out = new Writer(64)
  types.forEach((type, index) => {
    const { codec, size }: DataType = dataTypes[type]
    const start = out.length
    codec.encode(out, values[index] as never)
    if (out.length - start !== size) {
      throw new RangeError(`${type} ${values[index]}: want ${size} bytes, got ${out.length - start}`)
    }
    if (types.length > 1) out.align(REGISTER)
  })
  return out.written().slice()
}

/** The parts of a key. Throws DecodeError where the bytes are not of these types. */
export function decodeKey(types: readonly TypeName[], bytes: Uint8Array): (string | number)[] {
  const input = new Reader(bytes)
  const values = types.map(type => {
    const { codec, size }: DataType = dataTypes[type]
    const value = codec.decode(input.slice(size, type))
    if (types.length > 1) input.take(padded(size) - size)
    return value
  })
  if (input.left > 0) throw input.error(`${input.left} bytes too many`)
  return values
}

/** A key of parts that are bytes already. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Writer(64)
  for (const part of parts) {
    out.write(part)
    out.align(REGISTER)
  }
  return out.written().slice()
}

/** The bytes of each part of a concatenation. Throws DecodeError where they are not of these types. */
export function splitKey(types: readonly TypeName[], bytes: Uint8Array): Uint8Array[] {
  const input = new Reader(bytes)
  return types.map(type => {
    const { size } = dataTypes[type]
    const part = input.slice(size, type).rest()
    input.take(padded(size) - size)
    return part
  })
}
