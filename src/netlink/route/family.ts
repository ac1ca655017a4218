// Address families and scopes, which the messages of rtnetlink have in common.
import { enumeration, u8 } from '../../wire/codec.ts'

/** include/linux/socket.h: the `family` of every fixed header of rtnetlink. */
export const AF_UNSPEC = 0
export const AF_INET = 2
export const AF_BRIDGE = 7
export const AF_INET6 = 10

/** enum rt_scope_t, include/uapi/linux/rtnetlink.h: how far off what an address or route names may be. */
export const scope = enumeration(u8, { universe: 0, site: 200, link: 253, host: 254, nowhere: 255 })
