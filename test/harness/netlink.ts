// Netlink sockets in namespaces of their own, for tests of src/netlink.
import { closeSync, openSync } from 'node:fs'
import type { Test } from 'tap'
import { type Link, getLink, newLink } from '../../src/netlink/route/link.ts'
import { NETLINK_ROUTE, NetlinkSocket, request } from '../../src/netlink/socket.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../../src/wire/message.ts'
import { makeNetns, type Netns } from './namespaces.ts'

export const NEW = NLM_F_CREATE | NLM_F_EXCL
export const UP = new Set(['up'] as const)

export interface Scene {
  readonly netns: Netns
  /** An fd of the namespace. */
  readonly fd: number
  readonly socket: NetlinkSocket
}

/** A fresh namespace and a socket in it, until the test ends. */
export async function scene(t: Test, protocol = NETLINK_ROUTE): Promise<Scene> {
  const netns = await makeNetns()
  const fd = openSync(netns.path, 'r')
  const socket = new NetlinkSocket(protocol, { netns: fd })
  t.teardown(async () => {
    socket[Symbol.dispose]()
    closeSync(fd)
    await netns.remove()
  })
  return { netns, fd, socket }
}

/** A pair of links, both up; answers with the index of the first. */
export async function addPair(socket: NetlinkSocket, name = 'va', peer = 'vb'): Promise<number> {
  await socket.batch([
    request(newLink, { name, linkInfo: { kind: 'veth', data: { peer: { name: peer } } } }, NEW),
    request(newLink, { name, flags: UP, change: UP }),
    request(newLink, { name: peer, flags: UP, change: UP }),
  ])
  return (await linkOf(socket, name)).index
}

export async function addBridge(socket: NetlinkSocket, name = 'br0'): Promise<number> {
  await socket.request(newLink, { name, flags: UP, change: UP, linkInfo: { kind: 'bridge' } }, NEW)
  return (await linkOf(socket, name)).index
}

export function linkOf(socket: NetlinkSocket, name: string): Promise<Link> {
  return socket.get(getLink, { name }, newLink)
}
