// Takes the limits of an interface away, ours and the reference's, whatever of it is left.
import type { LeavingLinkedPort } from '../../drivers/driver.ts'
import type { Host } from '../../net/host.ts'
import { toldOf } from '../../net/leaving-port.ts'
import { type Owner, ownerTag } from '../../net/owner.ts'
import { hostEnd, ownLink } from '../../net/sandbox-link.ts'
import type { Stack } from '../../net/stack.ts'
import { Traffic } from '../../net/traffic.ts'
import { vethName } from '../../net/veth.ts'
import type { Link } from '../../netlink/route/link.ts'
import { sweep } from '../../steps.ts'
import { findIfb } from './ifb.ts'

export async function detach({ owner, sandbox, result }: LeavingLinkedPort, host: Host): Promise<void> {
  const inside = sandbox && (await ownLink(owner, { sandbox, host, told: toldOf(owner, result) }))
  const outside = inside ? await hostEnd(owner, inside, host) : await taggedVeth(owner, host)
  await sweep([
    async () => unlimitLink(host, outside, await findIfb(host, owner, { reference: true })),
    async () => {
      if (sandbox === undefined) return
      const ifb = await findIfb(sandbox, owner, { reference: false })
      await unlimitLink(sandbox, outside === undefined ? inside : undefined, ifb)
    },
  ])
}

async function taggedVeth(owner: Owner, host: Host): Promise<Link | undefined> {
  const link = await host.links.get(vethName(owner))
  return link?.alias === ownerTag(owner) ? link : undefined
}

/** The redirection goes first: it would drop what it redirects to a link that is gone. */
export async function unlimitLink(
  stack: Stack,
  link: Link | undefined,
  ifb: Link | undefined,
): Promise<void> {
  const traffic = new Traffic(stack)
  await sweep([
    () => link && traffic.undirect(link.index, ifb?.index),
    () => link && traffic.unlimit(link.index),
    () => ifb && stack.links.remove({ index: ifb.index }),
  ])
}
