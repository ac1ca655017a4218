// One direction of a connection: addresses, protocol and ports.
import { address } from '../../wire/address.ts'
import { attributes, nested } from '../../wire/attributes.ts'
import { be16, enumeration, u8, type ValueOf } from '../../wire/codec.ts'

/** CTA_IP_* */
const ip = attributes({
  ipSource: [1, address],
  ipDestination: [2, address],
  ip6Source: [3, address],
  ip6Destination: [4, address],
})

/** IPPROTO_* */
export const protocols = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  icmpv6: 58,
  sctp: 132,
  udplite: 136,
} as const

/** CTA_PROTO_* */
const protocol = attributes({
  number: [1, enumeration(u8, protocols)],
  sourcePort: [2, be16],
  destinationPort: [3, be16],
  icmpId: [4, be16],
  icmpType: [5, u8],
  icmpCode: [6, u8],
  icmpv6Id: [7, be16],
  icmpv6Type: [8, u8],
  icmpv6Code: [9, u8],
})

/** CTA_TUPLE_* */
export const tuple = attributes({
  ip: [1, nested(ip)],
  protocol: [2, nested(protocol)],
  zone: [3, be16],
})
export type Tuple = ValueOf<typeof tuple>
