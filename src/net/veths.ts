// Pairs of veth links across all namespaces that can be read, both ends side by side.
import { TnetError } from '../errors.ts'
import { getAddress, newAddress } from '../netlink/route/address.ts'
import type { Link } from '../netlink/route/link.ts'
import { getNsid, newNsid } from '../netlink/route/nsid.ts'
import type { KnownNamespace } from './namespaces.ts'
import { type Netns, openNetns } from './netns.ts'
import { Stack } from './stack.ts'

export interface VethEnd {
  readonly namespace: KnownNamespace
  readonly link: Link
  /** CIDR. */
  readonly addresses: readonly string[]
  /** What it is a port of: a bridge, mostly. */
  readonly master: Link | undefined
  /** Of the master: that of a gateway has some. CIDR. */
  readonly masterAddresses: readonly string[]
}

export interface VethPair {
  readonly end: VethEnd
  /** Undefined where it is in no namespace that can be read. */
  readonly other: VethEnd | undefined
}

export interface Veths {
  readonly pairs: readonly VethPair[]
  /** Namespaces that could not be read, and why. */
  readonly unreadable: readonly { readonly namespace: KnownNamespace; readonly error: unknown }[]
}

/** One namespace, open and read. */
interface Read {
  readonly namespace: KnownNamespace
  readonly netns: Netns
  readonly stack: Stack
  readonly ends: readonly VethEnd[]
}

/** The end in the first namespace of the list stands first. */
export async function readVeths(namespaces: readonly KnownNamespace[]): Promise<Veths> {
  using open = new DisposableStack()
  const reads: Read[] = []
  const unreadable: { namespace: KnownNamespace; error: unknown }[] = []
  for (const namespace of namespaces) {
    try {
      const read = await readNamespace(namespace, open)
      if (read !== undefined) reads.push(read)
    } catch (error) {
      // It may have ended since it was found.
      const ended = error instanceof TnetError && error.code === 'BAD_NETNS'
      if (!ended) unreadable.push({ namespace, error })
    }
  }
  return { pairs: await paired(reads), unreadable }
}

async function readNamespace(namespace: KnownNamespace, open: DisposableStack): Promise<Read | undefined> {
  const netns = open.use(openNetns(namespace.path))
  // The process, and with it the path, may be another's by now.
  if (netns.id !== namespace.id) return undefined
  // To enter a namespace takes a right; to be in it does not.
  const stack = open.use(new Stack(namespace.own ? {} : { netns: netns.fd }))
  const links = await stack.links.list()
  const veths = links.filter(({ linkInfo }) => linkInfo?.kind === 'veth')
  if (veths.length === 0) return { namespace, netns, stack, ends: [] }
  const byIndex = new Map(links.map(link => [link.index, link]))
  const addresses = Map.groupBy(await stack.route.dump(getAddress, {}, newAddress), ({ index }) => index)
  const addressesOf = (index: number) =>
    (addresses.get(index) ?? []).map(each => `${each.local ?? each.address}/${each.prefixLength}`)
  const ends = veths.map(link => ({
    namespace,
    link,
    addresses: addressesOf(link.index),
    master: link.master === undefined ? undefined : byIndex.get(link.master),
    masterAddresses: link.master === undefined ? [] : addressesOf(link.master),
  }))
  return { namespace, netns, stack, ends }
}

async function paired(reads: readonly Read[]): Promise<VethPair[]> {
  const byPlace = new Map(
    reads.flatMap(read => read.ends.map(end => [place(read, end.link.index), end] as const)),
  )
  const pairs: VethPair[] = []
  const taken = new Set<VethEnd>()
  for (const read of reads) {
    const names = await namesOf(read, reads)
    for (const end of read.ends) {
      if (taken.has(end)) continue
      const { link = 0, linkNetnsid } = end.link
      const where = linkNetnsid === undefined ? read : names.get(linkNetnsid)
      const found = where === undefined ? undefined : byPlace.get(place(where, link))
      // The number may be of another link by now: both ends have to point at each other.
      const other = found?.link.link === end.link.index ? found : undefined
      if (other !== undefined) taken.add(other)
      taken.add(end)
      pairs.push({ end, other })
    }
  }
  return pairs
}

function place({ namespace }: Read, index: number): string {
  return `${namespace.id} ${index}`
}

/** What the numbers mean by which the links of one namespace point at others. Asks only until all are known. */
async function namesOf({ stack, ends }: Read, reads: readonly Read[]): Promise<Map<number, Read>> {
  const wanted = new Set(ends.flatMap(({ link }) => link.linkNetnsid ?? []))
  const names = new Map<number, Read>()
  for (const read of reads) {
    if (wanted.size === 0) break
    if (read.ends.length === 0) continue
    const { nsid = -1 } = await stack.route.get(getNsid, { fd: read.netns.fd }, newNsid)
    if (wanted.delete(nsid)) names.set(nsid, read)
  }
  return names
}
