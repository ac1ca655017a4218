// A master such as eth0.10 that is made with its first user, and removed with its last. Its alias says that it is ours;
// each user is an alternative name of it, so that who counts them asks the kernel.
import { TnetError } from '../../errors.ts'
import { change } from '../../net/batch.ts'
import { digest } from '../../net/digest.ts'
import type { Host } from '../../net/host.ts'
import { addLink, addNames, changeLink } from '../../net/links.ts'
import { type Attached, networkTag, type Owner, ownerTag } from '../../net/owner.ts'
import type { Link } from '../../netlink/route/link.ts'
import { sweep } from '../../steps.ts'
import type { ChildOptions } from './options.ts'

/** The alias of what we made. */
const OURS = 'tnet-vlan'

export interface Vlan {
  /** `eth0.10` */
  readonly name: string
  readonly lower: string
  readonly id: number
}

/** The VLAN that the master's name speaks of, where such a one is to be made. */
export function vlanOf({ makesVlan, inSandbox, master = '' }: ChildOptions): Vlan | undefined {
  const [, lower = '', digits = ''] = /^(.+)\.([1-9][0-9]{0,3})$/.exec(master) ?? []
  const id = Number(digits)
  return makesVlan && !inSandbox && lower !== '' && id <= 4094 ? { name: master, lower, id } : undefined
}

/**
 * Takes the VLAN into use, and makes it where it is missing. Undefined where there is no link to make it on, and where
 * one of the name stands that is not ours: that is nothing for us to remove.
 */
export async function openVlan(vlan: Vlan, owner: Owner, host: Host): Promise<Link | undefined> {
  if (!(await isForUs(vlan, host))) return undefined
  using _lock = await lock(vlan.name, host)
  const found = await host.links.get(vlan.name)
  if (found !== undefined && found.alias !== OURS) return undefined
  if (found !== undefined) await use(vlan.name, owner, host)
  else if (!(await add(vlan, owner, host))) return undefined
  // Its sandboxes' networks must not configure the host.
  await host.sysctl.setIfPresent(`net/ipv6/conf/${vlan.name}/accept_ra`, '0')
  await host.links.up({ name: vlan.name })
  return host.links.existing(vlan.name)
}

/** Asked before the lock, whose file would stay. */
async function isForUs({ name, lower }: Vlan, host: Host): Promise<boolean> {
  const found = await host.links.get(name)
  return found === undefined ? (await host.links.get(lower)) !== undefined : found.alias === OURS
}

/** Made, marked and in use by one system call: no death leaves one that nobody removes. */
async function add({ name, lower, id }: Vlan, owner: Owner, host: Host): Promise<boolean> {
  const below = await host.links.get(lower)
  if (below === undefined) return false
  if (!below.flags.has('up')) {
    throw new TnetError(
      'UNAVAILABLE',
      `${lower}, below ${name}: it is down`,
      `set it up: ip link set ${lower} up`,
    )
  }
  const index = await host.links.freeIndex()
  await change(host.route, [
    {
      name: `add VLAN ${id} of ${lower} as ${name}`,
      request: addLink({ index, name, link: below.index, linkInfo: { kind: 'vlan', data: { id } } }),
    },
    { name: `mark ${name}`, request: changeLink({ index, alias: OURS }) },
    { name: `use ${name}`, request: addNames({ index }, [userName(owner)]), fine: ['EEXIST'] },
  ])
  return true
}

async function use(name: string, owner: Owner, host: Host): Promise<void> {
  const request = addNames({ name }, [userName(owner)])
  await change(host.route, [{ name: `use ${name}`, request, fine: ['EEXIST'] }])
}

/** Ends the owner's use, and removes the link with its last user. */
export async function releaseVlan(name: string, owner: Owner, host: Host): Promise<void> {
  await release(name, host, user => user === userName(owner))
}

/** Ends every use of the network that is none of `valid`. */
export async function gcVlans(network: string, valid: readonly Attached[], host: Host): Promise<void> {
  const users = new Set(valid.map(attached => userName({ network, ...attached })))
  const isStale = (user: string) => user.startsWith(userPrefix(network)) && !users.has(user)
  const ours = (await host.links.list()).filter(({ alias }) => alias === OURS)
  await sweep(
    ours.map(
      ({ name = '' }) =>
        () =>
          release(name, host, isStale),
    ),
  )
}

async function release(name: string, host: Host, isToGo: (user: string) => boolean): Promise<void> {
  if ((await host.links.get(name))?.alias !== OURS) return
  using _lock = await lock(name, host)
  const link = await host.links.get(name)
  if (link?.alias !== OURS) return
  const users = usersOf(link)
  const staying = users.filter(user => !isToGo(user))
  if (staying.length === 0) return host.links.remove({ index: link.index })
  if (staying.length < users.length) await host.links.removeNames({ index: link.index }, users.filter(isToGo))
}

/** Whether the owner is among the users of a link that is ours. */
export function isUsedBy(link: Link, owner: Owner): boolean {
  return link.alias !== OURS || usersOf(link).includes(userName(owner))
}

function usersOf({ alternativeNames }: Link): string[] {
  return (alternativeNames?.names ?? []).filter(name => name.startsWith(USER))
}

/** One process at a time looks who uses a VLAN, and makes or removes it. */
async function lock(name: string, host: Host): Promise<Disposable> {
  return host.lock(`vlan-${name}`)
}

const USER = 'tnet-use-'

function userName(owner: Owner): string {
  return `${userPrefix(owner.network)}${digest(ownerTag(owner))}`
}

function userPrefix(network: string): string {
  return `${USER}${digest(networkTag(network))}-`
}
