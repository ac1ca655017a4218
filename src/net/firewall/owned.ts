// Elements by their owner, which the comment of each names: removed where they are no longer wanted, missed in CHECK.
import { absentIsFine, TnetError } from '../../errors.ts'
import type { Element } from '../../netlink/netfilter/element.ts'
import type { NetlinkSocket } from '../../netlink/socket.ts'
import { type Attached, isStaleTag, type Owner, ownerTag } from '../owner.ts'
import { at, type Claim, isSame, type Look, remove, search, type Standing } from './elements.ts'
import { rulesOf } from './rules.ts'
import type { TableName } from './tables.ts'

/** Elements removed in one transaction: few enough that others seldom change the ruleset meanwhile. */
const TOGETHER = 64

/** A socket that is opened when it is first used, and closed with its owner. */
export class LateSocket implements Disposable {
  readonly #open: () => NetlinkSocket
  #opened: NetlinkSocket | undefined

  constructor(open: () => NetlinkSocket) {
    this.#open = open
  }

  get socket(): NetlinkSocket {
    this.#opened ??= this.#open()
    return this.#opened
  }

  /** Undefined where the kernel has no netfilter. */
  async ifAny(): Promise<NetlinkSocket | undefined> {
    return absentIsFine(['EPROTONOSUPPORT'], () => this.socket)
  }

  [Symbol.dispose](): void {
    this.#opened?.[Symbol.dispose]()
    this.#opened = undefined
  }
}

export function isOf(owner: Owner): (element: Element) => boolean {
  const tag = ownerTag(owner)
  return ({ userData }) => userData?.comment === tag
}

/** Whether an element is of this network, and of none of `valid`. */
export function isStale(network: string, valid: readonly Attached[]): (element: Element) => boolean {
  const isStaleOne = isStaleTag(network, valid)
  return ({ userData }) => isStaleOne(userData?.comment ?? '')
}

/** Removes what `look` finds. A kernel without netfilter has nothing to remove. */
export async function removeIfAny(late: LateSocket, look: Look): Promise<readonly Standing[]> {
  const socket = await late.ifAny()
  return socket === undefined ? [] : remove(socket, look)
}

/** Removes all that is `wanted` in those sets whose name `isOne`. */
export async function clear(
  late: LateSocket,
  table: TableName,
  which: { readonly isOne: (set: string) => boolean; readonly wanted: (element: Element) => boolean },
): Promise<Standing[]> {
  const socket = await late.ifAny()
  if (socket === undefined) return []
  const places = await search(socket, table, which)
  const removed: Standing[] = []
  for (let start = 0; start < places.length; start += TOGETHER) {
    removed.push(...(await remove(socket, at(places.slice(start, start + TOGETHER), which.wanted))))
  }
  return removed
}

/** Throws CHECK_FAILED naming the rules or the elements that are missing. */
export async function checkClaim(
  socket: NetlinkSocket,
  { plan, members }: Pick<Claim, 'plan' | 'members'>,
): Promise<void> {
  const where = `nftables ${plan.family} ${plan.name}`
  if ((await rulesOf(socket, plan)) === 'others') {
    throw new TnetError('CHECK_FAILED', `${where}: its rules are missing or others than ours`)
  }
  const { standing } = await at(members)(socket)
  const missing = members.find(member => !standing.some(one => isSame(one, member)))
  if (missing === undefined) return
  throw new TnetError('CHECK_FAILED', `${where}: ${missing.name} is missing in set ${missing.set}`)
}
