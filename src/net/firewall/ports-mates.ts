// A port that a container is asked to publish on several of its networks: each has it, and the first one goes before.
import type { Element } from '../../netlink/netfilter/element.ts'
import { type Owner, ownerOf, ownerTag } from '../owner.ts'
import { isSame, placeOf, type Standing } from './elements.ts'
import type { Member, Place } from './members.ts'
import { placeOfBox } from './ports-members.ts'
import { meet, type Taken, takenAt } from './ports-taken.ts'

interface Met {
  /** What the owner has already. */
  readonly own: readonly Standing[]
  /** What its container has on other networks. */
  readonly mates: readonly Standing[]
}

interface Parted {
  readonly members: readonly Member[]
  /** What makes room for them. */
  readonly moved?: Standing
}

/**
 * What is to stand for `member`. Where another network of the container has its place, that one moves to the map of
 * intervals, which is looked into before: so the port goes on when either network is left. A third network does without.
 */
export function besides(member: Member, { own, mates }: Met): Parted {
  const place = asInterval(member)
  const spare = place && { ...member, ...place }
  if (spare !== undefined && own.some(one => isSame(one, spare))) return { members: [spare] }
  const holder = mates.find(one => isThere(one, member))
  if (holder === undefined) return { members: [member] }
  if (spare === undefined || mates.some(one => isThere(one, spare))) return { members: [] }
  const { data, userData } = holder.element
  if (data?.value === undefined || userData?.comment === undefined) return { members: [] }
  const first = { ...spare, data: data.value, comment: userData.comment }
  return { members: [member, first], moved: holder }
}

/** Wherever a port may stand that is published at a place. */
export function placesOf(place: Place): Place[] {
  return [place, asInterval(place) ?? []].flat()
}

/** The same packets in the map of intervals; undefined for what is in intervals already. */
function asInterval(place: Place): Place | undefined {
  const taken = takenAt(place)
  return taken === undefined || place.keyEnd !== undefined ? undefined : placeOfBox(taken)
}

/** Whether it stands where another one is to stand. */
function isThere(standing: Standing, member: Member): boolean {
  const [taken, asked] = [takenBy(standing), takenAt(member)]
  return standing.set === member.set && taken !== undefined && asked !== undefined && meet(taken, asked)
}

export function takenBy(standing: Standing): Taken | undefined {
  const place = placeOf(standing)
  return place && takenAt(place)
}

/** Whether an element is of any interface of the owner's container. */
export function isOfContainer(owner: Owner): (element: Element) => boolean {
  const container = ownerOf(ownerTag(owner))?.containerId
  return ({ userData }) => ownerOf(userData?.comment ?? '')?.containerId === container
}
