// Links made by one request directly inside a sandbox, on top of a link elsewhere or on none: macvlan, ipvlan, vlan, dummy.
import type { NetlinkError } from '../netlink/error.ts'
import type { Link, LinkRequest } from '../netlink/route/link.ts'
import { digest } from './digest.ts'
import { addLink, randomIndex } from './links.ts'
import { networkTag, type Owner, ownerTag } from './owner.ts'
import { refuseExisting } from './sandbox-link.ts'
import type { Sandbox } from './sandbox.ts'
import type { Stack } from './stack.ts'

export interface ChildSpec {
  readonly owner: Owner
  /** The index of the link below, in the namespace that makes the link. */
  readonly lower?: number | undefined
  readonly linkInfo: NonNullable<LinkRequest['linkInfo']>
  readonly mtu?: number | undefined
  readonly mac?: string | undefined
}

/** How often a random index may be taken before that is no coincidence any more. */
const ATTEMPTS = 5

/**
 * Makes the link under its own name, down, by way of `from`: the namespace of the link below. Throws EXISTS.
 *
 * The kernel looks for the name in `from` as well, where another link may have it; it does not where the request names
 * an index. It takes no alias from such a request, but a group: until the alias is there, that says whose network it is.
 */
export async function addChildLink(from: Stack, sandbox: Sandbox, spec: ChildSpec): Promise<Link> {
  const { owner } = spec
  await refuseExisting(owner, sandbox)
  for (let attempt = 1; ; attempt++) {
    const index = randomIndex()
    try {
      const refused = await request(from, sandbox, { ...spec, index })
      if (refused === undefined) return await named(index, owner, sandbox)
      await refuseExisting(owner, sandbox)
      const isTaken = ['EEXIST', 'EBUSY'].includes(refused.code)
      if (!isTaken || attempt === ATTEMPTS) throw refused
    } catch (error) {
      await removeUnfinished(index, owner, sandbox) // also where the answer was lost, and nobody knows what was made
      throw error
    }
  }
}

async function request(
  from: Stack,
  sandbox: Sandbox,
  { owner, lower, linkInfo, mtu, mac, index }: ChildSpec & { readonly index: number },
): Promise<NetlinkError | undefined> {
  const link: LinkRequest = {
    index,
    name: owner.ifname,
    netnsFd: sandbox.fd,
    group: unfinishedGroup(owner.network),
    linkInfo,
    ...(lower === undefined ? {} : { link: lower }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(mac === undefined ? {} : { address: mac }),
  }
  const [refused] = await from.route.attempt([addLink(link)])
  return refused
}

async function named(index: number, owner: Owner, sandbox: Sandbox): Promise<Link> {
  await sandbox.links.set({ index, alias: ownerTag(owner), group: 0 })
  return sandbox.links.existing(owner.ifname)
}

async function removeUnfinished(index: number, owner: Owner, sandbox: Sandbox): Promise<void> {
  const link = await sandbox.links.get(index)
  if (link?.name !== owner.ifname) return
  const isOwn = link.alias === ownerTag(owner) || link.group === unfinishedGroup(owner.network)
  if (isOwn) await sandbox.links.remove({ index })
}

/** Whether the network's attachments alone can have made the link: by its alias, or by its group where a death came first. */
export function isOfNetwork(link: Link, network: string): boolean {
  if (link.alias !== undefined) return link.alias.startsWith(networkTag(network))
  return link.group === unfinishedGroup(network)
}

/** 31 bits, never 0, the group of all other links. */
function unfinishedGroup(network: string): number {
  return (Number.parseInt(digest(networkTag(network)).slice(0, 8), 16) >>> 1) | 1
}
