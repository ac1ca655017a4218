// Pairs of virtual Ethernet links, one end on the host, the other made inside a sandbox.
import { errnoCode, TnetError } from '../errors.ts'
import type { Link, LinkRequest } from '../netlink/route/link.ts'
import { type Change, make } from './batch.ts'
import { digest } from './digest.ts'
import { isAsTold, type LeavingPort } from './leaving-port.ts'
import { addLink, addNames, changeLink } from './links.ts'
import { type Owner, ownerTag } from './owner.ts'
import type { Sandbox } from './sandbox.ts'
import type { Stack } from './stack.ts'

const UP = new Set(['up'] as const)
/** What the kernel takes as an interface name without its NUL, and as an alternative name. */
const NAME = 15
const ALTERNATIVE_NAME = 127

/** The host's end of an owner's pair. It can be computed again where all other records are gone. */
export function vethName({ network, containerId, ifname }: Owner): string {
  return hashedName(`${network}\0${containerId}\0${ifname}`)
}

/** `veth` and 44 bits of a digest of `text`. */
export function hashedName(text: string): string {
  return `veth${digest(text).slice(0, NAME - 4)}`
}

export interface VethSpec {
  readonly owner: Owner
  readonly mtu?: number | undefined
  /** Of the sandbox's end. */
  readonly mac: string
  readonly hostMac: string
  /** The bridge of the host's end, and what it is as its port. */
  readonly master?: number | undefined
  readonly port?: LinkRequest['linkInfo']
}

/**
 * Makes the pair and names its host's end, in one system call: nothing can leave a pair that does not say whose it
 * is. The host's end is up, the sandbox's down. Answers with the name of the host's end.
 */
export async function addVeth(host: Stack, sandbox: Sandbox, spec: VethSpec): Promise<string> {
  const { owner, mac, hostMac } = spec
  const name = vethName(owner)
  const mtu = spec.mtu === undefined ? {} : { mtu: spec.mtu }
  const peer: LinkRequest = {
    name: owner.ifname,
    netnsFd: sandbox.fd,
    ...mtu,
    address: mac,
  }
  const master = spec.master === undefined ? {} : { master: spec.master }
  const changes: Change[] = [
    {
      name: `add veth pair ${name} and ${owner.ifname}`,
      request: addLink({ name, ...mtu, address: hostMac, linkInfo: { kind: 'veth', data: { peer } } }),
    },
    {
      name: `set up ${name}`,
      request: changeLink({ name, alias: ownerTag(owner), ...master, flags: UP, change: UP }),
    },
    ...alternativeNames(owner).map(each => ({
      name: `name ${name} ${each}`,
      request: addNames({ name }, [each]),
      fine: ['EEXIST', 'EOPNOTSUPP', 'EINVAL'], // a convenience: another link may have the name, old kernels have none
    })),
  ]
  if (spec.port !== undefined) {
    changes.push({ name: `set bridge port ${name}`, request: changeLink({ name, linkInfo: spec.port }) })
  }
  // The changes after one that failed are tried too: they must not meet the link of an earlier attachment.
  if ((await host.links.get(name)) !== undefined) throw exists(owner, sandbox)
  try {
    return await make(host.route, changes, {
      finish: async () => name,
      undo: () => host.links.remove({ name }),
    })
  } catch (error) {
    throw errnoCode(error) === 'EEXIST' ? exists(owner, sandbox) : error
  }
}

/**
 * Removes an owner's pair: by the host's end, whose name follows from the owner. Where there is none, the pair was made
 * by another implementation: then by the end in the sandbox, where it is what ADD told, and `isTheirs` takes its other
 * end for one. Whatever else has the name there is somebody else's, who has been given the namespace since.
 */
export async function removeVeth(
  host: Stack,
  leaving: LeavingPort,
  isTheirs: (outside: Link) => boolean | Promise<boolean>,
): Promise<void> {
  const { owner, sandbox } = leaving
  const link = await host.links.get(vethName(owner))
  if (link?.alias === ownerTag(owner)) return host.links.remove({ index: link.index })
  const inside = await sandbox?.links.get(owner.ifname)
  if (sandbox === undefined || inside?.linkInfo?.kind !== 'veth') return
  const outside = inside.link === undefined ? undefined : await host.links.get(inside.link)
  if (outside === undefined || outside.link !== inside.index || outside.alias?.startsWith('tnet ')) return
  if ((await isAsTold(inside, sandbox, leaving)) && (await isTheirs(outside)))
    await sandbox.links.remove({ index: inside.index })
}

function exists({ ifname, containerId }: Owner, sandbox: Sandbox): TnetError {
  return new TnetError(
    'EXISTS',
    `${ifname} exists already in ${sandbox.path}, or container ${containerId} has one elsewhere`,
    'DEL the attachment that it belongs to, or ask for another interface name',
  )
}

/** What people and tools know the link by: the container's name in full, and one that fits an interface name. */
function alternativeNames({ containerId, ifname }: Owner): string[] {
  const full = `${containerId}.${ifname}`
  const short = `${containerId.slice(0, Math.max(1, NAME - 1 - ifname.length))}.${ifname}`.slice(0, NAME)
  return [...new Set([short, full])].filter(name => name.length <= ALTERNATIVE_NAME)
}
