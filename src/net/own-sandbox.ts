// The sandbox of an owner where nobody says its path: the other end of the host's link tells, or the record of a device.
import type { Link } from '../netlink/route/link.ts'
import { markOf, marksOf } from './device-mark.ts'
import { DeviceRecords } from './device-records.ts'
import type { Host } from './host.ts'
import { type Owner, ownerTag } from './owner.ts'
import { tagOf } from './sandbox-link.ts'
import type { Sandbox } from './sandbox.ts'
import { vethName } from './veth.ts'

/**
 * Runs `deed` with the owner's link, in the namespace that it is in. Looks into all that can be reached, but only where
 * the host has its other end, or has lent a device: mostly the namespace is gone, and that with it.
 */
export async function inOwnSandbox(
  owner: Owner,
  host: Host,
  deed: (sandbox: Sandbox, link: Link) => Promise<void>,
): Promise<void> {
  const outside = await host.links.get(vethName(owner))
  const device = new DeviceRecords(host.runDir).get(markOf(owner))
  if (outside?.alias !== ownerTag(owner) && device === undefined) return
  const { reachableSandboxes } = await import('./reachable.ts') // it reads all of /proc
  await reachableSandboxes(async sandbox => {
    const link = await sandbox.links.get(owner.ifname)
    if (link !== undefined && (await tagOf(link, host)) === ownerTag(owner)) await deed(sandbox, link)
  })
}

/** The device that was lent to the owner, where the kernel has brought it back to the host with the sandbox's end. */
export async function deviceBack(owner: Owner, host: Host): Promise<Link | undefined> {
  const mark = markOf(owner)
  const record = new DeviceRecords(host.runDir).get(mark)
  return record && (await host.links.list()).find(link => marksOf(link).includes(mark) && record.isOf(link))
}
