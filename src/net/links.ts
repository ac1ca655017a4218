// Links of one namespace.
import { errnoCode, TnetError } from '../errors.ts'
import {
  deleteLink,
  deleteLinkProperty,
  getLink,
  type Link,
  type LinkRequest,
  newLink,
  newLinkProperty,
} from '../netlink/route/link.ts'
import { type NetlinkSocket, type Request, request } from '../netlink/socket.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../wire/message.ts'

/** Counters make half of an answer. */
const WITHOUT_STATISTICS = new Set(['skip_stats'] as const)
const UP = new Set(['up'] as const)
/** IFNAMSIZ without its NUL: a longer name is an alternative one. */
const NAME = 15
/** Above what a namespace counts up to by itself, and short enough to be read. */
const INDEXES = { first: 100_000, count: 900_000 }

export class Links {
  readonly #socket: () => NetlinkSocket

  constructor(socket: () => NetlinkSocket) {
    this.#socket = socket
  }

  /** The link of this name or index, or undefined. */
  async get(which: string | number): Promise<Link | undefined> {
    const value = typeof which === 'number' ? { index: which } : called(which)
    try {
      return await this.#socket().get(getLink, { ...value, extendedMask: WITHOUT_STATISTICS }, newLink)
    } catch (error) {
      if (errnoCode(error) === 'ENODEV') return undefined
      throw error
    }
  }

  /** The link of this name; throws TRY_AGAIN where somebody has just removed it. */
  async existing(name: string): Promise<Link> {
    const link = await this.get(name)
    if (link === undefined) throw new TnetError('TRY_AGAIN', `${name}: it was removed while it was set up`)
    return link
  }

  /** An index for a link to come: by it, unlike by its name, no later change meets one that somebody else made first. */
  async freeIndex(): Promise<number> {
    for (;;) {
      const index = randomIndex()
      if ((await this.get(index)) === undefined) return index
    }
  }

  async list(): Promise<Link[]> {
    return this.#socket().dump(getLink, { extendedMask: WITHOUT_STATISTICS }, newLink)
  }

  /** Makes a link. Throws EEXIST where there is one of that name. */
  async add(link: LinkRequest): Promise<void> {
    await this.#socket().request(newLink, link, NLM_F_CREATE | NLM_F_EXCL)
  }

  /** The errno name of what the kernel says to a link that it cannot make: what it lacks, it says first. */
  async refusal(link: LinkRequest): Promise<string | undefined> {
    const [error] = await this.#socket().attempt([addLink(link)])
    return error?.code
  }

  /** Changes the link that `link` names, by `index` or `name`. */
  async set(link: LinkRequest): Promise<void> {
    await this.#socket().request(newLink, link)
  }

  async up(which: { readonly index: number } | { readonly name: string }): Promise<void> {
    await this.set({ ...which, flags: UP, change: UP })
  }

  /** Removes a link; that it is gone already is success. */
  async remove(which: { readonly index: number } | { readonly name: string }): Promise<void> {
    const [error] = await this.#socket().attempt([request(deleteLink, which)])
    if (error !== undefined && error.code !== 'ENODEV') throw error
  }

  /** Takes alternative names from a link; those that it has not are taken already. */
  async removeNames(which: { readonly index: number }, names: readonly string[]): Promise<void> {
    const requests = names.map(name => removeName(which, name))
    for (const error of await this.#socket().attempt(requests)) {
      if (error !== undefined && !['ENOENT', 'ENODEV', 'EINVAL'].includes(error.code)) throw error
    }
  }
}

export function randomIndex(): number {
  return INDEXES.first + Math.floor(Math.random() * INDEXES.count)
}

/** As people are told: a network card has none. */
export function kindOf({ linkInfo }: Pick<Link, 'linkInfo'>): string {
  return linkInfo?.kind ?? 'device'
}

export function addLink(link: LinkRequest): Request {
  return request(newLink, link, NLM_F_CREATE | NLM_F_EXCL)
}

export function changeLink(link: LinkRequest): Request {
  return request(newLink, link)
}

export function removeName(which: { readonly index: number }, name: string): Request {
  return request(deleteLinkProperty, { ...which, alternativeNames: { names: [name] } })
}

export function addNames(
  link: { readonly index: number } | { readonly name: string },
  names: readonly string[],
): Request {
  return request(newLinkProperty, { ...link, alternativeNames: { names } }, NLM_F_CREATE | NLM_F_EXCL)
}

function called(name: string): LinkRequest {
  return Buffer.byteLength(name) > NAME ? { alternativeName: name } : { name }
}
