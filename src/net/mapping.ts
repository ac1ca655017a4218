// A published port: what reaches the host at it goes on to a container.
import { type Address, type Cidr, type Family, width } from './ip.ts'

export type Transport = 'tcp' | 'udp' | 'sctp'

export interface Mapping {
  readonly protocol: Transport
  readonly hostPort: number
  readonly containerPort: number
  /** The one address of the host that it is published on; undefined: all. */
  readonly hostIp: Address | undefined
  /** Those of which it takes packets. */
  readonly families: readonly Family[]
}

/** From the first to the last, both included: addresses as numbers, names of links as numbers of 16 bytes. */
export type Range = readonly [from: bigint, to: bigint]

/** Of a name with its zeros: IFNAMSIZ. */
export const NAME_BITS = 128
export const ALL_NAMES: Range = [0n, (1n << BigInt(NAME_BITS)) - 1n]

export function allAddresses(family: Family): Range {
  return [0n, (1n << BigInt(width(family))) - 1n]
}

/** Packets by where they come from, where they go and the link that they came in on. */
export interface Box {
  readonly saddr: Range
  readonly daddr: Range
  readonly iifname: Range
}

/** Which packets a container wants: those in any of these boxes. Undefined: all. */
export type Conditions = Readonly<Record<Family, readonly Box[] | undefined>>

export interface Publication {
  readonly mappings: readonly Mapping[]
  readonly conditions: Conditions
  /** The addresses of the container with their subnets, one of a family. */
  readonly targets: readonly Cidr[]
  /** Whose packets get the host's address: nobody's; of those that need it to get an answer; everybody's. */
  readonly masquerade: 'none' | 'needed' | 'all'
}

/** `8080/tcp`, as people write it. */
export function mappingName({ protocol, hostPort }: Pick<Mapping, 'protocol' | 'hostPort'>): string {
  return `${hostPort}/${protocol}`
}
