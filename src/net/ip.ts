// Internet addresses and prefixes: strict reading, arithmetic, and the one text form of each.
import { unwanted } from '../errors.ts'
import { addressText, readAddress } from '../wire/address.ts'

export type Family = 4 | 6

export interface Address {
  readonly family: Family
  /** The address as a number, first octet highest. */
  readonly bits: bigint
}

/** An address and the length of its prefix: `10.1.2.3/24`. */
export interface Cidr {
  readonly family: Family
  /** As written, host bits included. */
  readonly address: Address
  readonly prefix: number
  /** The first address of the prefix: all host bits 0. */
  readonly network: Address
  /** The last address of the prefix: all host bits 1. In IPv4 that is the broadcast address. */
  readonly last: Address
}

const ADDRESS = 'an IP address such as 10.0.0.1 or fd00::1'
const CIDR = 'an address with its prefix length such as 10.0.0.1/24 or fd00::1/64'
const SUBNET = 'a subnet such as 10.0.0.0/24 or fd00::/64'

/**
 * The address that `value` names. Octal, short and hexadecimal IPv4 forms, zones and IPv4-mapped IPv6 are refused:
 * programs disagree on what they mean. Throws BAD_CONFIG naming `key`.
 */
export function parseAddress(value: unknown, key: string): Address {
  const address = typeof value === 'string' ? read(value) : 'not a string'
  if (typeof address === 'string') throw unwanted(key, ADDRESS, value, address)
  return address
}

/** As `parseAddress`, but answers undefined to what is no address. */
export function addressOf(text: string): Address | undefined {
  const address = read(text)
  return typeof address === 'string' ? undefined : address
}

/** The address and prefix length that `value` names. Throws BAD_CONFIG naming `key`. */
export function parseCidr(value: unknown, key: string): Cidr {
  return readCidr(value, key, CIDR)
}

/** A prefix without host bits. Throws BAD_CONFIG naming `key`. */
export function parseSubnet(value: unknown, key: string): Cidr {
  const subnet = readCidr(value, key, SUBNET)
  if (!equal(subnet.address, subnet.network)) {
    throw unwanted(key, SUBNET, value, `it has host bits, its network is ${formatSubnet(subnet)}`)
  }
  return subnet
}

export function cidr(address: Address, prefix: number): Cidr {
  const { family } = address
  const host = (1n << BigInt(width(family) - prefix)) - 1n
  const last = address.bits | host
  return { family, address, prefix, network: { family, bits: last ^ host }, last: { family, bits: last } }
}

/** The bits of an address: 32 or 128. */
export function width(family: Family): number {
  return family === 4 ? 32 : 128
}

/** The address `offset` further on. The caller keeps it within the family. */
export function plus(address: Address, offset: bigint): Address {
  return { family: address.family, bits: address.bits + offset }
}

/** Negative, 0 or positive, as sort wants it; IPv4 comes before IPv6. */
export function compare(a: Address, b: Address): number {
  if (a.family !== b.family) return a.family - b.family
  return a.bits < b.bits ? -1 : a.bits > b.bits ? 1 : 0
}

export function equal(a: Address, b: Address): boolean {
  return a.family === b.family && a.bits === b.bits
}

export function contains(prefix: Cidr, address: Address): boolean {
  return (
    prefix.family === address.family &&
    prefix.network.bits <= address.bits &&
    address.bits <= prefix.last.bits
  )
}

/** Whether two prefixes share an address: one then contains the other. */
export function overlap(a: Cidr, b: Cidr): boolean {
  return contains(a, b.network) || contains(b, a.network)
}

/** The canonical text: dotted decimal, or RFC 5952. Names of lease files depend on it. */
export function formatAddress(address: Address): string {
  return addressText(octetsOf(address))
}

/** `10.1.2.3/24`, host bits included. */
export function formatCidr({ address, prefix }: Pick<Cidr, 'address' | 'prefix'>): string {
  return `${formatAddress(address)}/${prefix}`
}

/** `10.1.2.0/24`. */
export function formatSubnet({ network, prefix }: Pick<Cidr, 'network' | 'prefix'>): string {
  return `${formatAddress(network)}/${prefix}`
}

/** The address, or in words why it is none. */
function read(text: string): Address | string {
  const octets = readAddress(text)
  if (octets === undefined) return faultOf(text)
  const bits = numberOf(octets)
  if (octets.length === 4) return { family: 4, bits }
  if (bits >> 32n !== 0xffffn) return { family: 6, bits }
  return `it is IPv4 in disguise, write ${formatAddress({ family: 4, bits: bits & 0xffffffffn })}`
}

function faultOf(text: string): string {
  if (text.includes(':')) return text.includes('%') ? 'a zone has no place here' : ''
  return /^[0-9.]+$/.test(text) ? 'want four decimal numbers from 0 to 255 without leading zeros' : ''
}

function numberOf(octets: Uint8Array): bigint {
  let bits = 0n
  for (const octet of octets) bits = (bits << 8n) | BigInt(octet)
  return bits
}

function octetsOf({ family, bits }: Address): Uint8Array {
  const octets = new Uint8Array(width(family) / 8)
  let left = bits
  for (let i = octets.length - 1; i >= 0; i--) {
    octets[i] = Number(left & 0xffn)
    left >>= 8n
  }
  return octets
}

function readCidr(value: unknown, key: string, wanted: string): Cidr {
  if (typeof value !== 'string') throw unwanted(key, wanted, value, 'not a string')
  const slash = value.indexOf('/')
  if (slash < 0) throw unwanted(key, wanted, value, 'the prefix length is missing')
  const address = read(value.slice(0, slash))
  if (typeof address === 'string') throw unwanted(key, wanted, value, address)
  const length = value.slice(slash + 1)
  if (!/^(0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > width(address.family)) {
    throw unwanted(key, wanted, value, `the prefix length goes from 0 to ${width(address.family)}`)
  }
  return cidr(address, Number(length))
}
