// The header of every message of generic netlink, whose families have numbers that the kernel gives out.
import type { Codec } from '../../wire/codec.ts'
import { u8 } from '../../wire/codec.ts'
import { message, type MessageType } from '../../wire/message.ts'
import { pad, struct, type StructCodec } from '../../wire/struct.ts'

export interface Genlmsghdr {
  /** What the message is, among those of its family and its direction. */
  readonly command: number
  readonly version: number
}

/** struct genlmsghdr { __u8 cmd; __u8 version; __u16 reserved; } */
const genlmsghdr: StructCodec<Genlmsghdr> = struct({ command: u8, version: u8, reserved: pad(2) })

/**
 * A message of the family with the number `family`, as `familyOf` finds it out. Requests leave command and version out.
 */
export function genericMessage<B, const N extends string>(
  name: N,
  { family, command, version = 1 }: { family: number; command: number; version?: number },
  body: Codec<B>,
): MessageType<Genlmsghdr, B, N> {
  const header: typeof genlmsghdr = {
    ...genlmsghdr,
    encode: (out, value) => genlmsghdr.encode(out, { command, version, ...value }),
  }
  return message(name, family, header, body)
}
