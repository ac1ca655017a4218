// Removes what of a network of links inside sandboxes belongs to no attachment any more.
import { isOfNetwork } from '../../net/child-link.ts'
import type { Host } from '../../net/host.ts'
import { type Attached, ownerTag } from '../../net/owner.ts'
import { sweep } from '../../steps.ts'
import type { Network } from '../driver.ts'
import { gcHostAccess } from './host-access.ts'
import type { ChildOptions } from './options.ts'
import { gcVlans } from './vlan-master.ts'

export async function gc(
  { name, options: { kind } }: Network<ChildOptions>,
  valid: readonly Attached[],
  host: Host,
): Promise<void> {
  const tags = new Set(valid.map(attached => ownerTag({ network: name, ...attached })))
  await sweep([
    // Which namespaces there are is a question of GC alone: other verbs do without its code.
    async () =>
      (await import('../../net/reachable-links.ts')).removeStaleLinks(
        link => link.linkInfo?.kind === kind && isOfNetwork(link, name) && !tags.has(link.alias ?? ''),
      ),
    ...(kind === 'macvlan' ? [() => gcHostAccess(name, valid, host), () => gcVlans(name, valid, host)] : []),
  ])
}
