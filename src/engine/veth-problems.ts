// What is wrong with a veth pair, judged from both ends and from what tnet has on record.
import type { Owner } from '../net/owner.ts'
import { ownNetworkName } from './networks/records.ts'
import type { DroppingChain } from '../net/dropping-chains.ts'
import type { VethEnd, VethPair } from '../net/veths.ts'

export type ProblemKind =
  /** The other end cannot be reached, or nobody owns the pair. */
  | 'orphan'
  /** An end, or the bridge, is administratively down. */
  | 'down'
  | 'mtu'
  | 'not-enslaved'
  /** The bridge does not pass the port's frames on. */
  | 'not-forwarding'
  /** Another program's firewall drops what the host forwards for it. */
  | 'foreign-drop'
  /** No problem found, and yet the pair could not be looked at in full. */
  | 'unknown'

export interface Problem {
  readonly kind: ProblemKind
  /** One line: what is wrong, with the names and values that say so. */
  readonly cause: string
}

export interface Circumstances {
  /** Whether the pair's owner is on a network that connects its sandboxes by a bridge. */
  readonly bridged: boolean
  /** Whether the pair's owner is on record; undefined where no record of its network is kept. */
  readonly recorded: boolean | undefined
  /** Why the other end may be where it cannot be seen; undefined where it would have been found. */
  readonly unseen: string | undefined
  /** Of the host. */
  readonly drops: readonly DroppingChain[]
}

/** BR_STATE_*, include/uapi/linux/if_bridge.h */
export const PORT_STATES = ['disabled', 'listening', 'learning', 'forwarding', 'blocking'] as const

export function problemsOf(pair: VethPair, owner: Owner | undefined, around: Circumstances): Problem[] {
  return [
    ...ends(pair, around),
    ...ownership(pair, owner, around),
    ...states(pair),
    ...mtus(pair),
    ...ports(pair, owner, around),
    ...foreignDrops(pair, owner, around),
  ]
}

/** `veth12 in /run/netns/web` */
export function placeOf({ link, namespace }: VethEnd): string {
  return `${link.name} in ${namespace.own ? 'the host' : (namespace.mounts[0] ?? namespace.path)}`
}

function ends({ end, other }: VethPair, { unseen }: Circumstances): Problem[] {
  if (other !== undefined) return []
  const where = `the other end of ${placeOf(end)}`
  if (unseen !== undefined) return [{ kind: 'unknown', cause: `${where} cannot be read: ${unseen}` }]
  return [{ kind: 'orphan', cause: `${where} is in a namespace that no process runs in and no mount names` }]
}

function ownership({ end }: VethPair, owner: Owner | undefined, { recorded }: Circumstances): Problem[] {
  if (owner === undefined || recorded !== false) return []
  const { network, containerId, ifname } = owner
  return [
    {
      kind: 'orphan',
      cause: `${placeOf(end)} says that it is ${ifname} of ${containerId}, which network ${ownNetworkName(owner) ?? network} does not know`,
    },
  ]
}

function states({ end, other }: VethPair): Problem[] {
  const found: Problem[] = []
  const down = [end, other].filter(each => each !== undefined).filter(each => !isUp(each))
  if (down.length > 0)
    found.push({ kind: 'down', cause: down.map(each => `${placeOf(each)} is down`).join(', ') })
  for (const each of [end, other]) {
    if (each?.master !== undefined && !each.master.flags.has('up')) {
      found.push({ kind: 'down', cause: `${kindOf(each)} ${each.master.name} of ${placeOf(each)} is down` })
    }
  }
  return found
}

function mtus({ end, other }: VethPair): Problem[] {
  const found: Problem[] = []
  if (other !== undefined && end.link.mtu !== other.link.mtu) {
    const said = [end, other].map(each => `${each.link.mtu} on ${placeOf(each)}`)
    found.push({ kind: 'mtu', cause: `the ends differ in MTU: ${said.join(', ')}` })
  }
  for (const each of [end, other]) {
    const { mtu: wide = 0, name = '' } = each?.master ?? {}
    if (each === undefined || (each.link.mtu ?? 0) >= wide) continue
    const narrow = `${each.link.mtu} on its port ${placeOf(each)}`
    found.push({
      kind: 'mtu',
      cause: `${kindOf(each)} ${name} has MTU ${wide}, but ${narrow}: longer frames are dropped`,
    })
  }
  return found
}

function ports({ end, other }: VethPair, owner: Owner | undefined, { bridged }: Circumstances): Problem[] {
  const found: Problem[] = []
  if (bridged && end.master === undefined && other?.master === undefined) {
    const network =
      owner === undefined ? 'a bridge network' : `bridge network ${ownNetworkName(owner) ?? owner.network}`
    found.push({
      kind: 'not-enslaved',
      cause: `${placeOf(end)} belongs to ${network}, but is the port of no bridge`,
    })
  }
  // A port without carrier is disabled: the cause is an end that is down, and has been told.
  const carried = isUp(end) && other !== undefined && isUp(other)
  for (const each of [end, other]) {
    const state = each === undefined ? undefined : portState(each)
    if (!carried || each?.master?.flags.has('up') !== true || state === undefined || state === 'forwarding')
      continue
    found.push({
      kind: 'not-forwarding',
      cause: `port ${placeOf(each)} of bridge ${each.master.name} is ${state}`,
    })
  }
  return found
}

/** What a sandbox of ours sends beyond the host is forwarded, and so is what comes back. */
function foreignDrops(
  { end, other }: VethPair,
  owner: Owner | undefined,
  { drops }: Circumstances,
): Problem[] {
  const link = routedLink(end)
  if (owner === undefined || other === undefined || link === undefined) return []
  const addresses = other.addresses.filter(isGlobal).map(cidr => cidr.replace(/\/.*/, ''))
  const isOf = (family: number) => addresses.some(address => address.includes(':') === (family === 6))
  return drops
    .filter(chain => chain.families.some(isOf) && !chain.speaksOf(link, addresses))
    .map(({ name }) => ({
      kind: 'foreign-drop',
      cause: `${name} drops what nothing there accepts, and nothing there speaks of ${[link, ...addresses].join(' or ')}`,
    }))
}

/** The link of the host by which it routes for the other end; undefined where it does not. */
function routedLink({ namespace, link, addresses, master, masterAddresses }: VethEnd): string | undefined {
  if (!namespace.own) return undefined
  if (master !== undefined) return masterAddresses.some(isGlobal) ? master.name : undefined
  return addresses.some(isGlobal) ? link.name : undefined
}

/** Every link of IPv6 has a link-local address besides. */
export function isGlobal(cidr: string): boolean {
  return !cidr.startsWith('fe80:')
}

/** What a bridge does with the frames of its port; undefined where the end is the port of no bridge. */
export function portState({ link }: VethEnd): string | undefined {
  const { portKind, portData } = link.linkInfo ?? {}
  const { state } = portKind === 'bridge' ? ((portData as { state?: number } | undefined) ?? {}) : {}
  return state === undefined ? undefined : (PORT_STATES[state] ?? String(state))
}

function isUp({ link }: VethEnd): boolean {
  return link.flags.has('up')
}

function kindOf({ master }: VethEnd): string {
  return master?.linkInfo?.kind ?? 'link'
}
