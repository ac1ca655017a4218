// One VLAN of a link: IFLA_VLAN_*, include/uapi/linux/if_link.h
import { attributes, many } from '../../../wire/attributes.ts'
import { be16, flagSet, u16, u32 } from '../../../wire/codec.ts'
import { struct } from '../../../wire/struct.ts'

/** VLAN_FLAG_*, include/uapi/linux/if_vlan.h */
const flags = flagSet(u32, {
  reorder_hdr: 0x1,
  gvrp: 0x2,
  loose_binding: 0x4,
  mvrp: 0x8,
  bridge_binding: 0x10,
})
const qosMapping = attributes({ mappings: [1, many(struct({ from: u32, to: u32 }))] })

export const vlan = attributes({
  id: [1, u16],
  /** `mask` says which of the flags a request changes. */
  flags: [2, struct({ flags, mask: flags })],
  egressQos: [3, qosMapping],
  ingressQos: [4, qosMapping],
  /** The Ethernet type of the tags: 0x8100, or 0x88a8 for the outer of two. */
  protocol: [5, be16],
})
