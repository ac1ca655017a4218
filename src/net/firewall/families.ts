// How rules speak of the two families of addresses.
import { cmp } from '../../netlink/netfilter/expr/cmp.ts'
import { meta } from '../../netlink/netfilter/expr/meta.ts'
import { fields } from '../../netlink/netfilter/expr/payload.ts'

export const octets = (...values: number[]): Uint8Array => Uint8Array.from(values)

/** The first `length` bits set, of as many bytes. */
export function mask(length: number, bytes: number): Uint8Array {
  return Uint8Array.from(
    { length: bytes },
    (_, index) => (0xff00 >> Math.min(8, Math.max(0, length - 8 * index))) & 0xff,
  )
}

export const FAMILIES = {
  4: {
    // meta nfproto ipv4
    only: [meta.load('nfproto', 1), cmp(1, '==', octets(2))],
    name: 'ip',
    type: 'ipv4_addr',
    bytes: 4,
    saddr: fields.ipSaddr,
    daddr: fields.ipDaddr,
    /** The register that follows an address in register 1. */
    second: 9,
  },
  6: {
    // meta nfproto ipv6
    only: [meta.load('nfproto', 1), cmp(1, '==', octets(10))],
    name: 'ip6',
    type: 'ipv6_addr',
    bytes: 16,
    saddr: fields.ip6Saddr,
    daddr: fields.ip6Daddr,
    second: 2,
  },
} as const

/** The register of what follows so many bytes in register 1: of 16 bytes where there is one, else of 4. */
export function registerAfter(bytes: number): number {
  return bytes % 16 === 0 ? 1 + bytes / 16 : 8 + bytes / 4
}
