// Sets of bits that have names: ETHTOOL_A_BITSET_*, include/uapi/linux/ethtool_netlink.h
import { attributes, list, nested } from '../../wire/attributes.ts'
import { bytes, flag, string, u32, type ValueOf } from '../../wire/codec.ts'

/** ETHTOOL_A_BITSET_BIT_*: the kernel takes a bit by its name or its index, and tells of it by both. */
const bit = attributes({
  index: [1, u32],
  name: [2, string],
  /** Whether it is set. */
  value: [3, flag],
})

/**
 * In words, `bits`, or in bytes, `value` and `mask`. Without `isList` each bit that is named is set or not, and the
 * others are none of its business; with it, those that are named are set, and all others are not.
 */
export const bitset = attributes({
  isList: [1, flag],
  /** How many bits there are. */
  size: [2, u32],
  bits: [3, list(1, nested(bit))],
  /** 32 bits in a number, the lowest first. */
  value: [4, bytes],
  mask: [5, bytes],
})
export type Bitset = ValueOf<typeof bitset>
