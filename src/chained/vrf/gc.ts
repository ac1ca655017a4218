// Takes interfaces of attachments that are gone out of their VRFs, in all sandboxes that can be reached.
import type { Host } from '../../net/host.ts'
import { type Attached, networkTag, ownerTag } from '../../net/owner.ts'
import { reachableSandboxes } from '../../net/reachable.ts'
import { tagOf } from '../../net/sandbox-link.ts'
import { removeIdle } from './device.ts'
import { leave } from './vrf.ts'

export async function gc(network: string, valid: readonly Attached[], host: Host): Promise<void> {
  const kept = new Set(valid.map(attached => ownerTag({ network, ...attached })))
  await reachableSandboxes(async sandbox => {
    const links = await sandbox.links.list()
    if (!links.some(({ linkInfo }) => linkInfo?.kind === 'vrf')) return
    using _ = await host.sandboxTurn(sandbox)
    for (const link of links) {
      const tag = await tagOf(link, host)
      const isStale = tag !== undefined && tag.startsWith(networkTag(network)) && !kept.has(tag)
      if (isStale) await leave(sandbox, link.name ?? '')
    }
    await removeIdle(sandbox)
  })
}
