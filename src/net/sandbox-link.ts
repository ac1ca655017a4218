// Whose a link in a sandbox is: a path may lead to another container's namespace by now.
import { TnetError } from '../errors.ts'
import type { Link } from '../netlink/route/link.ts'
import { markedTag, marksOf } from './device-mark.ts'
import type { Host } from './host.ts'
import { isAsTold, type Told } from './leaving-port.ts'
import { type Owner, ownerOf, ownerTag } from './owner.ts'
import type { Sandbox } from './sandbox.ts'

/**
 * The owner's link in the sandbox; undefined where there is none, or where it is another container's. A link of ours
 * says whose it is, itself or by its other end. One that another implementation made has to be what its ADD told.
 */
export async function ownLink(
  owner: Owner,
  {
    sandbox,
    host,
    told = {},
  }: { readonly sandbox: Sandbox; readonly host: Host; readonly told: Told | undefined },
): Promise<Link | undefined> {
  const link = await sandbox.links.get(owner.ifname)
  if (link === undefined) return undefined
  const tag = await tagOf(link, host)
  if (tag !== undefined) return tag === ownerTag(owner) ? link : undefined
  return (await isAsTold(link, sandbox, told)) ? link : undefined
}

/** Throws EXISTS where the sandbox has a link of the owner's name. */
export async function refuseExisting({ ifname }: Owner, sandbox: Sandbox): Promise<void> {
  if ((await sandbox.links.get(ifname)) === undefined) return
  throw new TnetError(
    'EXISTS',
    `${ifname} exists already in ${sandbox.path}`,
    'DEL the attachment that it belongs to, or ask for another interface name',
  )
}

/** Whose the link is, by its own words or by those of its other end. */
export async function tagOf(link: Link, host: Host): Promise<string | undefined> {
  return saidTag(link) ?? otherEndsTag(link, host)
}

/** Whose the link is by its own words: a link of ours says it by its alias, a device of the host by its mark. */
export function saidTag(link: Link): string | undefined {
  return [link.alias ?? '', ...marksOf(link).map(markedTag)].find(tag => ownerOf(tag) !== undefined)
}

/** What the host's end of a veth pair says. */
async function otherEndsTag(inside: Link, host: Host): Promise<string | undefined> {
  const outside = await otherEnd(inside, host)
  return outside?.alias !== undefined && ownerOf(outside.alias) ? outside.alias : undefined
}

/** The host's end of the owner's veth pair; undefined where the link in the sandbox is of another kind. */
export async function hostEnd(owner: Owner, inside: Link, host: Host): Promise<Link | undefined> {
  const outside = await otherEnd(inside, host)
  const isOthers = outside?.alias !== undefined && ownerOf(outside.alias) && outside.alias !== ownerTag(owner)
  return isOthers ? undefined : outside
}

async function otherEnd(inside: Link, host: Host): Promise<Link | undefined> {
  if (inside.linkInfo?.kind !== 'veth' || inside.link === undefined) return undefined
  const outside = await host.links.get(inside.link)
  return outside?.link === inside.index && outside.linkInfo?.kind === 'veth' ? outside : undefined
}
