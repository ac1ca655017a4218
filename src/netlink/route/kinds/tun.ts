// Links whose other end is a program, as the kernel shows them: IFLA_TUN_*, include/uapi/linux/if_link.h
// They are made by ioctl on /dev/net/tun, not by netlink.
import { attributes } from '../../../wire/attributes.ts'
import { bool, enumeration, u32, u8 } from '../../../wire/codec.ts'

export const tun = attributes({
  owner: [1, u32],
  group: [2, u32],
  type: [3, enumeration(u8, { tun: 1, tap: 2 })],
  packetInformation: [4, bool],
  vnetHeader: [5, bool],
  persist: [6, bool],
  multiQueue: [7, bool],
  queues: [8, u32],
  disabledQueues: [9, u32],
})
