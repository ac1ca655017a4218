// A port that is about to go, and what tells its link from another container's: a path may lead to that one's by now.
import type { Link } from '../netlink/route/link.ts'
import { formatCidr, parseCidr } from './ip.ts'
import type { Owner } from './owner.ts'
import type { AttachResult } from './result.ts'
import type { Sandbox } from './sandbox.ts'

/** What ADD told of the link in the sandbox; undefined is what nobody knows. */
export interface Told {
  /** With their subnets. */
  readonly addresses?: readonly string[] | undefined
  readonly mac?: string | undefined
}

/** Its sandbox may be gone; what ADD told of it may be unknown. */
export interface LeavingPort extends Told {
  readonly owner: Owner
  readonly sandbox: Sandbox | undefined
}

/** Of the owner's link, where there is a result. */
export function toldOf({ ifname }: Owner, result: AttachResult | undefined): Told {
  const link = result?.interfaces.find(({ name, sandbox }) => name === ifname && sandbox)
  return { addresses: result?.ips.map(({ address }) => address), mac: link?.mac || undefined }
}

/**
 * Whether a link of another implementation can be the one: by its MAC address or by an address, since a plugin behind in
 * the list may have changed the one, and somebody the others. Where nothing is known, it can.
 */
export async function isAsTold(
  link: Link,
  sandbox: Sandbox,
  { mac, addresses = [] }: Told,
): Promise<boolean> {
  if (mac === undefined && addresses.length === 0) return true
  if (mac?.toLowerCase() === link.address) return true
  return (await addressesAre(addresses, sandbox, link.index)) === 'told'
}

/** Whether the link has any of the addresses `told`, with its prefix, or none at all but the kernel's own. */
export async function addressesAre(
  told: readonly string[],
  sandbox: Sandbox,
  index: number,
): Promise<'told' | 'others' | 'none'> {
  const has = (await sandbox.addresses.list(index)).filter(({ scope }) => scope !== 'link')
  if (has.length === 0) return 'none'
  const wanted = new Set(told.map(cidr => formatCidr(parseCidr(cidr, 'address'))))
  return has.some(({ cidr }) => wanted.has(cidr)) ? 'told' : 'others'
}
