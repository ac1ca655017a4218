// A port that a container is asked to publish on several of its networks: each has it, and the first one goes before.
import type { Element } from '../../netlink/netfilter/element.ts'
import { type Owner, ownerOf, ownerTag } from '../owner.ts'
import { isSame, type Standing } from './elements.ts'
import type { Member, Place } from './members.ts'
import { placeOfBox } from './ports-members.ts'
import { type Holding, meet, type Taken, takenAt } from './ports-taken.ts'

/** What stands of one port. */
interface AtPort {
  /** What the owner has already. */
  readonly own?: readonly Holding[]
  /** What its container has on other networks. */
  readonly mates?: readonly Holding[]
}

interface Parted {
  readonly members: readonly Member[]
  /** What makes room for them. */
  readonly moved?: Standing
}

/**
 * What is to stand for `member`, which takes `taken`. Where another network of the container has its place, that one moves
 * to the map of intervals, which is looked into before: so the port goes on when either network is left. A third network
 * does without.
 */
export function besides(member: Member, taken: Taken, { own = [], mates = [] }: AtPort): Parted {
  const interval = asInterval(member, taken)
  const spare = interval && { ...member, ...interval }
  if (spare !== undefined && own.some(one => isSame(one, spare))) return { members: [spare] }
  const mateAt = ({ set }: Place) => mates.find(one => one.set === set && meet(one.taken, taken))
  const holder = mateAt(member)
  if (holder === undefined) return { members: [member] }
  if (spare === undefined || mateAt(spare) !== undefined) return { members: [] }
  const { data, userData } = holder.element
  if (data?.value === undefined || userData?.comment === undefined) return { members: [] }
  const first = { ...spare, data: data.value, comment: userData.comment }
  return { members: [member, first], moved: holder }
}

/** Wherever a port may stand that is published at a place. */
export function placesOf(place: Place): Place[] {
  const taken = takenAt(place)
  return [place, (taken && asInterval(place, taken)) ?? []].flat()
}

/** The same packets in the map of intervals; undefined for what is in intervals already. */
function asInterval({ keyEnd }: Place, taken: Taken): Place | undefined {
  return keyEnd === undefined ? placeOfBox(taken) : undefined
}

/** Whether an element is of any interface of the owner's container. */
export function isOfContainer(owner: Owner): (element: Element) => boolean {
  const container = ownerOf(ownerTag(owner))?.containerId
  return ({ userData }) => ownerOf(userData?.comment ?? '')?.containerId === container
}
