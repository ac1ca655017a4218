// Addresses of links: RTM_NEWADDR and its kin, include/uapi/linux/if_addr.h
import { address } from '../../wire/address.ts'
import { attributes } from '../../wire/attributes.ts'
import { type Codec, enumeration, flagSet, i32, string, u32, u8 } from '../../wire/codec.ts'
import { message, type RequestOf, type ValueOfMessage } from '../../wire/message.ts'
import { struct } from '../../wire/struct.ts'
import { scope } from './family.ts'

/** The IFA_F_* that fit the header's byte. */
const lowFlags = {
  /** Another address of the same subnet came first; for IPv6, a temporary address. */
  secondary: 0x01,
  /** No duplicate address detection. */
  nodad: 0x02,
  optimistic: 0x04,
  /** Detection found a duplicate: the address is not used. */
  dadfailed: 0x08,
  homeaddress: 0x10,
  deprecated: 0x20,
  /** Detection is under way. */
  tentative: 0x40,
  permanent: 0x80,
} as const

export const addressFlags = flagSet(u32, {
  ...lowFlags,
  managetempaddr: 0x100,
  /** No route for the address's subnet comes with it. */
  noprefixroute: 0x200,
  mcautojoin: 0x400,
  stable_privacy: 0x800,
})

/** struct ifaddrmsg { __u8 ifa_family, ifa_prefixlen, ifa_flags, ifa_scope; __u32 ifa_index; } */
export const ifaddrmsg = struct({
  family: u8,
  prefixLength: u8,
  /** The low byte of `flags`; the kernel ignores it where a request has `flags`. */
  headerFlags: flagSet(u8, lowFlags),
  scope,
  /** The index of the link. */
  index: u32,
})

/** A lifetime without end, in seconds. */
export const FOREVER = 0xffffffff

/** struct ifa_cacheinfo: lifetimes in seconds; what the kernel tells besides is in hundredths since it started. */
export interface Lifetimes {
  readonly preferred: number
  readonly valid: number
  readonly created?: number
  readonly updated?: number
}
const cacheInfo: Codec<Lifetimes> = struct({ preferred: u32, valid: u32, created: u32, updated: u32 })

/** IFAPROT_*: what gave the address. */
const protocol = enumeration(u8, { unspec: 0, kernel_lo: 1, kernel_ra: 2, kernel_ll: 3 })

/** IFA_* */
const addressRows = attributes({
  /** The address; on a point-to-point link, the peer's. */
  address: [1, address],
  /** The address of this side. IPv4 requests give both, IPv6 ones may give just one of them. */
  local: [2, address],
  label: [3, string],
  broadcast: [4, address],
  anycast: [5, address],
  cacheInfo: [6, cacheInfo],
  multicast: [7, address],
  flags: [8, addressFlags],
  /** The metric of the subnet's route. */
  routePriority: [9, u32],
  targetNetnsid: [10, i32],
  protocol: [11, protocol],
})

export const newAddress = message('RTM_NEWADDR', 20, ifaddrmsg, addressRows)
export const deleteAddress = message('RTM_DELADDR', 21, ifaddrmsg, addressRows)
export const getAddress = message('RTM_GETADDR', 22, ifaddrmsg, addressRows)

/** An address as the kernel shows it. */
export type Address = ValueOfMessage<typeof newAddress>
export type AddressRequest = RequestOf<typeof newAddress>
