// Which packets an element of the maps of ports takes: two containers cannot have the same.
import { splitKey } from '../../netlink/netfilter/data-type.ts'
import type { Address, Family } from '../ip.ts'
import { allAddresses, ALL_NAMES, type Box, type Range, type Transport } from '../mapping.ts'
import { placeOf, type Standing } from './elements.ts'
import type { Place } from './members.ts'
import { keysOf } from './ports-table.ts'

export interface Taken {
  readonly family: Family
  readonly protocol: Transport
  readonly hostPort: number
  readonly box: Box
}

const PROTOCOLS: Readonly<Record<number, Transport>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' }
const NOTHING = Uint8Array.of()

interface PortMap {
  readonly keys: 'all' | 'one' | 'ranged' | 'byLink'
  /** What an element asks of a packet besides protocol and port; `at` reads a part of its key. */
  asks(at: (index: number) => Range): Partial<Box>
}

/** By name, without the family. */
const MAPS = new Map<string, PortMap>([
  ['ports', { keys: 'all', asks: () => ({}) }],
  ['host_ports', { keys: 'one', asks: at => ({ daddr: at(0) }) }],
  ['ranged_ports', { keys: 'ranged', asks: at => ({ saddr: at(0), daddr: at(1) }) }],
  ['conditional_ports', { keys: 'byLink', asks: at => ({ saddr: at(0), daddr: at(1), iifname: at(2) }) }],
])

/** Undefined where it stands in none of the maps, or is of a protocol that we do not publish. */
export function takenAt({ set, key, keyEnd }: Place): Taken | undefined {
  const [, name = '', number] = /^(\w+)([46])$/.exec(set) ?? []
  const map = MAPS.get(name)
  if (map === undefined) return undefined
  const family = number === '4' ? 4 : 6
  const types = keysOf(family)[map.keys]
  const first = splitKey(types, key)
  const last = splitKey(types, keyEnd ?? key)
  const [protocol, hostPort] = first.slice(-2).map(part => Number(numberOf(part)))
  const transport = PROTOCOLS[protocol ?? 0]
  if (transport === undefined || hostPort === undefined) return undefined
  const all = allAddresses(family)
  const asked = map.asks(index => [numberOf(first[index]), numberOf(last[index])])
  return {
    family,
    protocol: transport,
    hostPort,
    box: { saddr: all, daddr: all, iifname: ALL_NAMES, ...asked },
  }
}

/** An element of the maps, and which packets it takes. */
export interface Holding extends Standing {
  readonly taken: Taken
}

/** Undefined for what stands in none of the maps. */
export function heldBy(standing: Standing): Holding | undefined {
  const place = placeOf(standing)
  const taken = place && takenAt(place)
  return taken && { ...standing, taken }
}

/** Only what is of one port can meet. */
export function portOf({ family, protocol, hostPort }: Taken): string {
  return `${family} ${protocol} ${hostPort}`
}

/** The one address of the host that it takes packets to; undefined where it is several. */
export function hostIpOf({ family, box: { daddr } }: Taken): Address | undefined {
  return daddr[0] === daddr[1] ? { family, bits: daddr[0] } : undefined
}

/** The address of the container that an element of a map leads to. */
export function targetOf(family: Family, data: Uint8Array): Address {
  return { family, bits: numberOf(splitKey(keysOf(family).target, data)[0]) }
}

function numberOf(bytes: Uint8Array | undefined): bigint {
  return (bytes ?? NOTHING).reduce<bigint>((number, byte) => (number << 8n) | BigInt(byte), 0n)
}

/** Whether a packet could be taken by both. */
export function meet(one: Taken, other: Taken): boolean {
  return (
    one.family === other.family &&
    one.protocol === other.protocol &&
    one.hostPort === other.hostPort &&
    (['saddr', 'daddr', 'iifname'] as const).every(
      field => one.box[field][0] <= other.box[field][1] && other.box[field][0] <= one.box[field][1],
    )
  )
}
