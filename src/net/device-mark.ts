// Whose a device of the host is while it is in a sandbox: an alternative name says it, which the kernel takes along from
// namespace to namespace. The alias has the name that the device had, where the reference keeps it, too.
import type { Link } from '../netlink/route/link.ts'
import { isInterfaceName } from './names.ts'
import { networkTag, type Owner, ownerOf, ownerTag } from './owner.ts'

const PREFIX = 'tnet+'

/** `tnet+NETWORK+CONTAINER+IFNAME`: the owner's tag without spaces, at most 127 bytes. */
export function markOf(owner: Owner): string {
  return joined(ownerTag(owner))
}

/** What the marks of all owners on `network` begin with. */
export function networkMark(network: string): string {
  return joined(networkTag(network))
}

export function marksOf({ alternativeNames }: Link): string[] {
  return (alternativeNames?.names ?? []).filter(name => name.startsWith(PREFIX))
}

/** The owner's tag that a mark was made of. */
export function markedTag(mark: string): string {
  return mark.replace(/^tnet\+([^+]+)\+([^+]+)\+/, 'tnet $1 $2 ')
}

/** The owner that a mark names, in the shortened form. */
export function markedOwner(mark: string): Owner | undefined {
  return ownerOf(markedTag(mark))
}

/** The name that the device has on the host; undefined where its alias can be none. */
export function originalName({ alias = '' }: Link): string | undefined {
  return isInterfaceName(alias) ? alias : undefined
}

function joined(tag: string): string {
  return tag.replaceAll(' ', '+')
}
