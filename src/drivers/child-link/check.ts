// Holds what ADD made inside a sandbox, and on the host for it, against what is there.
import { TnetError } from '../../errors.ts'
import type { AssignedAddress } from '../../net/assignment.ts'
import type { Host } from '../../net/host.ts'
import { kindOf } from '../../net/links.ts'
import { ownerTag } from '../../net/owner.ts'
import type { Interface } from '../../net/result.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { Network, Port } from '../driver.ts'
import { checkMtu } from '../told-mtu.ts'
import { checkHostAccess } from './host-access.ts'
import type { ChildOptions } from './options.ts'
import { isUsedBy, vlanOf } from './vlan-master.ts'

type Checked = Port & {
  readonly addresses: readonly AssignedAddress[]
  readonly interfaces: readonly Interface[]
}

/** Throws CHECK_FAILED naming the first thing that is missing or changed. */
export async function check({ options }: Network<ChildOptions>, port: Checked, host: Host): Promise<void> {
  const { owner, sandbox } = port
  const link = await sandbox.links.get(owner.ifname)
  if (link === undefined) throw failed(`${owner.ifname} is gone from ${sandbox.path}`)
  checkLink(options, link)
  if (options.mtu !== undefined) checkMtu(link, port.interfaces)
  const master = await checkMaster(options, link, port, host)
  // What another implementation made has nothing on the host.
  if (link.alias !== ownerTag(owner) || master === undefined) return
  if (options.hostAccess && port.addresses.length > 0) await checkHostAccess({ ...port, master }, host)
}

function checkLink({ kind, data }: ChildOptions, link: Link): void {
  const { name, linkInfo } = link
  if (linkInfo?.kind !== kind) throw failed(`${name} is a ${kindOf(link)}, want a ${kind}`)
  const found = { ...linkInfo.data } as Readonly<Record<string, unknown>>
  for (const [key, wanted] of Object.entries(data)) {
    if (found[key] !== wanted)
      throw failed(`${name} has the ${key} ${String(found[key])}, want ${String(wanted)}`)
  }
}

/** The link below; undefined for a kind that has none. */
async function checkMaster(
  options: ChildOptions,
  link: Link,
  { owner, sandbox }: Checked,
  host: Host,
): Promise<Link | undefined> {
  if (options.on === 'nothing') return undefined
  const { master, inSandbox } = options
  const from = inSandbox ? sandbox : host
  const below = link.link === undefined ? undefined : await from.links.get(link.link)
  const isElsewhere = (link.linkNetnsid === undefined) !== inSandbox
  if (below === undefined || isElsewhere || (master !== undefined && below.name !== master)) {
    throw failed(`${link.name} is not on ${master ?? 'a link'} of ${inSandbox ? 'the sandbox' : 'the host'}`)
  }
  if (vlanOf(options) !== undefined && link.alias === ownerTag(owner) && !isUsedBy(below, owner)) {
    throw failed(`${below.name} does not know that ${owner.containerId} uses it`)
  }
  if (options.needsUp && !below.flags.has('up')) throw failed(`the master ${below.name} is down`)
  return below
}

function failed(message: string): TnetError {
  return new TnetError('CHECK_FAILED', message, 'DEL and ADD the container again')
}
