// payload: bytes of the packet into a register, or back.
import { attributes } from '../../../wire/attributes.ts'
import { be32, enumeration } from '../../../wire/codec.ts'
import { register } from '../data.ts'

const BASES = { link: 0, network: 1, transport: 2, inner: 3 } as const

/** NFTA_PAYLOAD_* */
export const payloadAttributes = attributes({
  dreg: [1, register],
  base: [2, enumeration(be32, BASES)],
  offset: [3, be32],
  length: [4, be32],
  sreg: [5, register],
  checksumType: [6, enumeration(be32, { none: 0, inet: 1, sctp: 2 })],
  checksumOffset: [7, be32],
  /** 1: the checksum of the transport header covers these bytes too. */
  checksumFlags: [8, be32],
})

/** Where a field of a header lies. */
export interface Field {
  readonly base: keyof typeof BASES
  readonly offset: number
  readonly length: number
}

/** The fields by their names in nft, the header first. */
export const fields = {
  etherDaddr: { base: 'link', offset: 0, length: 6 },
  etherSaddr: { base: 'link', offset: 6, length: 6 },
  etherType: { base: 'link', offset: 12, length: 2 },
  /** Who an ARP packet says that its sender is. */
  arpSaddrEther: { base: 'network', offset: 8, length: 6 },
  ipProtocol: { base: 'network', offset: 9, length: 1 },
  ipSaddr: { base: 'network', offset: 12, length: 4 },
  ipDaddr: { base: 'network', offset: 16, length: 4 },
  ip6Nexthdr: { base: 'network', offset: 6, length: 1 },
  ip6Saddr: { base: 'network', offset: 8, length: 16 },
  ip6Daddr: { base: 'network', offset: 24, length: 16 },
  thSport: { base: 'transport', offset: 0, length: 2 },
  thDport: { base: 'transport', offset: 2, length: 2 },
} as const satisfies Record<string, Field>

export const payload = {
  /** `payload.load(fields.ipSaddr, 1)` */
  load: ({ base, offset, length }: Field, register: number) =>
    ({ name: 'payload', data: { dreg: register, base, offset, length } }) as const,
}
