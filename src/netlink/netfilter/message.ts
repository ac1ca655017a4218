// The header of every netfilter message, and the numbers of nf_tables' operations.
import type { Codec } from '../../wire/codec.ts'
import { be16, be32, enumeration, u8 } from '../../wire/codec.ts'
import { message, type MessageType } from '../../wire/message.ts'
import { struct } from '../../wire/struct.ts'

/** NFPROTO_*, include/uapi/linux/netfilter.h. In attributes it takes 32 bits. */
const FAMILIES = { unspec: 0, inet: 1, ip: 2, arp: 3, netdev: 5, bridge: 7, ip6: 10 } as const
export type Family = keyof typeof FAMILIES
export const family = enumeration(u8, FAMILIES)
export const family32 = enumeration(be32, FAMILIES)

/** struct nfgenmsg { __u8 nfgen_family; __u8 version; __be16 res_id; } */
export const nfgenmsg = struct({ family, version: u8, resourceId: be16 })

export interface Nfgenmsg {
  readonly family: Family | number
  readonly version: number
  /** Of an answer: the lower 16 bits of the ruleset's generation. Of a batch: the subsystem. */
  readonly resourceId: number
}

export const NFNL_SUBSYS_NFTABLES = 10

/** A message of nf_tables: `operation` is its place in enum nf_tables_msg_types. */
export function nftMessage<B>(name: string, operation: number, body: Codec<B>): MessageType<Nfgenmsg, B> {
  return message(name, (NFNL_SUBSYS_NFTABLES << 8) | operation, nfgenmsg, body)
}
