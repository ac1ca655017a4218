// Routes: RTM_NEWROUTE and its kin, include/uapi/linux/rtnetlink.h
import { address } from '../../wire/address.ts'
import { attributes } from '../../wire/attributes.ts'
import { be16, bytes, enumeration, flagSet, i32, string, u32, u8 } from '../../wire/codec.ts'
import { message, type RequestOf, type ValueOfMessage } from '../../wire/message.ts'
import { struct } from '../../wire/struct.ts'
import { scope } from './family.ts'
import { nexthopFlagBits, nexthopRows, nexthops } from './nexthop.ts'

/** RTPROT_*: who made the route. Numbers without a name here are free for use. */
export const routeProtocol = enumeration(u8, {
  unspec: 0,
  redirect: 1,
  kernel: 2,
  boot: 3,
  static: 4,
  ra: 9,
  dhcp: 16,
})

/** RTN_* */
export const routeType = enumeration(u8, {
  unspec: 0,
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
  nat: 10,
})

/** RTNH_F_* of the route's only next hop, and RTM_F_* */
export const routeFlags = flagSet(u32, {
  ...nexthopFlagBits,
  notify: 0x100,
  cloned: 0x200,
  equalize: 0x400,
  prefix: 0x800,
  /** In RTM_GETROUTE: answer with the table that the route was found in. */
  lookup_table: 0x1000,
  /** In RTM_GETROUTE: answer with the route that matched, not with a copy for the one address. */
  fib_match: 0x2000,
  rt_offload: 0x4000,
  rt_trap: 0x8000,
  rt_offload_failed: 0x20000000,
})

/** RT_TABLE_* */
export const RT_TABLE_DEFAULT = 253
export const RT_TABLE_MAIN = 254
export const RT_TABLE_LOCAL = 255

/**
 * struct rtmsg { unsigned char rtm_family, rtm_dst_len, rtm_src_len, rtm_tos, rtm_table, rtm_protocol, rtm_scope,
 * rtm_type; unsigned rtm_flags; }
 */
export const rtmsg = struct({
  family: u8,
  destinationLength: u8,
  sourceLength: u8,
  tos: u8,
  /** RTA_TABLE where it fits a byte; the kernel ignores it where a request has `table`. */
  headerTable: u8,
  protocol: routeProtocol,
  scope,
  type: routeType,
  flags: routeFlags,
})

/** RTAX_* */
const metrics = attributes({
  lock: [1, u32],
  mtu: [2, u32],
  window: [3, u32],
  rtt: [4, u32],
  rttVariance: [5, u32],
  slowStartThreshold: [6, u32],
  congestionWindow: [7, u32],
  advmss: [8, u32],
  reordering: [9, u32],
  hopLimit: [10, u32],
  initialCongestionWindow: [11, u32],
  features: [12, u32],
  minimalRto: [13, u32],
  initialReceiveWindow: [14, u32],
  quickAck: [15, u32],
  congestionControl: [16, string],
  fastopenNoCookie: [17, u32],
})

/** struct rta_cacheinfo; times in hundredths of a second. */
const cacheInfo = struct({
  references: u32,
  lastUse: u32,
  expires: i32,
  error: u32,
  used: u32,
  id: u32,
  timestamp: u32,
  timestampAge: u32,
})

/** RTA_* */
const route = attributes({
  ...nexthopRows,
  /** Left out: the default route. */
  destination: [1, address],
  source: [2, address],
  inputIndex: [3, i32],
  /** The index of the link. */
  outputIndex: [4, i32],
  /** The metric: the lowest is taken first. */
  priority: [6, u32],
  preferredSource: [7, address],
  metrics: [8, metrics],
  multipath: [9, nexthops],
  cacheInfo: [12, cacheInfo],
  /** Any number, also where it exceeds the header's byte. */
  table: [15, u32],
  mark: [16, u32],
  preference: [20, enumeration(u8, { medium: 0, high: 1, low: 3 })],
  /** Seconds. */
  expires: [23, u32],
  uid: [25, u32],
  ttlPropagate: [26, u8],
  ipProtocol: [27, u8],
  sourcePort: [28, be16],
  destinationPort: [29, be16],
  nexthopId: [30, u32],
  multicastStatistics: [17, bytes],
})

export const newRoute = message('RTM_NEWROUTE', 24, rtmsg, route)
export const deleteRoute = message('RTM_DELROUTE', 25, rtmsg, route)
export const getRoute = message('RTM_GETROUTE', 26, rtmsg, route)

/** A route as the kernel shows it. */
export type Route = ValueOfMessage<typeof newRoute>
export type RouteRequest = RequestOf<typeof newRoute>
