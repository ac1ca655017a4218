// Firewalls in namespaces of their own, and what nft shows of them.
import { closeSync, openSync } from 'node:fs'
import type { Test } from 'tap'
import { Firewall } from '../../src/net/firewall.ts'
import { NETLINK_NETFILTER, NetlinkSocket } from '../../src/netlink/socket.ts'
import { makeNetns, type Netns } from './namespaces.ts'

export interface Fort {
  readonly host: Netns
  readonly firewall: Firewall
  /** The numbers of the datagrams sent and received so far, and of all their bytes. */
  readonly traffic: { sent: number; received: number; bytes: number }
  nft(...words: string[]): Promise<string>
  /** The lines of the ruleset that speak of elements, without their indentation. */
  elements(): Promise<string[]>
}

/** A host without rules, until the test ends. */
export async function makeFort(t: Test): Promise<Fort> {
  const host = await makeNetns('host')
  const fd = openSync(host.path, 'r')
  const traffic = { sent: 0, received: 0, bytes: 0 }
  const trace = (direction: 'send' | 'receive', { length }: Uint8Array) => {
    traffic[direction === 'send' ? 'sent' : 'received']++
    traffic.bytes += length
  }
  const firewall = new Firewall(() => new NetlinkSocket(NETLINK_NETFILTER, { netns: fd, trace }))
  t.teardown(async () => {
    firewall[Symbol.dispose]()
    closeSync(fd)
    await host.remove()
  })
  const nft = (...words: string[]) => host.run('nft', ...words)
  return { host, firewall, traffic, nft, elements: async () => elementsIn(await nft('list', 'ruleset')) }
}

/** `masquerade4: 10.1.2.3 comment "..."`: one line for each element. */
export function elementsIn(ruleset: string): string[] {
  return [...ruleset.matchAll(/(?:set|map) (\S+) {[^{}]*elements = {([^}]*)}/g)]
    .flatMap(([, set, elements = '']) => elements.split(',').map(element => `${set}: ${element.trim()}`))
    .sort()
}
