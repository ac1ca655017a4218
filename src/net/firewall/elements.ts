// Changes what the sets hold: each change is one transaction that happens as a whole, to what was seen, or not at all.
import { absentIsFine, TnetError } from '../../errors.ts'
import { NetlinkError } from '../../netlink/error.ts'
import { attemptBatch, type BatchOptions } from '../../netlink/netfilter/batch.ts'
import { findElements } from '../../netlink/netfilter/element-lookup.ts'
import {
  deleteElement,
  type Element,
  element,
  getElement,
  newElement,
  ranges,
} from '../../netlink/netfilter/element.ts'
import { value } from '../../netlink/netfilter/data.ts'
import { getGeneration } from '../../netlink/netfilter/generation.ts'
import { type NetlinkSocket, request } from '../../netlink/socket.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../../wire/message.ts'
import type { Member, Place } from './members.ts'
import { ensureRules, setNames } from './rules.ts'
import type { Plan, TableName } from './tables.ts'

/** An element that stands in the kernel. */
export interface Standing {
  readonly table: TableName
  readonly set: string
  readonly element: Element
}

export interface Seen {
  /** Of the ruleset, when it was looked at. */
  readonly generation: number
  readonly standing: readonly Standing[]
}

/** A way to find elements. */
export type Look = (socket: NetlinkSocket) => Promise<Seen>

/** Finds what stands at single places: that costs the same whatever else the sets hold. */
export function at(all: readonly Place[], wanted: (element: Element) => boolean = () => true): Look {
  const places = unique(all)
  const questions = places.map(({ table: { family, name }, set, key }) => {
    return { family, table: name, set, elements: [element(key)] }
  })
  return async socket => {
    const { generation, elements } = await findElements(socket, questions)
    const standing = places.flatMap(({ table, set }, index) => {
      const found = elements[index]
      return found === undefined || !wanted(found) ? [] : [{ table, set, element: found }]
    })
    return { generation, standing: once(standing) }
  }
}

/**
 * Where the elements stand that are `wanted`, in those sets of a table whose name `isOne`. The ruleset may change
 * meanwhile: look `at` the places again before anything is done to them.
 */
export async function search(
  socket: NetlinkSocket,
  table: TableName,
  {
    isOne,
    wanted,
  }: { readonly isOne: (set: string) => boolean; readonly wanted: (element: Element) => boolean },
): Promise<Place[]> {
  const places: Place[] = []
  for (const set of (await setNames(socket, table)).filter(isOne)) {
    for (const element of await elementsOf(socket, table, set)) {
      const place = placeOf({ table, set, element })
      if (place !== undefined && wanted(element)) places.push(place)
    }
  }
  return places
}

/** An element that stands once is to be removed once. */
function unique(places: readonly Place[]): Place[] {
  return [...new Map(places.map(place => [nameOf(place), place])).values()]
}

/** Each element once: several points may lie in one interval. */
export function once(standing: readonly Standing[]): Standing[] {
  const named = standing.map(one => [nameOf(placeOf(one) ?? { ...one, key: NOTHING }), one] as const)
  return [...new Map(named).values()]
}

const NOTHING = Uint8Array.of()

function nameOf({ table, set, key }: Place): string {
  return `${table.family} ${table.name} ${set} ${key.join()}`
}

/** Undefined for the element of everything else, which no set of ours has. */
export function placeOf({ table, set, element: { key, keyEnd } }: Standing): Place | undefined {
  return key?.value === undefined ? undefined : { table, set, key: key.value, keyEnd: keyEnd?.value }
}

/** All elements of a set; none where there is no such set. They are of several moments where it changes meanwhile. */
export async function elementsOf(
  socket: NetlinkSocket,
  { family, name }: TableName,
  set: string,
): Promise<Element[]> {
  const answers = await absentIsFine(['ENOENT'], () =>
    socket.dump(getElement, { family, table: name, set }, newElement, { torn: true }),
  )
  return answers?.flatMap(({ elements }) => elements ?? []) ?? []
}

/** What shall stand in a table, and a way to find what stands in its place. */
export interface Claim {
  readonly plan: Plan
  readonly members: readonly Member[]
  readonly inTheWay: Look
}

/** Others change the ruleset too, but in every round somebody gets on: so many suffice. */
const ROUNDS = 256
/** Milliseconds. */
const LONGEST_PAUSE = 250

export async function rounds(deed: string, round: () => Promise<boolean>): Promise<void> {
  for (let failures = 1; failures <= ROUNDS; failures++) {
    const begun = performance.now()
    if (await round()) return
    // Many at once would keep each other from getting on: the more often, the further they go apart.
    const apart = Math.random() * failures * (performance.now() - begun)
    await new Promise(resume => setTimeout(resume, Math.min(apart, LONGEST_PAUSE)))
  }
  throw new TnetError('TRY_AGAIN', `${deed}: the ruleset changed during each of ${ROUNDS} attempts`)
}

/**
 * Makes `members` stand in the table of `plan`, and the rules where they are missing. `inTheWay` finds what stands in
 * their place: left by a crash, or the same from an earlier call. Throws NetlinkError; then nothing was changed.
 */
export async function put(socket: NetlinkSocket, { plan, members, inTheWay }: Claim): Promise<void> {
  await rounds(`nftables ${plan.family} ${plan.name}`, async () => {
    const rules = await ensureRules(socket, plan)
    if (rules === 'moved') return false
    // The kernel takes back a refused transaction in some 10 ms, and lets nobody else in meanwhile: ask first.
    const { standing } = await at(members)(socket)
    if (members.every(member => standing.some(one => isSame(one, member)))) return true
    if (standing.length > 0) return replace(socket, members, await inTheWay(socket))
    const refused = await change(socket, { add: members })
    if (refused === undefined) return true
    if (refused.code === 'ENOENT' && rules === 'ours') return false // somebody has just removed the table
    if (refused.code !== 'EEXIST') throw refused
    return replace(socket, members, await inTheWay(socket))
  })
}

/**
 * As `put`, but what stands in the way may be somebody's who keeps it: `look` says what is to stand then, or throws.
 * Nobody can come between that look and the change.
 */
export async function putWhereFree(
  socket: NetlinkSocket,
  plan: Plan,
  look: (socket: NetlinkSocket) => Promise<Seen & Pick<Claim, 'members'>>,
): Promise<void> {
  await rounds(`nftables ${plan.family} ${plan.name}`, async () => {
    if ((await ensureRules(socket, plan)) === 'moved') return false
    const seen = await look(socket)
    return replace(socket, seen.members, seen)
  })
}

async function replace(
  socket: NetlinkSocket,
  members: readonly Member[],
  { generation, standing }: Seen,
): Promise<boolean> {
  const remove = standing.filter(one => !members.some(member => isSame(one, member)))
  const add = members.filter(member => !standing.some(one => isSame(one, member)))
  if (remove.length === 0 && add.length === 0) return true
  return changeSeen(socket, { remove, add, generation })
}

/** Removes what `look` finds, and answers with it. Where there is no nf_tables, there is nothing to remove. */
export async function remove(socket: NetlinkSocket, look: Look): Promise<readonly Standing[]> {
  let removed: readonly Standing[] = []
  await rounds('remove elements of nftables', async () => {
    const seen = await lookIfAny(socket, look)
    removed = seen?.standing ?? []
    if (seen === undefined || removed.length === 0) return true
    return changeSeen(socket, { remove: removed, generation: seen.generation })
  })
  return removed
}

async function lookIfAny(socket: NetlinkSocket, look: Look): Promise<Seen | undefined> {
  try {
    return await look(socket)
  } catch (error) {
    const asked = error instanceof NetlinkError && error.request === getGeneration.name
    if (asked && (error.code === 'EINVAL' || error.code === 'EOPNOTSUPP')) return undefined
    throw error
  }
}

interface Change extends BatchOptions {
  readonly remove?: readonly Standing[]
  readonly add?: readonly Member[]
}

/** False where the ruleset is no longer what was seen: then nothing was changed. */
async function changeSeen(socket: NetlinkSocket, what: Change): Promise<boolean> {
  const refused = await change(socket, what)
  if (refused !== undefined && refused.code !== 'ERESTART') throw refused
  return refused === undefined
}

/** One transaction; answers with the first refusal. */
async function change(
  socket: NetlinkSocket,
  { remove = [], add = [], generation }: Change,
): Promise<NetlinkError | undefined> {
  const gone = remove.map(({ element: { key, keyEnd }, ...place }) => ({
    ...place,
    element: { key, keyEnd },
  }))
  const made = add.map(member => ({ table: member.table, set: member.set, element: elementOf(member) }))
  const requests = [
    ...grouped(gone).map(value => request(deleteElement, value)),
    ...grouped(made).map(value => request(newElement, value, NLM_F_CREATE | NLM_F_EXCL)),
  ]
  const [first] = await attemptBatch(socket, requests, { generation })
  return first?.error
}

function elementOf({ key, keyEnd, comment, data, note }: Member): Element {
  const rest = { comment, data: data && value(data) }
  const made = keyEnd === undefined ? element(key, rest) : ranges(key, keyEnd, rest)
  if (note === undefined) return made
  return { ...made, userData: { ...made.userData, unknown: [{ type: NOTE, value: note }] } }
}

/** The type of a note in the user data of an element; of those that nft knows the highest is 1. */
const NOTE = 0x74

export function noteOf({ userData }: Element): Uint8Array | undefined {
  return userData?.unknown?.find(({ type }) => type === NOTE)?.value
}

/** An attribute holds at most 64 KiB, an element with its comment some 250 bytes. */
const TOGETHER = 200

/** The elements of each set in as few messages as possible. */
function grouped(all: readonly Standing[]) {
  const sets = Map.groupBy(all, ({ table, set }) => `${table.family} ${table.name} ${set}`)
  return [...sets.values()].flatMap(elements =>
    Array.from({ length: Math.ceil(elements.length / TOGETHER) }, (_, index) => {
      const some = elements.slice(index * TOGETHER, (index + 1) * TOGETHER)
      const { table, set } = some[0] as Standing
      return { family: table.family, table: table.name, set, elements: some.map(one => one.element) }
    }),
  )
}

/** Whether the element stands as it should. A note may have been lost. */
export function isSame({ table, set, element }: Standing, member: Member): boolean {
  const note = noteOf(element)
  return (
    (note === undefined || isEqual(note, member.note)) &&
    table === member.table &&
    set === member.set &&
    isEqual(element.key?.value, member.key) &&
    isEqual(element.keyEnd?.value, member.keyEnd) &&
    isEqual(element.data?.value, member.data) &&
    element.userData?.comment === member.comment
  )
}

function isEqual(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one === undefined || other === undefined ? one === other : Buffer.compare(one, other) === 0
}
