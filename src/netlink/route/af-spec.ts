// What IPv6 and IPv4 keep for each link: IFLA_AF_SPEC, include/uapi/linux/if_link.h
import { address } from '../../wire/address.ts'
import { attributes } from '../../wire/attributes.ts'
import { bytes, enumeration, u32, u8 } from '../../wire/codec.ts'
import { AF_INET, AF_INET6 } from './family.ts'

/** IFLA_INET6_* */
const inet6 = attributes({
  flags: [1, u32],
  configuration: [2, bytes],
  statistics: [3, bytes],
  cacheInfo: [5, bytes],
  icmp6Statistics: [6, bytes],
  token: [7, address],
  /** IN6_ADDR_GEN_MODE_*: how the link gets its fe80:: address. */
  addressGenerationMode: [8, enumeration(u8, { eui64: 0, none: 1, stable_privacy: 2, random: 3 })],
  raMtu: [9, u32],
})

/** IFLA_INET_* */
const inet = attributes({ configuration: [1, bytes] })

/** One attribute for each family, whose type is the family's number. */
export const afSpec = attributes({ inet: [AF_INET, inet], inet6: [AF_INET6, inet6] })
