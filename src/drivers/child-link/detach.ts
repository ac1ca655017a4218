// Takes the link out of a sandbox, also where the sandbox is gone or is another's by now.
import type { Host } from '../../net/host.ts'
import { addressesAre, type LeavingPort } from '../../net/leaving-port.ts'
import { ownerTag } from '../../net/owner.ts'
import { ownLink } from '../../net/sandbox-link.ts'
import type { Link } from '../../netlink/route/link.ts'
import { sweep } from '../../steps.ts'
import type { Network } from '../driver.ts'
import { closeHostAccess } from './host-access.ts'
import type { ChildOptions } from './options.ts'
import { releaseVlan, vlanOf } from './vlan-master.ts'

export async function detach(
  { options }: Network<ChildOptions>,
  port: LeavingPort,
  host: Host,
): Promise<void> {
  const { owner } = port
  const vlan = vlanOf(options)
  await sweep([
    () => removeLink(options, port, host),
    // The configuration may have changed since ADD: what stands there says what there is to remove.
    () => (options.kind === 'macvlan' ? closeHostAccess(owner, host) : undefined),
    () => (vlan === undefined ? undefined : releaseVlan(vlan.name, owner, host)),
  ])
}

async function removeLink({ kind }: ChildOptions, port: LeavingPort, host: Host): Promise<void> {
  const { owner, sandbox } = port
  if (sandbox === undefined) return
  const link = await ownLink(owner, { sandbox, host, told: port })
  if (link?.linkInfo?.kind !== kind) return
  const isOurs = link.alias === ownerTag(owner) || (await mayBeOwners(link, port))
  if (isOurs) await sandbox.links.remove({ index: link.index })
}

/** Of links that share a MAC address, the addresses tell apart which one another implementation made for the owner. */
async function mayBeOwners({ index }: Link, { sandbox, addresses = [] }: LeavingPort): Promise<boolean> {
  if (addresses.length === 0 || sandbox === undefined) return true
  return (await addressesAre(addresses, sandbox, index)) !== 'others'
}
