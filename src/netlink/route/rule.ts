// Policy rules, which choose the table that a route is looked up in: include/uapi/linux/fib_rules.h
import { address } from '../../wire/address.ts'
import { attributes } from '../../wire/attributes.ts'
import { be32, be64, bool, enumeration, flagSet, string, u16, u32, u8 } from '../../wire/codec.ts'
import { message, type RequestOf, type ValueOfMessage } from '../../wire/message.ts'
import { pad, struct } from '../../wire/struct.ts'
import { routeProtocol } from './route.ts'

/** FR_ACT_* */
const action = enumeration(u8, {
  unspec: 0,
  to_tbl: 1,
  goto: 2,
  nop: 3,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
})

/** struct fib_rule_hdr { __u8 family, dst_len, src_len, tos, table, res1, res2, action; __u32 flags; } */
export const fib_rule_hdr = struct({
  family: u8,
  destinationLength: u8,
  sourceLength: u8,
  tos: u8,
  /** FRA_TABLE where it fits a byte; the kernel ignores it where a request has `table`. */
  headerTable: u8,
  reserved: pad(2),
  action,
  /** FIB_RULE_* */
  flags: flagSet(u32, {
    permanent: 0x1,
    invert: 0x2,
    unresolved: 0x4,
    iif_detached: 0x8,
    oif_detached: 0x10,
  }),
})

const uidRange = struct({ start: u32, end: u32 })
/** Both ends in the byte order of the machine, unlike a packet's. */
const portRange = struct({ start: u16, end: u16 })

/** FRA_* */
const rule = attributes({
  destination: [1, address],
  source: [2, address],
  inputName: [3, string],
  /** The priority of the rule that `action: 'goto'` leads to. */
  goto: [4, u32],
  /** The lowest is asked first. */
  priority: [6, u32],
  mark: [10, u32],
  flow: [11, u32],
  tunnelId: [12, be64],
  suppressGroup: [13, u32],
  /** Routes with at most so long a prefix do not count. */
  suppressPrefixLength: [14, u32],
  table: [15, u32],
  markMask: [16, u32],
  outputName: [17, string],
  l3mdev: [19, bool],
  uidRange: [20, uidRange],
  protocol: [21, routeProtocol],
  ipProtocol: [22, u8],
  sourcePorts: [23, portRange],
  destinationPorts: [24, portRange],
  dscp: [25, u8],
  flowLabel: [26, be32],
  flowLabelMask: [27, be32],
  sourcePortMask: [28, u16],
  destinationPortMask: [29, u16],
  dscpMask: [30, u8],
})

export const newRule = message('RTM_NEWRULE', 32, fib_rule_hdr, rule)
export const deleteRule = message('RTM_DELRULE', 33, fib_rule_hdr, rule)
export const getRule = message('RTM_GETRULE', 34, fib_rule_hdr, rule)

/** A rule as the kernel shows it. */
export type Rule = ValueOfMessage<typeof newRule>
export type RuleRequest = RequestOf<typeof newRule>
