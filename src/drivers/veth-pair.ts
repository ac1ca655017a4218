// The veth pair of an attachment, both ends as they are now.
import { TnetError } from '../errors.ts'
import type { Host } from '../net/host.ts'
import type { Owner } from '../net/owner.ts'
import type { Sandbox } from '../net/sandbox.ts'
import type { Link } from '../netlink/route/link.ts'

export interface VethPair {
  readonly inside: Link
  readonly outside: Link
}

/** Throws CHECK_FAILED where an end is missing, or the host's is down. */
export async function checkPair(owner: Owner, sandbox: Sandbox, host: Host): Promise<VethPair> {
  const inside = await sandbox.links.get(owner.ifname)
  if (inside === undefined) throw failed(`${owner.ifname} is gone from ${sandbox.path}`)
  const outside = inside.link === undefined ? undefined : await host.links.get(inside.link)
  if (inside.linkInfo?.kind !== 'veth' || outside?.link !== inside.index) {
    throw failed(`${owner.ifname} in ${sandbox.path} is no veth with its other end on this host`)
  }
  if (!outside.flags.has('up')) throw failed(`${outside.name} is down`)
  return { inside, outside }
}

function failed(message: string): TnetError {
  return new TnetError('CHECK_FAILED', message, 'DEL and ADD the container again')
}
