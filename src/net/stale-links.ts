// Links of a network that belong to no attachment any more.
import type { Link } from '../netlink/route/link.ts'
import { type Attached, networkTag, ownerTag } from './owner.ts'
import type { Stack } from './stack.ts'

/** The links in this namespace whose alias names an owner on `network` that is none of `valid`. */
export async function staleLinks(stack: Stack, network: string, valid: readonly Attached[]): Promise<Link[]> {
  const kept = new Set(valid.map(attached => ownerTag({ network, ...attached })))
  const links = await stack.links.list()
  return links.filter(({ alias = '' }) => alias.startsWith(networkTag(network)) && !kept.has(alias))
}
