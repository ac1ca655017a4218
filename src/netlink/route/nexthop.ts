// Next hops: where a route leads, once in the route itself or several times in its RTA_MULTIPATH.
//
//   struct rtnexthop { unsigned short rtnh_len; unsigned char rtnh_flags, rtnh_hops; int rtnh_ifindex; }
//   rtnh_len counts this header and the attributes after it; the next one starts at a multiple of 4
import { address } from '../../wire/address.ts'
import { attributes, type Attributes, type Rows } from '../../wire/attributes.ts'
import type { Reader } from '../../wire/bytes.ts'
import {
  bytes,
  type Codec,
  enumeration,
  flagSet,
  i32,
  mapped,
  u16,
  u32,
  u8,
  type ValueOf,
} from '../../wire/codec.ts'
import { pad, struct, withHeader } from '../../wire/struct.ts'
import { AF_INET, AF_INET6 } from './family.ts'

/** RTNH_F_* */
export const nexthopFlagBits = {
  dead: 0x01,
  pervasive: 0x02,
  /** The gateway is reachable on the link, whatever its addresses say. */
  onlink: 0x04,
  offload: 0x08,
  linkdown: 0x10,
  unresolved: 0x20,
  trap: 0x40,
} as const

const rtvia = struct({ family: u16 })

/** struct rtvia { __kernel_sa_family_t rtvia_family; __u8 rtvia_addr[]; }: a gateway of another family. */
const via: Codec<string> = {
  encode: (out, value) => {
    rtvia.encode(out, { family: value.includes(':') ? AF_INET6 : AF_INET })
    address.encode(out, value)
  },
  decode: input => {
    rtvia.decode(input)
    return address.decode(input)
  },
}

/** enum lwtunnel_encap_types */
const encapsulation = enumeration(u16, {
  none: 0,
  mpls: 1,
  ip: 2,
  ila: 3,
  ip6: 4,
  seg6: 5,
  bpf: 6,
  seg6_local: 7,
})

/** The RTA_* that a next hop may have. */
export const nexthopRows = {
  /** A gateway of the route's own family. */
  gateway: [5, address],
  flow: [11, u32],
  /** A gateway of the other family: an IPv4 route by an IPv6 neighbour. */
  via: [18, via],
  newDestination: [19, address],
  encapsulationType: [21, encapsulation],
  encapsulation: [22, bytes],
} as const satisfies Rows

const HEADER = 8
const rtnexthop = struct({
  length: pad(2), // written once it is known
  flags: flagSet(u8, nexthopFlagBits),
  /** The share of the traffic; the wire holds one less. */
  weight: mapped(
    u8,
    hops => hops + 1,
    (weight: number) => weight - 1,
  ),
  /** The index of the link. */
  index: i32,
})
const record = withHeader(rtnexthop, attributes(nexthopRows))

export type Nexthop = Partial<ValueOf<typeof rtnexthop>> & Attributes<typeof nexthopRows>

/** Calls `visit` with a reader of each next hop. */
function eachNexthop(input: Reader, visit: (hop: Reader, start: number) => void): void {
  for (let count = 0; input.left > 0; count++) {
    const start = input.offset
    const length = u16.decode(input)
    if (length < HEADER)
      throw input.error(`next hop claims ${length} bytes, its header alone takes ${HEADER}`)
    input.offset = start
    visit(input.slice(length, String(count)), start)
    input.take(Math.min((4 - (length % 4)) % 4, input.left))
  }
}

/** Next hops one after the other: the payload of RTA_MULTIPATH. */
export const nexthops: Codec<readonly Nexthop[]> = {
  encode(out, hops) {
    for (const hop of hops) {
      const start = out.length
      record.encode(out, hop)
      const end = out.length
      out.length = start
      u16.encode(out, end - start)
      out.length = end
    }
  },
  decode(input) {
    const hops: Nexthop[] = []
    eachNexthop(input, hop => hops.push(record.decode(hop)))
    return hops
  },
  locate(input, offset) {
    let path: string[] = []
    let count = 0
    eachNexthop(input, (hop, start) => {
      if (offset >= start && offset < hop.end) path = [String(count), ...record.locate(hop, offset)]
      count++
    })
    return path
  },
}
