// Waits for a link to become what the caller needs, or to go: on the kernel's events, without sleeping.
import { absentIsFine } from '../errors.ts'
import { type Link, getLink, newLink } from './route/link.ts'
import { RTNLGRP_LINK } from './route/groups.ts'
import { NETLINK_ROUTE, NetlinkSocket, type SocketOptions } from './socket.ts'

export interface LinkCondition {
  /** The link, by its name or its index. */
  readonly which: { readonly name: string } | { readonly index: number }
  /** Whether the link, as it is now, is what the caller waits for; undefined: there is none. */
  readonly holds: (link: Link | undefined) => boolean
  /** Milliseconds after which to give up; the kernel's timers are coarse, and may add an eighth. */
  readonly within: number
}

/**
 * Whether `holds` said so in time. Blocks the whole process, as a short-lived one may: a daemon has `monitor`.
 * Listens before it looks, so that no change is missed. Throws NetlinkError and SystemError.
 */
export async function waitForLink(
  options: Omit<SocketOptions, 'groups'>,
  { which, holds, within }: LinkCondition,
): Promise<boolean> {
  const deadline = performance.now() + within
  using events = new NetlinkSocket(NETLINK_ROUTE, { ...options, groups: [RTNLGRP_LINK] })
  using questions = new NetlinkSocket(NETLINK_ROUTE, options)
  for (;;) {
    if (holds(await absentIsFine(['ENODEV'], () => questions.get(getLink, which, newLink)))) return true
    const left = deadline - performance.now()
    if (left <= 0) return false
    events.timeout(left)
    // What an event says may be out of date by now, and some may be lost: whatever comes, look again.
    await absentIsFine(['EAGAIN', 'ENOBUFS'], () => events.receive())
  }
}
