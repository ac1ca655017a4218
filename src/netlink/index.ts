// The published library, `tnet/netlink`: Linux's netlink as typed values. docs/netlink.md is its guide.
//
// A table of attributes is the codec for their bytes. A message type is a fixed header and a table. A socket sends
// messages of such types and answers with values. Everything here follows the kernel's names and headers.

// Sockets
export {
  NETLINK_GENERIC,
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  NetlinkSocket,
  request,
  type Request,
  type Sent,
  type SocketOptions,
  type Trace,
} from './socket.ts'
export { NetlinkError } from './error.ts'
export { SystemError } from '../sys/syscalls.ts'
export { type LinkCondition, waitForLink } from './wait.ts'
export { Monitor, type MonitorEvent, type MonitorOptions, type Readable, type Subject } from './monitor.ts'
export { tracer } from './trace.ts'
export { knownMessages, type MessageTable } from './messages.ts'
export {
  NLM_F_ACK,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_NONREC,
  NLM_F_REPLACE,
} from '../wire/message.ts'

// Links, addresses, routes and their kin: NETLINK_ROUTE
export { AF_BRIDGE, AF_INET, AF_INET6, AF_UNSPEC } from './route/family.ts'
export {
  deleteLink,
  deleteLinkProperty,
  getLink,
  type Link,
  linkKinds,
  type LinkRequest,
  newLink,
  newLinkProperty,
  portKinds,
  setLink,
} from './route/link.ts'
export {
  type Address,
  type AddressRequest,
  deleteAddress,
  FOREVER,
  getAddress,
  type Lifetimes,
  newAddress,
} from './route/address.ts'
export {
  deleteRoute,
  getRoute,
  newRoute,
  type Route,
  type RouteRequest,
  RT_TABLE_DEFAULT,
  RT_TABLE_LOCAL,
  RT_TABLE_MAIN,
} from './route/route.ts'
export type { Nexthop } from './route/nexthop.ts'
export {
  deleteNeighbour,
  getNeighbour,
  type Neighbour,
  type NeighbourRequest,
  newNeighbour,
} from './route/neighbour.ts'
export { type FdbEntry, fdbEntry, fdbQuery } from './route/fdb.ts'
export { deleteRule, getRule, newRule, type Rule, type RuleRequest } from './route/rule.ts'
export {
  deleteNsid,
  getNsid,
  NETNSA_NSID_NOT_ASSIGNED,
  newNsid,
  type Nsid,
  type NsidRequest,
} from './route/nsid.ts'
export {
  type BridgeLink,
  type BridgeLinkRequest,
  deleteBridgeLink,
  getBridgeLink,
  newBridgeLink,
  setBridgeLink,
  type VlanInfo,
  vlanInfos,
  type VlanRange,
  vlanRanges,
} from './route/bridge-vlan.ts'
export { addresses, links, neighbours, nsids, routes, rules } from './route/subjects.ts'

// Firewalls: NETLINK_NETFILTER. Under a name of its own, since both protocols have rules.
export * as nft from './netfilter/nft.ts'
export { generations } from './netfilter/subjects.ts'

// Traffic control: qdiscs, filters and actions of rtnetlink, under a name of their own.
export * as tc from './traffic/tc.ts'

// Generic netlink: NETLINK_GENERIC, the features of devices among it. Each family has commands of its own.
export * as genl from './generic/genl.ts'

// Tables of your own
export { DecodeError, Reader, Writer } from '../wire/bytes.ts'
export { address } from '../wire/address.ts'
export {
  be16,
  be32,
  be64,
  bool,
  bytes,
  type Codec,
  encode,
  enumeration,
  flag,
  type Fixed,
  flagSet,
  i32,
  i8,
  mac,
  mapped,
  string,
  u16,
  u32,
  u64,
  u8,
  uint,
  type ValueOf,
} from '../wire/codec.ts'
export {
  type Attributes,
  attributes,
  by,
  type By,
  list,
  type Located,
  many,
  type Many,
  nested,
  type Nested,
  numbered,
  type Rows,
  type UnknownAttribute,
} from '../wire/attributes.ts'
export { growing, pad, struct, type StructCodec, withHeader } from '../wire/struct.ts'
export {
  type Message,
  message,
  type MessageType,
  readMessages,
  type RequestOf,
  type ValueOfMessage,
  writeMessage,
} from '../wire/message.ts'
