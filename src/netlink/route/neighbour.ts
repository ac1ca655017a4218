// Neighbours, and the forwarding database of bridges as neighbours of AF_BRIDGE: include/uapi/linux/neighbour.h
import { address } from '../../wire/address.ts'
import { attributes, nested } from '../../wire/attributes.ts'
import { be16, flag, flagSet, i32, mac, u16, u32, u8 } from '../../wire/codec.ts'
import { message, type RequestOf, type ValueOfMessage } from '../../wire/message.ts'
import { pad, struct } from '../../wire/struct.ts'

/** NUD_* */
export const neighbourState = flagSet(u16, {
  incomplete: 0x01,
  reachable: 0x02,
  stale: 0x04,
  delay: 0x08,
  probe: 0x10,
  failed: 0x20,
  noarp: 0x40,
  permanent: 0x80,
})

/** NTF_* */
export const neighbourFlags = flagSet(u8, {
  use: 0x01,
  /** The entry is the link's own: that of a vxlan, or of a bridge itself. */
  self: 0x02,
  /** The entry is that of the bridge which the link is a port of. */
  master: 0x04,
  proxy: 0x08,
  ext_learned: 0x10,
  offloaded: 0x20,
  sticky: 0x40,
  router: 0x80,
})

/** struct ndmsg { __u8 ndm_family, ndm_pad1; __u16 ndm_pad2; __s32 ndm_ifindex; __u16 ndm_state; __u8 ndm_flags, ndm_type; } */
export const ndmsg = struct({
  family: u8,
  padding: pad(3),
  /** The index of the link. */
  index: i32,
  state: neighbourState,
  flags: neighbourFlags,
  /** RTN_*: 1 for a unicast neighbour. */
  type: u8,
})

/** struct nda_cacheinfo; times in hundredths of a second. */
const cacheInfo = struct({ confirmed: u32, used: u32, updated: u32, references: u32 })

/** NFEA_* */
const fdbExtension = attributes({ activityNotify: [1, u8], dontRefresh: [2, flag] })

/** NDA_* */
const neighbour = attributes({
  /** The internet address; in the database of a vxlan, the remote end of the tunnel. */
  destination: [1, address],
  linkAddress: [2, mac],
  cacheInfo: [3, cacheInfo],
  probes: [4, u32],
  vlan: [5, u16],
  port: [6, be16],
  vni: [7, u32],
  /** In a dump: the link whose neighbours it shows. In the database of a vxlan: the link that it sends by. */
  interface: [8, u32],
  /** The index of the bridge. */
  master: [9, u32],
  linkNetnsid: [10, i32],
  sourceVni: [11, u32],
  protocol: [12, u8],
  nexthopId: [13, u32],
  fdbExtension: [14, nested(fdbExtension)],
  extendedFlags: [15, flagSet(u32, { managed: 0x1, locked: 0x2, ext_validated: 0x4 })],
  stateMask: [16, neighbourState],
  flagsMask: [17, neighbourFlags],
})

export const newNeighbour = message('RTM_NEWNEIGH', 28, ndmsg, neighbour)
export const deleteNeighbour = message('RTM_DELNEIGH', 29, ndmsg, neighbour)
export const getNeighbour = message('RTM_GETNEIGH', 30, ndmsg, neighbour)

/** A neighbour, or an entry of a forwarding database, as the kernel shows it. */
export type Neighbour = ValueOfMessage<typeof newNeighbour>
export type NeighbourRequest = RequestOf<typeof newNeighbour>
