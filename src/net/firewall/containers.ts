// Lets containers through our own tables, and keeps them apart: elements of sets for each, rules once for all.
import { decodeKey, encodeKey } from '../../netlink/netfilter/data-type.ts'
import { findElements } from '../../netlink/netfilter/element-lookup.ts'
import type { Element } from '../../netlink/netfilter/element.ts'
import type { Admission, Gate, Isolation } from '../admission.ts'
import { formatAddress, parseCidr } from '../ip.ts'
import { type Attached, type Owner, ownerTag } from '../owner.ts'
import { ALLOWED, USERS } from './container-rules.ts'
import { at, elementsOf, type Look, noteOf, put } from './elements.ts'
import { inetPlan } from './inet-table.ts'
import { isolatedPort, ISOLATING_PLAN, releasePorts } from './isolated-ports.ts'
import type { Member, Place } from './members.ts'
import { checkClaim, clear, isOf, isStale, type LateSocket, removeIfAny } from './owned.ts'
import { INET, type Plan } from './tables.ts'

type Parts = Pick<Admission, 'addresses' | 'isolation'>
type Owned = (element: Element) => boolean

const PAIR = ['ifname', 'ifname'] as const
const isAllowedSet = (name: string): boolean => name === ALLOWED[4] || name === ALLOWED[6]

/** An address that is let through. */
export interface Admitted {
  /** The tag of whose it is. */
  readonly owner: string
  readonly address: string
  /** Where firewalld has it; undefined where that has nothing to do with it, or is forgotten. */
  readonly zone: string | undefined
}

/** nftables in the tables of our own. */
export class Containers implements Gate {
  readonly #late: LateSocket

  constructor(late: LateSocket) {
    this.#late = late
  }

  /** `zone`: where firewalld has the addresses. */
  async admit({ owner, ...parts }: Admission, zone?: string): Promise<void> {
    for (const [plan, members] of claims(ownerTag(owner), parts, zone)) {
      if (members.length > 0) await put(this.#late.socket, { plan, members, inTheWay: at(members) })
    }
  }

  /** The owner's elements are searched: there may be others than those of `addresses`. */
  async dismiss(owner: Owner): Promise<void> {
    await this.#clear(isOf(owner))
  }

  async check({ owner, ...parts }: Admission, zone?: string): Promise<void> {
    for (const [plan, members] of claims(ownerTag(owner), parts, zone)) {
      if (members.length > 0) await checkClaim(this.#late.socket, { plan, members })
    }
  }

  async gc(network: string, valid: readonly Attached[]): Promise<void> {
    await this.#clear(isStale(network, valid))
  }

  async list(): Promise<Admitted[]> {
    const socket = await this.#late.ifAny()
    if (socket === undefined) return []
    const found: Admitted[] = []
    for (const family of [4, 6] as const) {
      for (const element of await elementsOf(socket, INET, ALLOWED[family])) {
        const { key, userData } = element
        const [address] = key?.value === undefined ? [] : decodeKey([`ipv${family}_addr`], key.value)
        if (address === undefined) continue
        const zone = noteOf(element)
        found.push({
          owner: userData?.comment ?? '',
          address: String(address),
          zone: zone && new TextDecoder().decode(zone),
        })
      }
    }
    return found
  }

  async #clear(wanted: Owned): Promise<void> {
    await clear(this.#late, INET, { isOne: isAllowedSet, wanted })
    for (const policy of ['isolated', 'same-bridge'] as const) {
      await removeIfAny(this.#late, users(policy, wanted))
    }
    await releasePorts(this.#late, wanted)
  }
}

/** The elements that a container needs, by table. */
function claims(tag: string, { addresses, isolation }: Parts, zone?: string): [Plan, Member[]][] {
  const note = zone === undefined ? {} : { note: new TextEncoder().encode(zone) }
  const allowed = addresses.map((text): Member => {
    const { family, address } = parseCidr(text, 'address')
    const plain = formatAddress(address)
    const key = encodeKey([`ipv${family}_addr`], [plain])
    return { table: INET, set: ALLOWED[family], key, name: plain, comment: tag, ...note }
  })
  const apart = isolation === undefined ? [] : isolationMembers(tag, isolation)
  return [
    [inetPlan([], true), [...apart, ...allowed]],
    [ISOLATING_PLAN, isolatedPort(tag, isolation)],
  ]
}

/** The bridge in its sets, and for whom it is there. An isolated container is kept apart from other bridges too. */
function isolationMembers(comment: string, { policy, bridge, port }: Isolation): Member[] {
  const all = policy === 'isolated' ? (['isolated', 'same-bridge'] as const) : (['same-bridge'] as const)
  return all.flatMap(each => [
    { table: INET, set: USERS[each], key: encodeKey(PAIR, [bridge, port]), name: bridge, comment },
    ...bridgePlaces(each, bridge).map(place => ({ ...place, name: bridge })),
  ])
}

function bridgePlaces(policy: keyof typeof USERS, bridge: string): Place[] {
  const self = encodeKey(PAIR, [bridge, bridge])
  if (policy === 'isolated') return [{ table: INET, set: 'isolated_self', key: self }]
  return [
    { table: INET, set: 'same_bridge', key: encodeKey(['ifname'], [bridge]) },
    { table: INET, set: 'same_bridge_self', key: self },
  ]
}

/** The users that leave, and the bridges that then have none. */
function users(policy: keyof typeof USERS, isLeaving: Owned): Look {
  return async socket => {
    const { generation } = await findElements(socket, [])
    const set = USERS[policy]
    const all = await elementsOf(socket, INET, set)
    const gone = all.filter(isLeaving)
    const bridgeOf = ({ key }: Element) => String(decodeKey(PAIR, key?.value ?? new Uint8Array())[0])
    const needed = new Set(all.filter(one => !gone.includes(one)).map(bridgeOf))
    const idle = [...new Set(gone.map(bridgeOf))].filter(bridge => !needed.has(bridge))
    const bridges = await at(idle.flatMap(bridge => bridgePlaces(policy, bridge)))(socket)
    const standing = gone.map(element => ({ table: INET, set, element }))
    return { generation, standing: [...standing, ...bridges.standing] }
  }
}
