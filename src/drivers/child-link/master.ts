// The link that others are made on.
import { TnetError } from '../../errors.ts'
import type { Stack } from '../../net/stack.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { ChildOptions } from './options.ts'

/** More names than this make no error clearer. */
const SHOWN = 12

/** Throws NOT_FOUND where there is none, UNAVAILABLE where it is down and must not be, BAD_CONFIG where the mtu exceeds its own. */
export async function findMaster(options: ChildOptions, from: Stack): Promise<Link> {
  const { master, mtu, needsUp } = options
  const link = master === undefined ? await byDefaultRoute(options, from) : await from.links.get(master)
  if (link === undefined) throw await missing(`master ${master}: there is no such link`, options, from)
  return checkedMaster(link, { mtu, needsUp })
}

export function checkedMaster(link: Link, { mtu, needsUp }: Pick<ChildOptions, 'mtu' | 'needsUp'>): Link {
  const { name, mtu: most } = link
  if (mtu !== undefined && most !== undefined && mtu > most) {
    throw new TnetError('BAD_CONFIG', `mtu: want at most ${most}, that of the master ${name}, got ${mtu}`)
  }
  if (needsUp && !link.flags.has('up')) {
    throw new TnetError('UNAVAILABLE', `master ${name}: it is down`, `set it up: ip link set ${name} up`)
  }
  return link
}

/** The link of the first default route, that of IPv4 before that of IPv6, the lowest metric first. */
async function byDefaultRoute(options: ChildOptions, from: Stack): Promise<Link> {
  const index = await from.routes.defaultLink()
  const link = index === undefined ? undefined : await from.links.get(index)
  if (link === undefined)
    throw await missing('master: none is named, and there is no default route', options, from)
  return link
}

async function missing(what: string, { inSandbox }: ChildOptions, from: Stack): Promise<TnetError> {
  const names = (await from.links.list()).flatMap(({ name, flags }) =>
    name === undefined || flags.has('loopback') ? [] : [name],
  )
  const shown = names.length > SHOWN ? [...names.slice(0, SHOWN), '...'] : names
  const place = inSandbox ? 'the sandbox' : 'the host'
  return new TnetError('NOT_FOUND', `${what}; ${place} has ${shown.join(', ') || 'none but lo'}`)
}
