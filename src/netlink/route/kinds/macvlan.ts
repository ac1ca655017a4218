// Links with a MAC of their own on another link: IFLA_MACVLAN_*, include/uapi/linux/if_link.h
import { attributes, many } from '../../../wire/attributes.ts'
import { enumeration, flagSet, i32, mac, u16, u32 } from '../../../wire/codec.ts'

export const macvlan = attributes({
  mode: [1, enumeration(u32, { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 })],
  flags: [2, flagSet(u16, { nopromisc: 1, nodst: 2 })],
  /** What a request does with `macAddress` or `macAddresses`, in the mode `source`. */
  macAddressMode: [3, enumeration(u32, { add: 0, del: 1, flush: 2, set: 3 })],
  macAddress: [4, mac],
  macAddresses: [5, attributes({ macAddress: [4, many(mac)] })],
  macAddressCount: [6, u32],
  broadcastQueueLength: [7, u32],
  broadcastQueueLengthUsed: [8, u32],
  broadcastCutoff: [9, i32],
})
