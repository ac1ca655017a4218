// Where a container is whose namespace others share: found by the name of its namespace, or by the links that are its own.
import { TnetError } from '../errors.ts'
import type { Link } from '../netlink/route/link.ts'
import { getNsid, newNsid } from '../netlink/route/nsid.ts'
import type { Host } from './host.ts'
import { openNetns } from './netns.ts'
import { ownerOf, ownerTag } from './owner.ts'
import type { Sandbox } from './sandbox.ts'
import { saidTag } from './sandbox-link.ts'

export interface Search {
  /** The id of a container, or the name of a namespace. */
  readonly container: string
  /** Where namespaces are named. */
  readonly folders: readonly string[]
  readonly sandbox: Sandbox
  readonly host: Host
}

/** Whether the donor is in the sandbox, in another namespace, or in none that can be seen. */
export async function seekDonor(search: Search): Promise<'here' | 'elsewhere' | 'nowhere'> {
  const { container, folders, sandbox, host } = search
  const named = folders.flatMap(folder => namespaceAt(`${folder}/${container}`) ?? [])
  if (named.includes(sandbox.id)) return 'here'
  const isOwn = ownedBy(container)
  if ((await sandbox.links.list()).some(isOwn)) return 'here'
  const outside = (await host.links.list()).filter(isOwn)
  if (outside.length > 0) {
    const { nsid } = await host.route.get(getNsid, { fd: sandbox.fd }, newNsid)
    if (outside.some(({ linkNetnsid }) => linkNetnsid !== undefined && linkNetnsid === nsid)) return 'here'
  }
  const isElsewhere = named.length > 0 || outside.length > 0 || (await isInAny(isOwn))
  return isElsewhere ? 'elsewhere' : 'nowhere'
}

/** Device and inode, or undefined where there is no namespace. */
function namespaceAt(path: string): string | undefined {
  try {
    using netns = openNetns(path)
    return netns.id
  } catch (error) {
    if (error instanceof TnetError && error.code === 'BAD_NETNS') return undefined
    throw error
  }
}

/** By the tag, which has the id in its shortened form. */
function ownedBy(container: string): (link: Link) => boolean {
  const wanted = ownerOf(ownerTag({ network: 'any', containerId: container, ifname: 'any' }))?.containerId
  return link => wanted !== undefined && ownerOf(saidTag(link) ?? '')?.containerId === wanted
}

/** Macvlans and the like have no end on the host. Loaded when all else has failed: it reads all of /proc. */
async function isInAny(isOwn: (link: Link) => boolean): Promise<boolean> {
  const { reachableSandboxes } = await import('./reachable.ts')
  let found = false
  await reachableSandboxes(async ({ links }) => {
    found ||= (await links.list()).some(isOwn)
  })
  return found
}
