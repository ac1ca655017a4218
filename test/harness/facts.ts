// What an attachment looks like in the kernel, in few words, to be compared with a table.
import { existsSync, readdirSync } from 'node:fs'
import type { Netns } from './namespaces.ts'

export interface LinkFacts {
  readonly mac: string
  readonly mtu: number
  readonly up: boolean
  readonly promisc: boolean
  /** `10.1.0.2/24`, without link-local ones. */
  readonly addresses: readonly string[]
  /** Of its IPv4 addresses. */
  readonly broadcasts: readonly string[]
}

export interface PortFacts extends LinkFacts {
  readonly master: string
  readonly hairpin: boolean
  readonly isolated: boolean
}

export interface Facts {
  /** The bridges of the host, by name. */
  readonly bridges: Readonly<Record<string, LinkFacts>>
  /** Links of the host that are ports of a bridge, in the order of their indexes. */
  readonly ports: readonly PortFacts[]
  /** Links of the host that are neither, but lo, by name. */
  readonly others: Readonly<Record<string, LinkFacts>>
  /** Links of the sandbox but lo, by name. */
  readonly sandbox: Readonly<Record<string, LinkFacts>>
  /** Routes of the sandbox's main tables but those that come with addresses: `default via 10.1.0.1`. */
  readonly routes: readonly string[]
  /** net.ipv4.ip_forward and net.ipv6.conf.all.forwarding of the host. */
  readonly forwarding: { readonly ipv4: boolean; readonly ipv6: boolean }
  /** File names of leases in the network's folder. */
  readonly leases: readonly string[]
  /** `nft list ruleset` of the host. */
  readonly ruleset: string
}

interface Link {
  ifname: string
  address: string
  mtu: number
  master?: string
  flags: string[]
  promiscuity: number
  linkinfo?: {
    info_kind?: string
    info_slave_kind?: string
    info_slave_data?: { hairpin?: boolean; isolated?: boolean }
  }
  addr_info: { local: string; prefixlen: number; broadcast?: string; scope: string }[]
}

interface Route {
  dst: string
  gateway?: string
  dev: string
  protocol: string
  metric?: number
  mtu?: number
  table?: string
  scope?: string
  metrics?: { mtu?: number; advmss?: number }[]
}

export async function facts(host: Netns, sandbox: Netns, leaseFolder: string): Promise<Facts> {
  const [hostLinks, sandboxLinks, routes, ruleset, ipv4, ipv6] = await Promise.all([
    links(host),
    links(sandbox),
    sandbox.run('sh', '-c', 'ip -j -4 route; echo; ip -j -6 route'),
    host.run('nft', 'list', 'ruleset'),
    sysctl(host, 'net/ipv4/ip_forward'),
    sysctl(host, 'net/ipv6/conf/all/forwarding'),
  ])
  const named = (found: Link[]) => Object.fromEntries(found.map(link => [link.ifname, linkFacts(link)]))
  return {
    bridges: named(hostLinks.filter(link => link.linkinfo?.info_kind === 'bridge')),
    ports: hostLinks.filter(link => link.linkinfo?.info_slave_kind === 'bridge').map(portFacts),
    others: named(
      hostLinks.filter(
        ({ ifname, linkinfo }) =>
          ifname !== 'lo' && linkinfo?.info_kind !== 'bridge' && linkinfo?.info_slave_kind !== 'bridge',
      ),
    ),
    sandbox: named(sandboxLinks.filter(link => link.ifname !== 'lo')),
    routes: routes.split('\n').flatMap(text => routeFacts(text)),
    forwarding: { ipv4: ipv4 === '1', ipv6: ipv6 === '1' },
    leases: leases(leaseFolder),
    ruleset,
  }
}

/** Reads a file of /proc/sys as it shows in a namespace. */
export async function sysctl(place: Netns, name: string): Promise<string> {
  return (await place.run('cat', `/proc/sys/${name}`)).trim()
}

/** The addresses that are leased, by the names of their files. */
export function leases(folder: string): string[] {
  return existsSync(folder)
    ? readdirSync(folder)
        .filter(name => /^[\da-f]*[.:][\da-f.:]+$/.test(name))
        .sort()
    : []
}

async function links(place: Netns): Promise<Link[]> {
  return JSON.parse(await place.run('ip', '-d', '-j', 'addr')) as Link[]
}

function linkFacts({ address, mtu, flags, promiscuity, linkinfo, addr_info }: Link): LinkFacts {
  const isPort = linkinfo?.info_slave_kind !== undefined
  return {
    mac: address,
    mtu,
    up: flags.includes('UP'),
    // A bridge makes its ports promiscuous; that is not the port's own setting.
    promisc: flags.includes('PROMISC') || (!isPort && promiscuity > 0),
    addresses: addr_info
      .filter(({ scope }) => scope !== 'link')
      .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    broadcasts: addr_info.flatMap(({ broadcast = [] }) => broadcast),
  }
}

function portFacts(link: Link): PortFacts {
  const { hairpin = false, isolated = false } = link.linkinfo?.info_slave_data ?? {}
  return { ...linkFacts(link), master: link.master ?? '', hairpin, isolated }
}

function routeFacts(text: string): string[] {
  if (text.trim() === '') return []
  const routes = (JSON.parse(text) as Route[]).filter(
    ({ protocol, dst }) => protocol !== 'kernel' && !dst.startsWith('fe80'),
  )
  return routes.map(({ dst, gateway }) => (gateway === undefined ? dst : `${dst} via ${gateway}`)).sort()
}
