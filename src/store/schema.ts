// What the store holds: the records, and the keys that they stand under. Networks and endpoints are kept by the command
// line, leases by tnet-ipam.
//
//   networks/<id>                                 NetworkRecord
//   network-names/<name>                          NetworkNameRecord: a name is taken by making this key
//   endpoints/<network>/<container>/<ifname>      EndpointRecord
//   leases/<network>/<address>                    LeaseRecord
//   holders/<network>/<container>/<ifname>        HolderRecord: the same leases, found by whose they are
//   cursors/<network>                             CursorRecord, which changes with every claim
//
// <network> is a network's id. A claim changes the cursor and demands that the network is as it was read; a removal of
// the network demands that neither has changed since it found no leases. So one of the two sees the other.
import type { Owner } from '../net/owner.ts'

export interface SubnetRecord {
  /** CIDR without host bits. */
  readonly subnet: string
  readonly gateway?: string | undefined
  /** CIDR inside the subnet: where addresses are taken from that nobody asks for by number. */
  readonly ipRange?: string | undefined
  /** Names of other hosts, and the addresses that they have. */
  readonly aux?: Readonly<Record<string, string>> | undefined
}

export interface NetworkRecord {
  /** 64 hexadecimal digits. */
  readonly id: string
  readonly name: string
  readonly driver: string
  /** RFC 3339. */
  readonly created: string
  readonly internal: boolean
  readonly ipv6: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly options: Readonly<Record<string, string>>
  readonly ipam: { readonly subnets: readonly SubnetRecord[] }
  /** The addresses of a bridge that was there before the network; left out: the network made its bridge. */
  readonly adopted?: readonly string[] | undefined
}

export interface NetworkNameRecord {
  readonly id: string
}

export interface EndpointRecord {
  /** The network's id. */
  readonly network: string
  readonly containerId: string
  readonly ifname: string
  /** As whoever connected it called the sandbox: a name, a path or pid:N. */
  readonly sandbox: string
  /** The path of the network namespace. */
  readonly netns: string
  /** The boot of the machine and the namespace of the host's end: elsewhere nobody can tell whether it is still there. */
  readonly host: string
  /** Empty until it is connected. */
  readonly mac: string
  /** CIDRs. */
  readonly ips: readonly string[]
}

/** Through which door a lease was asked for: a runtime's GC knows its own containers alone. */
export type Origin = 'cni' | 'tnet'

/** `network` is the name that the door knows the network by. */
export interface LeaseRecord extends Owner {
  readonly origin: Origin
}

export interface HolderRecord extends LeaseRecord {
  readonly addresses: readonly string[]
}

/** The address that each set gave last, by the index of the set. */
export interface CursorRecord {
  readonly last: Readonly<Record<number, string>>
}

export const networksKey = (): string => 'networks/'
export const networkKey = (id: string): string => key('networks', id)
export const networkNameKey = (name: string): string => key('network-names', name)
export const endpointsKey = (network?: string): string => `${key('endpoints', ...some(network))}/`
export const endpointKey = (network: string, { containerId, ifname }: HolderName): string =>
  key('endpoints', network, containerId, ifname)
export const leasesKey = (network: string): string => `${key('leases', network)}/`
export const leaseKey = (network: string, address: string): string => key('leases', network, address)
export const holdersKey = (network: string): string => `${key('holders', network)}/`
export const holderKey = (network: string, { containerId, ifname }: HolderName): string =>
  key('holders', network, containerId, ifname)
export const cursorKey = (network: string): string => key('cursors', network)

type HolderName = Pick<Owner, 'containerId' | 'ifname'>

function some(part: string | undefined): string[] {
  return part === undefined ? [] : [part]
}

/** The parts, each of them free of slashes, so that none reaches into another's place. */
function key(...parts: readonly string[]): string {
  return parts.map(part => part.replaceAll(/[%/\p{Cc}]/gu, encodeURIComponent)).join('/')
}
