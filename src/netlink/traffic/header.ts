// The fixed header of traffic control: include/uapi/linux/rtnetlink.h and pkt_sched.h
import { be16, i32, u16, u32, u8 } from '../../wire/codec.ts'
import { pad, struct } from '../../wire/struct.ts'

/** Where a qdisc or a filter stands: the parent of what sends, and of what has just been received. */
export const TC_H_ROOT = 0xffff_ffff
/** The parent of the qdiscs `ingress` and `clsact`. */
export const TC_H_INGRESS = 0xffff_fff1
/** Parents of filters in the qdiscs `ingress` and `clsact`; the latter exists in `clsact` alone. */
export const TC_H_CLSACT_INGRESS = 0xffff_fff2
export const TC_H_CLSACT_EGRESS = 0xffff_fff3

/** The handle `major:minor`, such as 1:0. */
export function handle(major: number, minor = 0): number {
  return ((major << 16) | minor) >>> 0
}

const start = {
  family: u8,
  padding: pad(3),
  /** The index of the link. */
  index: i32,
  handle: u32,
  parent: u32,
} as const

/** struct tcmsg { unsigned char tcm_family, pad1; unsigned short pad2; int tcm_ifindex; __u32 tcm_handle, tcm_parent, tcm_info; } */
export const tcmsg = struct({
  ...start,
  /** Of a qdisc that the kernel tells of: how many use it. */
  info: u32,
})

/** The same for filters: tcm_info has the priority above the Ethernet type of the packets that they are asked about. */
export const filterTcmsg = struct({
  ...start,
  /** ETH_P_*, 3 is all. In network order, on machines whose own begins with the lowest byte. */
  protocol: be16,
  /** The lowest is asked first. */
  priority: u16,
})
