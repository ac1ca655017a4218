// The family `ethtool`: features of devices, include/uapi/linux/ethtool_netlink.h
import { attributes, nested } from '../../wire/attributes.ts'
import { flagSet, string, u32 } from '../../wire/codec.ts'
import type { RequestOf, ValueOfMessage } from '../../wire/message.ts'
import { bitset } from './bitset.ts'
import { genericMessage } from './header.ts'

/** ETHTOOL_GENL_NAME */
export const ETHTOOL = 'ethtool'

/** ETHTOOL_A_HEADER_*: the device, by its index or its name, and how to answer. */
const header = attributes({
  index: [1, u32],
  name: [2, string],
  flags: [3, flagSet(u32, { compactBitsets: 1, omitReply: 2, statistics: 4 })],
})

/** ETHTOOL_A_FEATURES_* */
const features = attributes({
  header: [1, nested(header)],
  /** Which may be changed. */
  hardware: [2, nested(bitset)],
  /** Which are asked for. In an answer to a change: in which the device is not as it was asked to be. */
  wanted: [3, nested(bitset)],
  /** Which are on. In an answer to a change: what has changed. */
  active: [4, nested(bitset)],
  /** Which no device lets be changed. */
  fixed: [5, nested(bitset)],
})

/** The messages of the family, whose number `familyOf(socket, ETHTOOL)` finds out. */
export function ethtoolMessages(family: number) {
  return {
    getFeatures: genericMessage('ETHTOOL_MSG_FEATURES_GET', { family, command: 11 }, features),
    setFeatures: genericMessage('ETHTOOL_MSG_FEATURES_SET', { family, command: 12 }, features),
    /** What the kernel answers counts for itself. */
    getFeaturesReply: genericMessage('ETHTOOL_MSG_FEATURES_GET_REPLY', { family, command: 11 }, features),
    setFeaturesReply: genericMessage('ETHTOOL_MSG_FEATURES_SET_REPLY', { family, command: 12 }, features),
  }
}

type Messages = ReturnType<typeof ethtoolMessages>
export type DeviceFeatures = ValueOfMessage<Messages['getFeaturesReply']>
export type DeviceFeaturesRequest = RequestOf<Messages['setFeatures']>
