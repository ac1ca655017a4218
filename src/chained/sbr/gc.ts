// Takes the rules of attachments that are gone out of all sandboxes that can be reached.
import type { Host } from '../../net/host.ts'
import { type Attached, networkTag, ownerTag } from '../../net/owner.ts'
import { reachableSandboxes } from '../../net/reachable.ts'
import { isOurs, Rules } from '../../net/rules.ts'
import { tagOf } from '../../net/sandbox-link.ts'
import { clear } from './sbr.ts'

export async function gc(network: string, valid: readonly Attached[], host: Host): Promise<void> {
  const kept = new Set(valid.map(attached => ownerTag({ network, ...attached })))
  await reachableSandboxes(async sandbox => {
    if (!(await new Rules(sandbox).list()).some(isOurs)) return
    for (const link of await sandbox.links.list()) {
      const tag = await tagOf(link, host)
      if (tag === undefined || !tag.startsWith(networkTag(network)) || kept.has(tag)) continue
      await clear(sandbox, link, host)
    }
  })
}
