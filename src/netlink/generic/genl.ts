// Generic netlink, for src/netlink/index.ts, under a name of its own.
export { type Bitset, bitset } from './bitset.ts'
export { type Family, familyOf, type FamilyRequest, getFamily, newFamily } from './controller.ts'
export { type DeviceFeatures, type DeviceFeaturesRequest, ETHTOOL, ethtoolMessages } from './ethtool.ts'
export { genericMessage, type Genlmsghdr } from './header.ts'
