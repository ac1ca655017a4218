// What every link has, whatever its kind: the attributes of include/uapi/linux/if_link.h.
import { attributes, many, nested, type Rows } from '../../wire/attributes.ts'
import {
  bool,
  bytes,
  enumeration,
  flagSet,
  i32,
  mac,
  string,
  u16,
  u32,
  u64,
  u8,
  uint,
} from '../../wire/codec.ts'
import { growing, pad, struct } from '../../wire/struct.ts'
import { afSpec } from './af-spec.ts'

/** IFF_*, include/uapi/linux/if.h */
export const linkFlags = flagSet(u32, {
  up: 0x1,
  broadcast: 0x2,
  debug: 0x4,
  loopback: 0x8,
  pointopoint: 0x10,
  notrailers: 0x20,
  running: 0x40,
  noarp: 0x80,
  promisc: 0x100,
  allmulti: 0x200,
  master: 0x400,
  slave: 0x800,
  multicast: 0x1000,
  portsel: 0x2000,
  automedia: 0x4000,
  dynamic: 0x8000,
  lower_up: 0x10000,
  dormant: 0x20000,
  echo: 0x40000,
})

/** struct ifinfomsg { unsigned char ifi_family, pad; unsigned short ifi_type; int ifi_index; unsigned ifi_flags, ifi_change; } */
export const ifinfomsg = struct({
  family: u8,
  padding: pad(1),
  type: u16,
  index: i32,
  flags: linkFlags,
  /** Which flags a request changes. */
  change: linkFlags,
})

/** struct rtnl_link_stats64; what newer kernels count besides is in `rest`. */
export const stats64 = growing(
  struct({
    rxPackets: u64,
    txPackets: u64,
    rxBytes: u64,
    txBytes: u64,
    rxErrors: u64,
    txErrors: u64,
    rxDropped: u64,
    txDropped: u64,
    multicast: u64,
    collisions: u64,
    rxLengthErrors: u64,
    rxOverErrors: u64,
    rxCrcErrors: u64,
    rxFrameErrors: u64,
    rxFifoErrors: u64,
    rxMissedErrors: u64,
    txAbortedErrors: u64,
    txCarrierErrors: u64,
    txFifoErrors: u64,
    txHeartbeatErrors: u64,
    txWindowErrors: u64,
    rxCompressed: u64,
    txCompressed: u64,
  }),
)

/** RTEXT_FILTER_*, include/uapi/linux/rtnetlink.h: what a dump shows beyond the usual, or less. */
export const extendedMask = flagSet(u32, {
  vf: 0x1,
  brvlan: 0x2,
  brvlan_compressed: 0x4,
  /** No counters. */
  skip_stats: 0x8,
  mrp: 0x10,
  cfm_config: 0x20,
  cfm_status: 0x40,
  mst: 0x80,
})

/** include/uapi/linux/if.h, RFC 2863 */
export const operstate = enumeration(u8, {
  unknown: 0,
  notpresent: 1,
  down: 2,
  lowerlayerdown: 3,
  testing: 4,
  dormant: 5,
  up: 6,
})

/** IFLA_XDP_* */
const xdp = attributes({ fd: [1, i32], attached: [2, u8], flags: [3, u32], programId: [4, u32] })

/** IFLA_* */
export const commonRows = {
  address: [1, mac],
  broadcast: [2, mac],
  name: [3, string],
  mtu: [4, u32],
  /** The index of the link below, or of a veth's other end; in namespace `linkNetnsid` where that is given. */
  link: [5, i32],
  qdisc: [6, string],
  /** As `stats64`, in 32 bits. */
  stats: [7, bytes],
  /** The index of the bridge, bond or VRF that the link is a port of; 0 in a request: of none. */
  master: [10, u32],
  txQueueLength: [13, u32],
  map: [14, bytes],
  weight: [15, u32],
  operstate: [16, operstate],
  linkMode: [17, u8],
  /** Moves or makes the link in the namespace of this process. */
  netnsPid: [19, u32],
  alias: [20, string],
  virtualFunctions: [21, u32],
  stats64: [23, stats64],
  afSpec: [26, afSpec],
  group: [27, u32],
  /** Moves or makes the link in the namespace of this fd. */
  netnsFd: [28, u32],
  extendedMask: [29, extendedMask],
  promiscuity: [30, u32],
  txQueues: [31, u32],
  rxQueues: [32, u32],
  carrier: [33, bool],
  physicalPortId: [34, bytes],
  carrierChanges: [35, u32],
  physicalSwitchId: [36, bytes],
  linkNetnsid: [37, i32],
  physicalPortName: [38, string],
  protocolDown: [39, bool],
  gsoMaxSegments: [40, u32],
  gsoMaxSize: [41, u32],
  xdp: [43, xdp],
  /** Why the kernel sent the message: 4 for a changed bonding option and the like. */
  event: [44, u32],
  newNetnsid: [45, i32],
  /** The namespace, by number, that a request is about. */
  targetNetnsid: [46, i32],
  carrierUpCount: [47, u32],
  carrierDownCount: [48, u32],
  /** The index that the link gets in the namespace that it moves to. */
  newIndex: [49, i32],
  minMtu: [50, u32],
  maxMtu: [51, u32],
  alternativeNames: [52, nested(attributes({ names: [53, many(string)] }))],
  /** In a request: find the link by this name, of up to 127 characters. */
  alternativeName: [53, string],
  permanentAddress: [54, mac],
  parentDevice: [56, string],
  parentBus: [57, string],
  groMaxSize: [58, u32],
  tsoMaxSize: [59, u32],
  tsoMaxSegments: [60, u32],
  allMulticast: [61, u32],
  devlinkPort: [62, nested(bytes)],
  gsoIpv4MaxSize: [63, u32],
  groIpv4MaxSize: [64, u32],
  dpllPin: [65, nested(bytes)],
  maxPacingOffloadHorizon: [66, uint],
  netnsImmutable: [67, bool],
  headroom: [68, u16],
  tailroom: [69, u16],
} as const satisfies Rows
