// Tunnels of Ethernet in UDP: IFLA_VXLAN_*, include/uapi/linux/if_link.h
import { address } from '../../../wire/address.ts'
import { attributes } from '../../../wire/attributes.ts'
import { be16, be32, bool, bytes, enumeration, flag, u32, u8 } from '../../../wire/codec.ts'
import { struct } from '../../../wire/struct.ts'

export const vxlan = attributes({
  id: [1, u32],
  /** Where frames go whose MAC the forwarding database lacks: one remote end, or a multicast group. */
  group: [2, address],
  /** The index of the link that the tunnel's packets leave by. */
  link: [3, u32],
  local: [4, address],
  ttl: [5, u8],
  tos: [6, u8],
  learning: [7, bool],
  /** Seconds. */
  ageing: [8, u32],
  /** Entries of the forwarding database; 0 for no limit. */
  limit: [9, u32],
  portRange: [10, struct({ low: be16, high: be16 })],
  proxy: [11, bool],
  rsc: [12, bool],
  l2Miss: [13, bool],
  l3Miss: [14, bool],
  port: [15, be16],
  group6: [16, address],
  local6: [17, address],
  udpChecksum: [18, bool],
  udpZeroChecksum6Tx: [19, bool],
  udpZeroChecksum6Rx: [20, bool],
  remoteChecksumTx: [21, bool],
  remoteChecksumRx: [22, bool],
  gbp: [23, flag],
  remoteChecksumNoPartial: [24, flag],
  collectMetadata: [25, bool],
  label: [26, be32],
  gpe: [27, flag],
  ttlInherit: [28, bool],
  df: [29, enumeration(u8, { unset: 0, set: 1, inherit: 2 })],
  vniFilter: [30, bool],
  localBypass: [31, bool],
  labelPolicy: [32, u32],
  reservedBits: [33, bytes],
})
