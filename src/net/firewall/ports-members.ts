// What the maps hold for published ports.
import { concatenate, encodeKey } from '../../netlink/netfilter/data-type.ts'
import { type Cidr, type Family, width } from '../ip.ts'
import {
  ALL_NAMES,
  allAddresses,
  type Box,
  type Mapping,
  mappingName,
  NAME_BITS,
  type Publication,
  type Range,
  type Transport,
} from '../mapping.ts'
import type { Member, Place } from './members.ts'
import { portsOf } from './ports-table.ts'
import type { Taken } from './ports-taken.ts'
import { PORTS } from './tables.ts'

/** 127.0.0.0/8 */
const LOCALNET: Range = [0x7f000000n, 0x7fffffffn]
const LOCALHOST = 0x7f000001n

/** Where a mapping stands in the maps of a family. */
export function mappingPlaces(
  mapping: Mapping,
  family: Family,
  conditions: Publication['conditions'],
): Place[] {
  if (!mapping.families.includes(family)) return []
  const { protocol, hostPort, hostIp } = mapping
  const boxes = conditions[family]
  if (boxes !== undefined) {
    const narrow = boxes.flatMap(box => (hostIp === undefined ? box : to(hostIp.bits, box)))
    return narrow.map(box => placeOfBox({ family, protocol, hostPort, box }))
  }
  if (hostIp === undefined) return [everywhere({ family, protocol, hostPort })]
  const key = concatenate([addressBytes(hostIp.bits, family), ...portBytes(protocol, hostPort)])
  return [{ table: PORTS, set: portsOf(family).one, key }]
}

/** Where those packets stand that are known by more than where they go. */
export function placeOfBox({ family, protocol, hostPort, box }: Taken): Place {
  const port = portBytes(protocol, hostPort)
  const keyOf = (side: 0 | 1) => concatenate([...boxBytes(box, side, family), ...port])
  const { ranged, byLink } = portsOf(family)
  return { table: PORTS, set: isAnyLink(box) ? ranged : byLink, key: keyOf(0), keyEnd: keyOf(1) }
}

/** Where a port stands that is published on all addresses of a family. */
export function everywhere({ family, protocol, hostPort }: Omit<Taken, 'box'>): Place {
  return { table: PORTS, set: portsOf(family).all, key: concatenate(portBytes(protocol, hostPort)) }
}

function portBytes(protocol: Transport, port: number): Uint8Array[] {
  return [encodeKey(['inet_proto'], [protocol]), encodeKey(['inet_service'], [port])]
}

/** The part of a box that goes to one address. */
function to(address: bigint, box: Box): Box[] {
  const [first, last] = box.daddr
  return first <= address && address <= last ? [{ ...box, daddr: [address, address] }] : []
}

/** nft cannot list an interval of all names: 1.0.6 ends with a failed assertion. */
function isAnyLink({ iifname: [first, last] }: Box): boolean {
  return first === ALL_NAMES[0] && last === ALL_NAMES[1]
}

function boxBytes(box: Box, side: 0 | 1, family: Family): Uint8Array[] {
  const addresses = [addressBytes(box.saddr[side], family), addressBytes(box.daddr[side], family)]
  return isAnyLink(box) ? addresses : [...addresses, bytesOf(box.iifname[side], NAME_BITS)]
}

/** The elements of a publication. */
export function publishedMembers(publication: Publication, comment: string): Member[] {
  const { mappings, conditions, targets, masquerade } = publication
  return targets.flatMap(target => {
    const { family, address } = target
    const members = mappings.flatMap(mapping => {
      const port = encodeKey(['inet_service'], [mapping.containerPort])
      const data = concatenate([addressBytes(address.bits, family), port])
      const name = mappingName(mapping)
      return mappingPlaces(mapping, family, conditions).map(place => ({ ...place, name, comment, data }))
    })
    if (members.length === 0 || masquerade === 'none') return members
    return [...members, ...masqueraded(target, masquerade, comment)]
  })
}

/**
 * Who gets the host's address, since the answer would not come back by way of the host: the container itself, its
 * neighbours, the host's 127.0.0.1.
 */
function masqueraded(target: Cidr, whom: 'needed' | 'all', comment: string): Member[] {
  const { family, address, network, last } = target
  const own: Range = [network.bits, last.bits]
  const isLocal = own[0] <= LOCALHOST && LOCALHOST <= own[1]
  const needed = family === 6 || isLocal ? [own] : [own, LOCALNET]
  const sources = whom === 'all' ? [allAddresses(family)] : needed
  return sources.map(range => {
    const keyOf = (side: 0 | 1) =>
      concatenate([addressBytes(address.bits, family), addressBytes(range[side], family)])
    const set = portsOf(family).masquerade
    return { table: PORTS, set, key: keyOf(0), keyEnd: keyOf(1), name: 'masquerade', comment }
  })
}

/** Wherever masquerade may stand for a container's address, as points: an interval is found by any point in it. */
export function masqueradePlaces({ family, bits }: Cidr['address']): Place[] {
  const sources = family === 4 ? [bits, LOCALHOST] : [bits]
  return sources.map(source => {
    const key = concatenate([addressBytes(bits, family), addressBytes(source, family)])
    return { table: PORTS, set: portsOf(family).masquerade, key }
  })
}

function addressBytes(bits: bigint, family: Family): Uint8Array {
  return bytesOf(bits, width(family))
}

function bytesOf(value: bigint, bits: number): Uint8Array {
  return Uint8Array.from({ length: bits / 8 }, (_, index) =>
    Number((value >> BigInt(bits - 8 - 8 * index)) & 255n),
  )
}
