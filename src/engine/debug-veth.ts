// Every veth pair of the machine: whose it is, where its ends are, and what is wrong with it.
import { TnetError } from '../errors.ts'
import { type DroppingChain, dropsOf } from '../net/dropping-chains.ts'
import { addressOf, equal } from '../net/ip.ts'
import { spokenAddress } from '../net/spoken-address.ts'
import { commandOf, containerOf, findNamespaces, type Namespaces } from '../net/namespaces.ts'
import { openNetns } from '../net/netns.ts'
import { type Owner, ownerOf } from '../net/owner.ts'
import { Stack } from '../net/stack.ts'
import { readVeths, type VethEnd, type VethPair, type Veths } from '../net/veths.ts'
import { ownNetworkName } from './networks/records.ts'
import { type Circumstances, isGlobal, type Problem, problemsOf } from './veth-problems.ts'

export interface ReportedEnd extends VethEnd {
  /** The first process in its namespace, and how many there are. */
  readonly process: { readonly pid: number; readonly command: string; readonly count: number } | undefined
  /** The container that the process belongs to. */
  readonly container: string | undefined
}

export interface ReportedPair {
  readonly end: ReportedEnd
  readonly other: ReportedEnd | undefined
  /** By the tag that tnet gives what it makes. */
  readonly owner: Owner | undefined
  readonly problems: readonly Problem[]
}

export interface VethReport {
  readonly pairs: readonly ReportedPair[]
  readonly unreadable: Veths['unreadable']
}

export interface DebugOptions {
  /** Whether the owner is on record; undefined where its network is not kept here. */
  readonly recorded?: (owner: Owner) => Promise<boolean | undefined>
}

/**
 * The pairs that `which` names: by interface, address, MAC address, container, network or namespace, or as `pid:N`;
 * left out: all. Throws TnetError NOT_FOUND where none matches.
 */
export async function debugVeth(which?: string, options: DebugOptions = {}): Promise<VethReport> {
  const { veths, namespaces } = await settled()
  const unseen = whyUnseen(veths, namespaces)
  const bridged = new Set(veths.pairs.filter(isEnslaved).map(pair => tagOwner(pair)?.network))
  const drops = veths.pairs.some(pair => tagOwner(pair) !== undefined) ? await hostDrops() : []
  const matches = which === undefined ? () => true : matcher(which)
  const pairs: ReportedPair[] = []
  for (const pair of veths.pairs) {
    const owner = tagOwner(pair)
    const ends = {
      end: reported(pair.end),
      other: pair.other === undefined ? undefined : reported(pair.other),
    }
    if (!matches(ends, owner)) continue
    const around: Circumstances = {
      unseen,
      drops,
      recorded: owner === undefined ? undefined : await options.recorded?.(owner),
      bridged: owner !== undefined && (bridged.has(owner.network) || !hasAddress(pair.end)),
    }
    pairs.push({ ...ends, owner, problems: problemsOf(pair, owner, around) })
  }
  if (which !== undefined && pairs.length === 0) {
    throw new TnetError(
      'NOT_FOUND',
      `veth ${which}: no end of a pair has this name or address`,
      'tnet debug veth shows all pairs',
    )
  }
  return { pairs, unreadable: veths.unreadable }
}

async function hostDrops(): Promise<DroppingChain[]> {
  using host = new Stack()
  return await dropsOf(host)
}

interface Seen {
  readonly veths: Veths
  readonly namespaces: Namespaces
}

/** Containers come and go while we look: what is incomplete is believed only when it is so twice. */
async function settled(): Promise<Seen> {
  const first = await look()
  const incomplete = new Set(first.veths.pairs.filter(pair => pair.other === undefined).map(placeOf))
  if (incomplete.size === 0) return first
  const second = await look()
  const pairs = second.veths.pairs.filter(pair => pair.other !== undefined || incomplete.has(placeOf(pair)))
  return { ...second, veths: { ...second.veths, pairs } }
}

async function look(): Promise<Seen> {
  const namespaces = await findNamespaces()
  return { namespaces, veths: await readVeths(namespaces.known) }
}

function placeOf({ end }: VethPair): string {
  return `${end.namespace.id} ${end.link.index}`
}

/** Why an end may be missing without being an orphan. */
function whyUnseen({ unreadable }: Veths, { hidden, denied }: Namespaces): string | undefined {
  const [closed] = unreadable
  if (closed !== undefined) return `${closed.namespace.path} may not be read`
  const [stranger] = denied
  if (stranger !== undefined)
    return `the namespaces of ${denied.length} processes, such as ${stranger}, may not be seen`
  const [mounted] = hidden
  if (mounted === undefined) return undefined
  const { pid, inode } = mounted
  return `namespace ${inode} is mounted where only process ${pid} (${commandOf(pid)}) sees it`
}

function isEnslaved({ end, other }: VethPair): boolean {
  return end.master !== undefined || other?.master !== undefined
}

/** Besides the link-local one that every IPv6 link has. A pair that is neither enslaved nor addressed leads nowhere. */
function hasAddress({ addresses }: VethEnd): boolean {
  return addresses.some(isGlobal)
}

function tagOwner({ end, other }: VethPair): Owner | undefined {
  return ownerOf(end.link.alias ?? '') ?? ownerOf(other?.link.alias ?? '')
}

function reported(end: VethEnd): ReportedEnd {
  const { pids } = end.namespace
  const [pid] = pids
  if (pid === undefined || end.namespace.own) return { ...end, process: undefined, container: undefined }
  return {
    ...end,
    process: { pid, command: commandOf(pid), count: pids.length },
    container: containerOf(pid),
  }
}

type Matcher = (ends: Pick<ReportedPair, 'end' | 'other'>, owner: Owner | undefined) => boolean

/** Throws TnetError BAD_NETNS where `pid:N` names no process. */
function matcher(which: string): Matcher {
  const pid = /^pid:([0-9]+)$/.exec(which)?.[1]
  if (pid !== undefined) return inNamespace(`/proc/${pid}/ns/net`)
  if (which.includes('/')) return inNamespace(which)
  const address = spokenAddress(which)
  if (address !== undefined) {
    const has = (text: string) => {
      const own = addressOf(text.split('/')[0] ?? '')
      return own !== undefined && equal(own, address)
    }
    return anyEnd(({ addresses }) => addresses.some(has))
  }
  const mac = which.toLowerCase()
  if (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac)) return anyEnd(({ link }) => link.address === mac)
  const named = anyEnd(end => isNamed(end, which))
  return (ends, owner) => named(ends, owner) || isOwned(owner, which)
}

function inNamespace(path: string): Matcher {
  using netns = openNetns(path)
  const { id } = netns
  return anyEnd(({ namespace }) => namespace.id === id)
}

function anyEnd(matches: (end: ReportedEnd) => boolean): Matcher {
  return ({ end, other }) => matches(end) || (other !== undefined && matches(other))
}

function isNamed({ link, namespace, container }: ReportedEnd, name: string): boolean {
  const names = [link.name, ...(link.alternativeNames?.names ?? [])]
  const mounted = !namespace.own && namespace.mounts.some(mount => mount.endsWith(`/${name}`))
  return names.includes(name) || mounted || isId(container, name)
}

function isOwned(owner: Owner | undefined, name: string): boolean {
  if (owner === undefined) return false
  const network = ownNetworkName(owner) ?? owner.network
  return network === name || owner.containerId === name || isId(owner.containerId, name)
}

/** A container's id, as far as people copy it. */
function isId(id: string | undefined, name: string): boolean {
  return name.length >= 12 && id?.startsWith(name) === true
}
