// Veth pairs as people read them, and as programs do.
import type { ReportedEnd, ReportedPair } from '../engine/debug-veth.ts'
import { ownNetworkName } from '../engine/networks/records.ts'
import { portState } from '../engine/veth-problems.ts'
import type { Owner } from '../net/owner.ts'
import type { Context } from './io.ts'
import { columns } from './table.ts'
import { json, visible } from './text.ts'

type Paint = Context['paint']

const HEADINGS = [
  'LINK',
  'NAMESPACE',
  'PROCESS',
  'ADDRESSES',
  'MTU',
  'STATE',
  'PORT OF',
  'RX PACKETS',
  'TX PACKETS',
  'DROPPED',
  'OWNER',
]

/** All pairs: a line for each end, the counters of both one above the other, and a line for each problem. */
export function overview(pairs: readonly ReportedPair[], paint: Paint): string {
  const rows = pairs.flatMap(pair => {
    const { end, other } = pair
    const lines = [[...row(end, visible(end.link.name ?? '')), ownerOf(pair)]]
    lines.push(
      other === undefined ? [paint('red', '└ ?')] : row(other, `└ ${visible(other.link.name ?? '')}`),
    )
    return lines
  })
  return columns([HEADINGS.map(each => paint('bold', each)), ...rows]) + causes(pairs, paint)
}

function row(end: ReportedEnd, name: string): string[] {
  const { rxPackets = 0n, txPackets = 0n } = end.link.stats64 ?? {}
  const facts = [
    where(end),
    processOf(end),
    shortAddresses(end),
    String(end.link.mtu),
    stateOf(end),
    portOf(end),
  ]
  return [name, ...facts.map(visible), `${rxPackets}`, `${txPackets}`, `${dropped(end)}`]
}

/** Some pairs: a table for each, an end in each column. */
export function details(pairs: readonly ReportedPair[], paint: Paint): string {
  return pairs
    .map(pair => {
      const title = paint(
        'bold',
        `${titleOf(pair.end)} <-> ${pair.other === undefined ? '?' : titleOf(pair.other)}`,
      )
      const lines = FACTS.map(([name, of]) => [
        `  ${name}`,
        visible(of(pair.end)),
        pair.other === undefined ? '?' : visible(of(pair.other)),
      ])
      return `${title}\n  owner: ${ownerOf(pair)}\n${columns(lines)}${causes([pair], paint) || paint('green', 'no problem found') + '\n'}`
    })
    .join('\n')
}

const FACTS: readonly (readonly [name: string, of: (end: ReportedEnd) => string])[] = [
  ['namespace', where],
  ['process', processOf],
  ['container', ({ container }) => container?.slice(0, 12) ?? '-'],
  ['interface', ({ link }) => `${link.name} (${link.index})`],
  ['other names', ({ link }) => (link.alternativeNames?.names ?? []).join(' ') || '-'],
  ['MAC', ({ link }) => link.address ?? '-'],
  ['addresses', ({ addresses }) => addresses.join(' ') || '-'],
  ['MTU', ({ link }) => String(link.mtu)],
  ['state', stateOf],
  ['port of', portOf],
  ['received', ({ link }) => traffic(link.stats64?.rxPackets, link.stats64?.rxBytes)],
  ['sent', ({ link }) => traffic(link.stats64?.txPackets, link.stats64?.txBytes)],
  ['errors', ({ link }) => `${(link.stats64?.rxErrors ?? 0n) + (link.stats64?.txErrors ?? 0n)}`],
  ['dropped', end => String(dropped(end))],
]

/** One object in a line for each pair. */
export function asJson(pairs: readonly ReportedPair[]): string {
  return pairs
    .map(({ end, other, owner, problems }) => ({
      Network: owner && networkOf(owner),
      ContainerID: owner?.containerId,
      Interface: owner?.ifname,
      Ends: [end, ...(other === undefined ? [] : [other])].map(endObject),
      Problems: problems.map(({ kind, cause }) => ({ Kind: kind, Cause: cause })),
    }))
    .map(object => `${json(object)}\n`)
    .join('')
}

function endObject(end: ReportedEnd) {
  const { link, namespace, process, master } = end
  const port = (link.linkInfo?.portKind === 'bridge' ? link.linkInfo.portData : undefined) as
    BridgePort | undefined
  return {
    Name: link.name,
    Index: link.index,
    AlternativeNames: link.alternativeNames?.names ?? [],
    Alias: link.alias,
    Namespace: where(end),
    NamespaceInode: namespace.inode,
    Process: process && { PID: process.pid, Command: process.command, Count: process.count },
    Container: end.container,
    MAC: link.address,
    Addresses: end.addresses,
    MTU: link.mtu,
    Up: link.flags.has('up'),
    State: link.operstate,
    Master: master && {
      Name: master.name,
      Kind: master.linkInfo?.kind,
      MTU: master.mtu,
      Up: master.flags.has('up'),
    },
    Port: port && { State: portState(end), Hairpin: port.hairpin, Isolated: port.isolated },
    Counters: Object.fromEntries(
      COUNTERS.map(name => [`${name[0]?.toUpperCase()}${name.slice(1)}`, Number(link.stats64?.[name])]),
    ),
  }
}

const COUNTERS = [
  'rxPackets',
  'txPackets',
  'rxBytes',
  'txBytes',
  'rxErrors',
  'txErrors',
  'rxDropped',
  'txDropped',
  'multicast',
  'collisions',
] as const

interface BridgePort {
  readonly hairpin?: boolean | undefined
  readonly isolated?: boolean | undefined
}

function causes(pairs: readonly ReportedPair[], paint: Paint): string {
  return pairs
    .flatMap(({ problems }) => problems)
    .map(
      ({ kind, cause }) => `${paint(kind === 'unknown' ? 'yellow' : 'red', `${kind}:`)} ${visible(cause)}\n`,
    )
    .join('')
}

function titleOf(end: ReportedEnd): string {
  return visible(`${end.link.name} in ${where(end)}`)
}

function where({ namespace }: ReportedEnd): string {
  if (namespace.own) return 'host'
  return namespace.mounts[0] ?? `net:[${namespace.inode}]`
}

function processOf({ process }: ReportedEnd): string {
  if (process === undefined) return '-'
  return `${process.pid} ${process.command}${process.count > 1 ? ` and ${process.count - 1} more` : ''}`
}

function stateOf({ link }: ReportedEnd): string {
  if (!link.flags.has('up')) return 'down'
  return link.operstate === 'up' ? 'up' : 'no carrier'
}

function portOf(end: ReportedEnd): string {
  if (end.master === undefined) return '-'
  const port = (end.link.linkInfo?.portData ?? {}) as BridgePort
  const words = [
    portState(end),
    port.hairpin === true ? 'hairpin' : undefined,
    port.isolated === true ? 'isolated' : undefined,
  ]
  return [end.master.name, ...words.filter(word => word !== undefined)].join(' ')
}

function ownerOf({ owner, end, other }: ReportedPair): string {
  if (owner === undefined) return (end.container ?? other?.container)?.slice(0, 12) ?? '-'
  return visible(`${owner.ifname} of ${owner.containerId.slice(0, 12)} on ${networkOf(owner)}`)
}

/** The name that people know a network by: the tags of our own have more to them. */
function networkOf(owner: Owner): string {
  return ownNetworkName(owner) ?? owner.network
}

/** Every link has a link-local address of IPv6: a table has no room for it. */
function shortAddresses({ addresses }: ReportedEnd): string {
  return addresses.filter(address => !address.startsWith('fe80:')).join(' ') || '-'
}

function traffic(packets = 0n, bytes = 0n): string {
  return `${packets} packets, ${bytes} bytes`
}

function dropped({ link }: ReportedEnd): bigint {
  return (link.stats64?.rxDropped ?? 0n) + (link.stats64?.txDropped ?? 0n)
}
