// What the sets hold for an address, a port of a bridge, or a bridge.
import { encodeKey } from '../../netlink/netfilter/data-type.ts'
import type { Element } from '../../netlink/netfilter/element.ts'
import { type Address, cidr as cidrOf, type Cidr, formatAddress, formatCidr, width } from '../ip.ts'
import { localSet, ownSet, type Prefix } from './inet-table.ts'
import { BRIDGE, INET, type TableName } from './tables.ts'

/** Where an element stands. */
export interface Place {
  readonly table: TableName
  readonly set: string
  readonly key: Uint8Array
  /** The last key, where the element is an interval. */
  readonly keyEnd?: Uint8Array | undefined
}

/** An element as it should be. */
export interface Member extends Place {
  /** What a person calls it. */
  readonly name: string
  readonly comment?: string
  /** What a map maps it to. */
  readonly data?: Uint8Array
  /** What we keep with it for ourselves: nft does not show it, and drops it where it writes the element anew. */
  readonly note?: Uint8Array
}

/** The places of an address to be masqueraded: by itself, and together with its subnet. */
export function masquerade(cidr: Cidr): [Place, Place] {
  const { family, address, network } = cidr
  const type = `ipv${family}_addr` as const
  const text = formatAddress(address)
  return [
    { table: INET, set: ownSet(family), key: encodeKey([type], [text]) },
    { table: INET, set: localSet(cidr), key: encodeKey([type, type], [text, formatAddress(network)]) },
  ]
}

/** Wherever an address may stand, whatever the length of its subnet's prefix. */
export function masqueradeAnywhere(address: Address): Place[] {
  const all = Array.from({ length: width(address.family) + 1 }, (_, prefix) =>
    masquerade(cidrOf(address, prefix)),
  )
  return [...all.slice(0, 1).map(([own]) => own), ...all.map(([, local]) => local)]
}

export function masqueraded(cidr: Cidr, comment: string): Member[] {
  return masquerade(cidr).map(place => ({ ...place, name: formatCidr(cidr), comment }))
}

export function prefixesOf(cidrs: readonly Cidr[]): Prefix[] {
  return cidrs.map(({ family, prefix }) => ({ family, prefix }))
}

export function isSpoofSet(name: string): boolean {
  return name === 'spoofcheck' || name === 'spoofcheck_mac'
}

export function checkedPort(ifname: string): Place {
  return { table: BRIDGE, set: 'spoofcheck', key: encodeKey(['ifname'], [ifname]) }
}

export function checkedMac(key: Uint8Array): Place {
  return { table: BRIDGE, set: 'spoofcheck_mac', key }
}

/** Whether an element of `spoofcheck_mac` is about this port. */
export function isMacOf(ifname: string): (element: Element) => boolean {
  const name = encodeKey(['ifname'], [ifname])
  return ({ key }) => Buffer.compare(key?.value?.subarray(0, name.length) ?? new Uint8Array(), name) === 0
}

/** The port, and the port with its MAC address: that key is noted with the first, so that it can be found. */
export function spoofChecked(
  port: { readonly ifname: string; readonly mac: string },
  comment: string,
): Member[] {
  const { ifname, mac } = port
  const about = { name: `${ifname} from ${mac}`, comment }
  const key = encodeKey(['ifname', 'ether_addr'], [ifname, mac])
  return [
    { ...about, ...checkedPort(ifname), note: key },
    { ...about, ...checkedMac(key) },
  ]
}

export function isolated(bridge: string): Member[] {
  const about = { table: INET, name: bridge }
  return [
    { ...about, set: 'bridges', key: encodeKey(['ifname'], [bridge]) },
    { ...about, set: 'bridges_self', key: encodeKey(['ifname', 'ifname'], [bridge, bridge]) },
  ]
}

export function internal(bridge: string): Member {
  return { table: INET, name: bridge, set: 'internal', key: encodeKey(['ifname'], [bridge]) }
}
