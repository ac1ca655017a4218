// Netlink messages: the header, and the pair of fixed header and attribute table that each request is.
//
//   struct nlmsghdr { __u32 nlmsg_len; __u16 nlmsg_type; __u16 nlmsg_flags; __u32 nlmsg_seq; __u32 nlmsg_pid; }
import { Reader, type Writer } from './bytes.ts'
import { type Codec, i32, string, u16, u32 } from './codec.ts'
import { attributes } from './attributes.ts'
import { struct, type StructCodec, withHeader } from './struct.ts'

export const NLM_F_REQUEST = 0x1
export const NLM_F_MULTI = 0x2
export const NLM_F_ACK = 0x4
export const NLM_F_DUMP_INTR = 0x10
export const NLM_F_CAPPED = 0x100 // in an acknowledgement: the request is not echoed
export const NLM_F_ACK_TLVS = 0x200 // in an acknowledgement: extended-ack attributes follow
export const NLM_F_REPLACE = 0x100
export const NLM_F_EXCL = 0x200
export const NLM_F_CREATE = 0x400
export const NLM_F_APPEND = 0x800
export const NLM_F_DUMP = 0x300
export const NLM_F_NONREC = 0x100 // in a deletion: not what is inside

export const NLMSG_ERROR = 2
export const NLMSG_DONE = 3

export const HEADER_SIZE = 16
const nlmsghdr = struct({ length: u32, type: u16, flags: u16, sequence: u32, port: u32 })

export interface Message {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly port: number
  /** What follows the header. */
  readonly payload: Reader
}

/**
 * A kind of message. Its value holds the fields of the fixed header and the attributes side by side; a request may
 * leave out any field of the header.
 */
export interface MessageType<Header, Body, Name extends string = string> {
  /** The kernel's name: RTM_NEWLINK. */
  readonly name: Name
  readonly type: number
  encode(out: Writer, value: Partial<Header> & Body): void
  decode(payload: Reader): Header & Body
  /** The names of the attributes around the byte `offset` of the whole message, its nlmsghdr included. */
  locate(message: Uint8Array, offset: number): string[]
}

/** What a message says once decoded. */
export type ValueOfMessage<M> = M extends MessageType<infer H, infer B> ? H & B : never
/** What a request of this type may say. */
export type RequestOf<M> = M extends MessageType<infer H, infer B> ? Partial<H> & B : never

export function message<H, B, const N extends string>(
  name: N,
  type: number,
  header: StructCodec<H>,
  body: Codec<B>,
): MessageType<H, B, N> {
  const record = withHeader(header, body)
  return {
    name,
    type,
    encode: record.encode,
    decode: payload => record.decode(payload.slice(payload.left, name)),
    locate: (bytes, offset) => record.locate(new Reader(bytes, [name], HEADER_SIZE), offset),
  }
}

/** Appends one message, nlmsghdr first, to `out`. */
export function writeMessage(
  out: Writer,
  kind: { readonly type: number; encode(out: Writer, value: never): void },
  { flags, sequence, value }: { flags: number; sequence: number; value: unknown },
): void {
  const start = out.reserve(HEADER_SIZE)
  kind.encode(out, value as never)
  const end = out.length
  out.length = start
  nlmsghdr.encode(out, { length: end - start, type: kind.type, flags, sequence, port: 0 })
  out.length = end
  out.align(4)
}

/** The messages in one datagram. Throws DecodeError where a length does not fit. */
export function* readMessages(datagram: Uint8Array): Generator<Message> {
  const input = new Reader(datagram)
  while (input.left >= HEADER_SIZE) {
    const { length, type, flags, sequence, port } = nlmsghdr.decode(input)
    if (length < HEADER_SIZE) throw input.error(`message of type ${type} claims ${length} bytes`)
    const payload = input.slice(length - HEADER_SIZE)
    yield { type, flags, sequence, port, payload }
    input.take(Math.min((4 - (length % 4)) % 4, input.left))
  }
  if (input.left > 0) throw input.error(`${input.left} stray bytes after the last message`)
}

/** enum nlmsgerr_attrs, include/uapi/linux/netlink.h */
const extendedAck = attributes({ message: [1, string], offset: [2, u32] })

export interface Acknowledgement {
  /** 0, or a negative errno. */
  readonly error: number
  /** The kernel's own words. */
  readonly message: string | undefined
  /** Where in the request the attribute stands that it refused. */
  readonly offset: number | undefined
}

/**
 * Decodes NLMSG_ERROR, struct nlmsgerr { int error; struct nlmsghdr msg; } with the echo of the request and the
 * extended-ack attributes; or NLMSG_DONE, the end of a dump, which is the error and the attributes alone.
 */
export function readAcknowledgement({ type, payload, flags }: Message): Acknowledgement {
  const error = i32.decode(payload)
  if ((flags & NLM_F_ACK_TLVS) === 0) return { error, message: undefined, offset: undefined }
  if (type === NLMSG_ERROR) {
    const { length } = nlmsghdr.decode(payload)
    const echo = (flags & NLM_F_CAPPED) === 0 ? Math.max(0, ((length + 3) & ~3) - HEADER_SIZE) : 0
    payload.take(Math.min(echo, payload.left))
  }
  const { message: words, offset } = extendedAck.decode(payload)
  return { error, message: words, offset }
}
