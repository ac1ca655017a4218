// The host's firewall: nftables tables of our own, whose rules are written once and whose sets say for whom they are.
import type { NetlinkSocket } from '../netlink/socket.ts'
import type { AssignedAddress } from './assignment.ts'
import { bridgePlan } from './firewall/bridge-table.ts'
import { at, type Claim, type Look, noteOf, put, search } from './firewall/elements.ts'
import { inetPlan, isMasqueradeSet } from './firewall/inet-table.ts'
import {
  internal,
  isolated,
  checkedMac,
  checkedPort,
  isMacOf,
  isSpoofSet,
  masquerade,
  masqueradeAnywhere,
  masqueraded,
  type Place,
  prefixesOf,
  spoofChecked,
} from './firewall/members.ts'
import { checkClaim, clear, isOf, isStale, LateSocket, removeIfAny } from './firewall/owned.ts'
import { BRIDGE, INET } from './firewall/tables.ts'
import { parseAddress, parseCidr } from './ip.ts'
import { type Attached, type Owner, ownerTag } from './owner.ts'

/** A port of a bridge that may send from one MAC address alone. */
export interface CheckedPort {
  /** The host's end of the veth pair. */
  readonly ifname: string
  readonly mac: string
}

/** A bridge that is shut off from others: nothing from elsewhere reaches it unasked. */
export interface Isolation {
  /** And nothing leaves it. */
  readonly internal: boolean
}

/**
 * All methods may be repeated; what is absent is removed already. Each change is one transaction of the kernel's.
 * Throws NetlinkError with the kernel's words, UNSUPPORTED where the kernel lacks what the rules need, and
 * CHECK_FAILED from the methods that check.
 */
export class Firewall implements Disposable {
  readonly #late: LateSocket

  /** `open` makes a NETLINK_NETFILTER socket in the host's namespace; called once, on first use. */
  constructor(open: () => NetlinkSocket) {
    this.#late = new LateSocket(open)
  }

  [Symbol.dispose](): void {
    this.#late[Symbol.dispose]()
  }

  /**
   * Traffic of the addresses gets the host's address, except to their own subnet and to multicast. An address that
   * stands there for another owner, whose end nobody has told us, becomes this one's.
   */
  async masquerade(owner: Owner, addresses: readonly AssignedAddress[]): Promise<void> {
    if (addresses.length > 0) await put(this.#late.socket, masqueradeOf(owner, addresses))
  }

  /**
   * `addresses` are those to look at; one with its prefix length is found faster. Where none of them is the
   * owner's, all that stand are searched.
   */
  async unmasquerade(owner: Owner, addresses?: readonly string[] | undefined): Promise<void> {
    const wanted = isOf(owner)
    const removed = await removeIfAny(this.#late, at((addresses ?? []).flatMap(placesOf), wanted))
    if (removed.length === 0) await clear(this.#late, INET, { isOne: isMasqueradeSet, wanted })
  }

  /** Throws CHECK_FAILED naming the rules or the addresses that are missing. */
  async checkMasquerade(owner: Owner, addresses: readonly AssignedAddress[]): Promise<void> {
    await checkClaim(this.#late.socket, masqueradeOf(owner, addresses))
  }

  /** Frames that enter the bridge at the port are dropped unless they come from its MAC address. */
  async spoofCheck(owner: Owner, port: CheckedPort): Promise<void> {
    await put(this.#late.socket, spoofOf(owner, port))
  }

  async unspoofCheck(owner: Owner, ifname: string): Promise<void> {
    const isOurs = isOf(owner)
    const look = ofPort(ifname)
    await removeIfAny(this.#late, async socket => {
      const { generation, standing } = await look(socket)
      return { generation, standing: standing.filter(({ element }) => isOurs(element)) }
    })
  }

  /** Throws CHECK_FAILED naming what is missing. */
  async checkSpoof(owner: Owner, port: CheckedPort): Promise<void> {
    await checkClaim(this.#late.socket, spoofOf(owner, port))
  }

  async isolate(bridge: string, isolation: Isolation): Promise<void> {
    await put(this.#late.socket, isolationOf(bridge, isolation))
    if (!isolation.internal) await removeIfAny(this.#late, at([internal(bridge)]))
  }

  /** Undefined where the bridge is not isolated. */
  async isolation(bridge: string): Promise<Isolation | undefined> {
    const { standing } = await at([...isolated(bridge), internal(bridge)])(this.#late.socket)
    const has = (set: string) => standing.some(each => each.set === set)
    return has('bridges') ? { internal: has('internal') } : undefined
  }

  /** Throws CHECK_FAILED naming what is missing. */
  async checkIsolation(bridge: string, isolation: Isolation): Promise<void> {
    await checkClaim(this.#late.socket, isolationOf(bridge, isolation))
  }

  async unisolate(bridge: string): Promise<void> {
    await removeIfAny(this.#late, at([...isolated(bridge), internal(bridge)]))
  }

  /** Removes what on this network belongs to none of `valid`. */
  async gc(network: string, valid: readonly Attached[]): Promise<void> {
    const wanted = isStale(network, valid)
    await clear(this.#late, INET, { isOne: isMasqueradeSet, wanted })
    await clear(this.#late, BRIDGE, { isOne: isSpoofSet, wanted })
  }
}

function masqueradeOf(owner: Owner, addresses: readonly AssignedAddress[]): Claim {
  const cidrs = addresses.map(({ address }) => parseCidr(address, 'address'))
  return {
    plan: inetPlan(prefixesOf(cidrs)),
    members: cidrs.flatMap(cidr => masqueraded(cidr, ownerTag(owner))),
    inTheWay: socket => at(cidrs.flatMap(({ address }) => masqueradeAnywhere(address)))(socket),
  }
}

function isolationOf(bridge: string, isolation: Isolation): Claim {
  const members = isolation.internal ? [...isolated(bridge), internal(bridge)] : isolated(bridge)
  return { plan: inetPlan([]), members, inTheWay: at(members) }
}

function placesOf(address: string): Place[] {
  return address.includes('/')
    ? masquerade(parseCidr(address, 'address'))
    : masqueradeAnywhere(parseAddress(address, 'address'))
}

function spoofOf(owner: Owner, port: CheckedPort): Claim {
  const members = spoofChecked(port, ownerTag(owner))
  return { plan: bridgePlan(), members, inTheWay: ofPort(port.ifname, members) }
}

/**
 * What stands for a port, whatever its MAC address: that is noted with the port. Where nft has written the elements anew,
 * notes are lost, and the addresses of the port have to be found among those of all.
 */
function ofPort(ifname: string, more: readonly Place[] = []): Look {
  const port = checkedPort(ifname)
  return async socket => {
    const { generation, standing } = await at([port])(socket)
    const notes = standing.map(({ element }) => noteOf(element)).filter(note => note !== undefined)
    const isLost = standing.length > notes.length
    const macs = isLost
      ? await search(socket, BRIDGE, { isOne: isSpoofSet, wanted: isMacOf(ifname) })
      : notes.map(checkedMac)
    const all = await at([port, ...macs, ...more])(socket)
    // Of the first look: what changed between the two is looked at again.
    return { generation, standing: all.standing }
  }
}
