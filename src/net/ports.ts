// Published ports of the host: maps of nftables in a table of our own, and which container has which port.
import { TnetError } from '../errors.ts'
import type { Element } from '../netlink/netfilter/element.ts'
import { getGeneration, newGeneration } from '../netlink/netfilter/generation.ts'
import type { NetlinkSocket } from '../netlink/socket.ts'
import { NetlinkError } from '../netlink/error.ts'
import {
  at,
  elementsOf,
  type Look,
  once,
  putWhereFree,
  type Seen,
  type Standing,
} from './firewall/elements.ts'
import type { Member } from './firewall/members.ts'
import { checkClaim, clear, isOf, isStale, LateSocket, removeIfAny } from './firewall/owned.ts'
import { everywhere, mappingPlaces, masqueradePlaces, publishedMembers } from './firewall/ports-members.ts'
import { besides, isOfContainer, placesOf } from './firewall/ports-mates.ts'
import { isPortMap, isPortSet, portsOf, portsPlan } from './firewall/ports-table.ts'
import { heldBy, type Holding, hostIpOf, meet, portOf, takenAt, targetOf } from './firewall/ports-taken.ts'
import { PORTS } from './firewall/tables.ts'
import { type Address, equal, type Family, formatAddress } from './ip.ts'
import { mappingName, type Publication, type Transport } from './mapping.ts'
import { type Attached, type Owner, ownerOf, ownerTag } from './owner.ts'

/** A port that nobody has any more. */
export interface Freed {
  readonly family: Family
  readonly protocol: Transport
  readonly hostPort: number
  readonly hostIp: Address | undefined
}

/** What is known of a container that leaves. */
export type Leaving = Pick<Publication, 'mappings' | 'conditions'> & {
  readonly addresses: readonly Address[]
}

/**
 * All methods may be repeated; what is absent is removed already. Each change is one transaction of the kernel's.
 * Throws NetlinkError with the kernel's words, UNSUPPORTED where the kernel lacks what the rules need.
 */
export class Ports implements Disposable {
  readonly #late: LateSocket

  /** `open` makes a NETLINK_NETFILTER socket in the host's namespace; called once, on first use. */
  constructor(open: () => NetlinkSocket) {
    this.#late = new LateSocket(open)
  }

  [Symbol.dispose](): void {
    this.#late[Symbol.dispose]()
  }

  /** Throws TAKEN naming the other container that has one of the ports; then none is published. */
  async publish(owner: Owner, publication: Publication): Promise<void> {
    const members = publishedMembers(publication, ownerTag(owner))
    if (members.length === 0) return
    const look = lookFor(owner, publication, members)
    await putWhereFree(this.#late.socket, portsPlan, async socket => {
      const met = await look(socket)
      if (met.foreign !== undefined) throw takenError(met.foreign)
      return met
    })
  }

  /** Where what is known does not lead to all that there should be, all that is published is searched. */
  async unpublish(owner: Owner, leaving: Leaving): Promise<Freed[]> {
    const wanted = isOf(owner)
    const removed = await removeIfAny(this.#late, standingOf(leaving, wanted))
    const ports = removed.flatMap(freedBy)
    const isWhole =
      leaving.mappings.length > 0 &&
      leaving.mappings.every(mapping => ports.some(port => isOn(mapping, port)))
    if (isWhole) return ports
    return [...ports, ...(await clear(this.#late, PORTS, { isOne: isPortSet, wanted })).flatMap(freedBy)]
  }

  /** Throws CHECK_FAILED naming the rules or the ports that are missing. */
  async check(owner: Owner, publication: Publication): Promise<void> {
    const wanted = publishedMembers(publication, ownerTag(owner))
    if (wanted.length === 0) return
    const { members } = await lookFor(owner, publication, wanted)(this.#late.socket)
    await checkClaim(this.#late.socket, { plan: portsPlan, members })
  }

  /** Removes what on this network belongs to none of `valid`. */
  async gc(network: string, valid: readonly Attached[]): Promise<Freed[]> {
    const removed = await clear(this.#late, PORTS, { isOne: isPortSet, wanted: isStale(network, valid) })
    return removed.flatMap(freedBy)
  }

  /** Throws UNAVAILABLE where the kernel has no nf_tables. */
  async status(): Promise<void> {
    try {
      const socket = await this.#late.ifAny()
      if (socket !== undefined) return void (await socket.get(getGeneration, {}, newGeneration))
    } catch (error) {
      if (!(error instanceof NetlinkError) || error.code === 'EPERM') throw error
    }
    throw new TnetError(
      'UNAVAILABLE',
      'publish ports: the kernel has no nf_tables',
      'load the module nf_tables, or use a kernel that has it',
    )
  }
}

function isOn({ protocol, hostPort }: { protocol: Transport; hostPort: number }, port: Freed): boolean {
  return protocol === port.protocol && hostPort === port.hostPort
}

function freedBy(standing: Standing): Freed[] {
  const held = heldBy(standing)
  if (held === undefined) return []
  const { family, protocol, hostPort } = held.taken
  return [{ family, protocol, hostPort, hostIp: hostIpOf(held.taken) }]
}

/** The elements of an owner that leaves, by its ports; where they lead says which addresses it had. */
function standingOf(
  { mappings, conditions, addresses }: Leaving,
  wanted: (element: Element) => boolean,
): Look {
  const ports = ([4, 6] as const).flatMap(family =>
    mappings.flatMap(mapping => mappingPlaces(mapping, family, conditions).flatMap(placesOf)),
  )
  return async socket => {
    const seen = await at([...ports, ...addresses.flatMap(masqueradePlaces)], wanted)(socket)
    const others = seen.standing
      .flatMap(targetsOf)
      .filter(target => !addresses.some(address => equal(address, target)))
    if (others.length === 0) return seen
    const { standing } = await at(others.flatMap(masqueradePlaces), wanted)(socket)
    return { generation: seen.generation, standing: [...seen.standing, ...standing] }
  }
}

function targetsOf({ set, element: { data } }: Standing): Address[] {
  return data?.value === undefined ? [] : [targetOf(set.endsWith('4') ? 4 : 6, data.value)]
}

interface Met extends Seen {
  /** What another container has of it. */
  readonly foreign: Holding | undefined
  /** What is to stand. */
  readonly members: readonly Member[]
}

/** The owner's own is replaced, masquerade of others for its addresses is stale, and who has a port keeps it. */
function lookFor(
  owner: Owner,
  { targets }: Publication,
  members: readonly Member[],
): (socket: NetlinkSocket) => Promise<Met> {
  const wanted = members.map(member => ({ member, taken: takenAt(member) }))
  const asked = Map.groupBy(
    wanted.flatMap(({ taken }) => taken ?? []),
    portOf,
  )
  const places = [
    ...members,
    ...[...asked.values()].flatMap(([taken]) => (taken === undefined ? [] : everywhere(taken))),
    ...targets.flatMap(({ address }) => masqueradePlaces(address)),
  ]
  const sets = new Set(members.flatMap(({ set }) => inTheWayOf(set)))
  const [isOwn, isMate] = [isOf(owner), isOfContainer(owner)]
  return async socket => {
    const { generation, standing } = await at(places)(socket)
    const all = [...standing]
    for (const set of sets) {
      for (const element of await elementsOf(socket, PORTS, set)) all.push({ table: PORTS, set, element })
    }
    const met = once(all)
      .flatMap(one => heldBy(one) ?? [])
      .filter(({ taken }) => asked.get(portOf(taken))?.some(each => meet(each, taken)))
    const ours = met.filter(({ element }) => isMate(element))
    const atPort = Map.groupBy(ours, ({ taken }) => portOf(taken))
    const parted = wanted.map(({ member, taken }) => {
      const here = taken && atPort.get(portOf(taken))
      if (taken === undefined || here === undefined) return { members: [member] }
      return besides(
        member,
        taken,
        Object.groupBy(here, ({ element }) => (isOwn(element) ? 'own' : 'mates')),
      )
    })
    return {
      generation,
      standing: [
        ...standing.filter(({ set }) => !isPortMap(set)),
        ...ours.filter(({ element }) => isOwn(element)),
        ...parted.flatMap(({ moved }) => moved ?? []),
      ],
      foreign: met.find(({ element }) => !isMate(element)),
      members: parted.flatMap(part => part.members),
    }
  }
}

/** The maps whose elements a new one of `set` may meet under another key than its own. */
function inTheWayOf(set: string): string[] {
  const family = set.endsWith('4') ? 4 : 6
  const { one, ranged, byLink } = portsOf(family)
  return isPortMap(set) ? [ranged, byLink, one].filter(name => name !== set || name !== one) : []
}

function takenError({ set, element, taken }: Holding): TnetError {
  const port = mappingName(taken)
  const hostIp = hostIpOf(taken)
  const where = hostIp === undefined ? 'hostPort' : `hostPort of ${formatAddress(hostIp)}`
  const { comment = '' } = element.userData ?? {}
  const holder = ownerOf(comment)
  if (holder === undefined) {
    return new TnetError(
      'TAKEN',
      `${where} ${port}: an element of set ${set} has it, whose comment ${JSON.stringify(comment)} names no container`,
      `see nft list map inet ${PORTS.name} ${set}`,
    )
  }
  const { network, containerId, ifname } = holder
  return new TnetError(
    'TAKEN',
    `${where} ${port}: container ${containerId} has it, on network ${network} with ${ifname}`,
    'choose another port, or stop that container; one that is gone leaves its ports with DEL, or with GC of its network',
  )
}
