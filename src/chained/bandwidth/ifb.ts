// The link that what is received passes through: the kernel holds up only what a link sends.
import { TnetError } from '../../errors.ts'
import { addLink, changeLink } from '../../net/links.ts'
import { type Change, make } from '../../net/batch.ts'
import { type Owner, ownerTag } from '../../net/owner.ts'
import { referenceName } from '../../net/reference-name.ts'
import type { Stack } from '../../net/stack.ts'
import type { Link } from '../../netlink/route/link.ts'

const UP = new Set(['up'] as const)
const NAME = 15

/** The reference's name, and one for another interface of the same container on the same network, which it has none for. */
async function namesOf({ network, containerId, ifname }: Owner): Promise<readonly string[]> {
  return [
    await referenceName('bwp', NAME, `${network}${containerId}`),
    await referenceName('bwp', NAME, `${network}${containerId}\0${ifname}`),
  ]
}

/** The owner's link; on the host, one that does not say whose it is is the reference's. */
export async function findIfb(
  stack: Stack,
  owner: Owner,
  { reference }: { readonly reference: boolean },
): Promise<Link | undefined> {
  const tag = ownerTag(owner)
  for (const [i, name] of (await namesOf(owner)).entries()) {
    const link = await stack.links.get(name)
    if (link?.linkInfo?.kind !== 'ifb') continue
    if (link.alias === tag || (reference && i === 0 && link.alias === undefined)) return link
  }
  return undefined
}

/** Makes one, up. It says whose it is from the moment that it is there. */
export async function addIfb(stack: Stack, owner: Owner, mtu: number): Promise<Link> {
  for (const name of await namesOf(owner)) {
    if ((await stack.links.get(name)) !== undefined) continue
    const changes: Change[] = [
      { name: `add ifb ${name}`, request: addLink({ name, mtu, linkInfo: { kind: 'ifb' } }) },
      {
        name: `set up ${name}`,
        request: changeLink({ name, alias: ownerTag(owner), flags: UP, change: UP }),
      },
    ]
    return make(stack.route, changes, {
      finish: () => stack.links.existing(name),
      undo: () => stack.links.remove({ name }),
    })
  }
  throw new TnetError('EXISTS', `ifb of ${owner.containerId}: other links have its names`, 'remove them')
}
