// The sandbox of an owner where nobody says its path: the other end of the host's link tells.
import type { Link } from '../netlink/route/link.ts'
import type { Host } from './host.ts'
import { type Owner, ownerTag } from './owner.ts'
import { tagOf } from './sandbox-link.ts'
import type { Sandbox } from './sandbox.ts'
import { vethName } from './veth.ts'

/**
 * Runs `deed` with the owner's link, in the namespace that it is in. Looks into all that can be reached, but only where
 * the host has the other end: mostly the namespace is gone, and that with it.
 */
export async function inVethSandbox(
  owner: Owner,
  host: Host,
  deed: (sandbox: Sandbox, link: Link) => Promise<void>,
): Promise<void> {
  const outside = await host.links.get(vethName(owner))
  if (outside?.alias !== ownerTag(owner)) return
  const { reachableSandboxes } = await import('./reachable.ts') // it reads all of /proc
  await reachableSandboxes(async sandbox => {
    const link = await sandbox.links.get(owner.ifname)
    if (link !== undefined && (await tagOf(link, host)) === ownerTag(owner)) await deed(sandbox, link)
  })
}
