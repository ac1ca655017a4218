// What the kernel remembers of connections: IPCTNL_MSG_CT_NEW and its kin.
import { attributes, nested } from '../../wire/attributes.ts'
import { be16, be32, bytes, flagSet, u32 } from '../../wire/codec.ts'
import { message, type RequestOf, type ValueOfMessage } from '../../wire/message.ts'
import { nfgenmsg } from '../netfilter/message.ts'
import { tuple } from './tuple.ts'

const NFNL_SUBSYS_CTNETLINK = 1

/** IPS_*, include/uapi/linux/netfilter/nf_conntrack_common.h */
const status = flagSet(be32, {
  expected: 0x1,
  seenReply: 0x2,
  assured: 0x4,
  confirmed: 0x8,
  snat: 0x10,
  dnat: 0x20,
  sequenceAdjusted: 0x40,
  snatDone: 0x80,
  dnatDone: 0x100,
  dying: 0x200,
  fixedTimeout: 0x400,
  template: 0x800,
  untracked: 0x1000,
  helper: 0x2000,
  offload: 0x4000,
  hardwareOffload: 0x8000,
})

/** CTA_FILTER_F_*, net/netfilter/nf_conntrack_netlink.c: which attributes of a tuple a dump goes by. */
const filtered = flagSet(u32, {
  ipSource: 0x1,
  ipDestination: 0x2,
  zone: 0x4,
  number: 0x8,
  sourcePort: 0x10,
  destinationPort: 0x20,
  icmpType: 0x40,
  icmpCode: 0x80,
  icmpId: 0x100,
  icmpv6Type: 0x200,
  icmpv6Code: 0x400,
  icmpv6Id: 0x800,
})

/** What we do not read is kept as it is. */
const kept = nested(attributes({}))

/** CTA_* */
const connection = attributes({
  original: [1, nested(tuple)],
  reply: [2, nested(tuple)],
  status: [3, status],
  protocolInfo: [4, kept],
  help: [5, kept],
  /** Seconds until it is forgotten. */
  timeout: [7, be32],
  mark: [8, be32],
  originalCounters: [9, kept],
  replyCounters: [10, kept],
  use: [11, be32],
  id: [12, be32],
  master: [14, nested(tuple)],
  zone: [18, be16],
  securityContext: [19, kept],
  timestamp: [20, kept],
  markMask: [21, be32],
  labels: [22, bytes],
  synproxy: [24, nested(attributes({ initial: [1, be32], timestamp: [2, be32], offset: [3, be32] }))],
  /** Linux 5.8; an older kernel does not know it, and tells of all. */
  filter: [25, nested(attributes({ original: [1, filtered], reply: [2, filtered] }))],
})

const type = (operation: number): number => (NFNL_SUBSYS_CTNETLINK << 8) | operation

export const newConnection = message('IPCTNL_MSG_CT_NEW', type(0), nfgenmsg, connection)
/** As a dump: all of a family, or those that the filter lets through. */
export const getConnection = message('IPCTNL_MSG_CT_GET', type(1), nfgenmsg, connection)
/** The one with this tuple; with none, all of the family. */
export const deleteConnection = message('IPCTNL_MSG_CT_DELETE', type(2), nfgenmsg, connection)

export type Connection = ValueOfMessage<typeof newConnection>
export type ConnectionRequest = RequestOf<typeof newConnection>
