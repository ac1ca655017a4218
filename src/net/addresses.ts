// Addresses of the links of one namespace.
import {
  type Address,
  type AddressRequest,
  deleteAddress,
  getAddress,
  newAddress,
} from '../netlink/route/address.ts'
import { AF_INET, AF_INET6 } from '../netlink/route/family.ts'
import { type NetlinkSocket, type Request, request } from '../netlink/socket.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../wire/message.ts'
import { formatAddress, parseCidr } from './ip.ts'

/** An address of a link, with the prefix length of its subnet: `10.1.2.3/24`. */
export interface LinkAddress {
  readonly cidr: string
  readonly flags: ReadonlySet<string>
  readonly scope: string | number
  /** All that the kernel says of it. */
  readonly whole: Address
}

export class Addresses {
  readonly #socket: () => NetlinkSocket

  constructor(socket: () => NetlinkSocket) {
    this.#socket = socket
  }

  /** The addresses of the link with this index. */
  async list(index: number): Promise<LinkAddress[]> {
    const all = await this.#socket().dump(getAddress, { index }, newAddress)
    return all
      .filter(each => each.index === index)
      .map(whole => {
        const { local, address, prefixLength, flags, headerFlags, scope } = whole
        return { cidr: `${local ?? address}/${prefixLength}`, flags: flags ?? headerFlags, scope, whole }
      })
  }

  /** The addresses of all links, without their subnets. */
  async all(): Promise<string[]> {
    const all = await this.#socket().dump(getAddress, {}, newAddress)
    return all.flatMap(({ local, address }) => local ?? address ?? [])
  }

  /** Adds an address. Throws EEXIST where the link has it. */
  async add(index: number, cidr: string): Promise<void> {
    await this.#socket().batch([addAddress(index, cidr)])
  }

  /** Removes an address; that it is gone already is success. */
  async remove(index: number, cidr: string): Promise<void> {
    await this.#batch([request(deleteAddress, fields(index, cidr))], ['EADDRNOTAVAIL', 'ENODEV'])
  }

  /** Removes what `list` has shown, which may have peers, in one system call. What is gone already is success. */
  async take(listed: readonly LinkAddress[]): Promise<void> {
    const requests = listed.map(({ whole }) => request(deleteAddress, whole))
    await this.#batch(requests, ['EADDRNOTAVAIL', 'ENODEV'])
  }

  /** Gives back what `take` has removed, with label, peer, broadcast, scope, flags and what is left of its life. */
  async giveBack(listed: readonly LinkAddress[]): Promise<void> {
    // IPv4 lists the first of a subnet, its primary address, before the others; IPv6 the newest first.
    const { [AF_INET]: four = [], [AF_INET6]: six = [] } = Object.groupBy(listed, ({ whole }) => whole.family)
    const requests = [...four, ...six.toReversed()].map(({ whole }) =>
      request(newAddress, whole, NLM_F_CREATE | NLM_F_EXCL),
    )
    await this.#batch(requests, ['EEXIST'])
  }

  async #batch(requests: readonly Request[], fine: readonly string[]): Promise<void> {
    const errors = await this.#socket().attempt(requests)
    for (const error of errors) if (error !== undefined && !fine.includes(error.code)) throw error
  }
}

/** Below this, an IPv4 prefix has an address for all of its hosts. */
const POINT_TO_POINT = 31

/**
 * With the broadcast address of an IPv4 prefix, which programs ask an interface for, and which the kernel does not add
 * by itself. `dad`: whether IPv6 looks for duplicates before it uses the address; it then starts as tentative. `prefixRoute`:
 * whether the kernel adds the route to its subnet.
 */
export function addAddress(index: number, cidr: string, { dad = false, prefixRoute = true } = {}): Request {
  const value = fields(index, cidr)
  const flags = new Set<'nodad' | 'noprefixroute'>()
  if (value.family === AF_INET6 && !dad) flags.add('nodad')
  if (!prefixRoute) flags.add('noprefixroute')
  const whole = { ...value, ...broadcast(cidr), ...(flags.size > 0 ? { flags } : {}) }
  return request(newAddress, whole, NLM_F_CREATE | NLM_F_EXCL)
}

function broadcast(text: string): Pick<AddressRequest, 'broadcast'> {
  const { family, prefix, last } = parseCidr(text, 'address')
  return family === 4 && prefix < POINT_TO_POINT ? { broadcast: formatAddress(last) } : {}
}

function fields(index: number, cidr: string): AddressRequest {
  const [address = '', length] = cidr.split('/')
  const family = address.includes(':') ? AF_INET6 : AF_INET
  return { family, index, prefixLength: Number(length), local: address, address }
}
