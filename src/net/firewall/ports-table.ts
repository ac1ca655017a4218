// The table of published ports. Over each rule stands what `nft list ruleset` shows of it.
import { protocols } from '../../netlink/conntrack/tuple.ts'
import { priorities } from '../../netlink/netfilter/chain.ts'
import { bitwise } from '../../netlink/netfilter/expr/bitwise.ts'
import { cmp } from '../../netlink/netfilter/expr/cmp.ts'
import { ct, ctStatus } from '../../netlink/netfilter/expr/ct.ts'
import { addressTypes, fib } from '../../netlink/netfilter/expr/fib.ts'
import { immediate } from '../../netlink/netfilter/expr/immediate.ts'
import { lookup } from '../../netlink/netfilter/expr/lookup.ts'
import { meta } from '../../netlink/netfilter/expr/meta.ts'
import { nat } from '../../netlink/netfilter/expr/nat.ts'
import { type Field, fields, payload } from '../../netlink/netfilter/expr/payload.ts'
import type { Expression } from '../../netlink/netfilter/expression.ts'
import { encode, u32 } from '../../wire/codec.ts'
import type { Family } from '../ip.ts'
import { FAMILIES, octets, registerAfter } from './families.ts'
import { type OurChain, type OurRule, type OurSet, type Plan, PORTS } from './tables.ts'

/** The names of the maps and sets of a family. */
export const portsOf = (family: Family) =>
  ({
    /** protocol . port of the host: address . port of the container */
    all: `ports${family}`,
    /** address . protocol . port of the host: address . port of the container */
    one: `host_ports${family}`,
    /** saddr . daddr . protocol . port of the host, in intervals: address . port of the container */
    ranged: `ranged_ports${family}`,
    /** saddr . daddr . iifname . protocol . port of the host, in intervals: address . port of the container */
    byLink: `conditional_ports${family}`,
    /** address of the container . saddr, in intervals: gets the host's address */
    masquerade: `masquerade${family}`,
  }) as const

/** The types of their keys. */
export const keysOf = (family: Family) => {
  const { type } = FAMILIES[family]
  return {
    all: ['inet_proto', 'inet_service'],
    one: [type, 'inet_proto', 'inet_service'],
    ranged: [type, type, 'inet_proto', 'inet_service'],
    byLink: [type, type, 'ifname', 'inet_proto', 'inet_service'],
    masquerade: [type, type],
    target: [type, 'inet_service'],
  } as const
}

function setsOf(family: Family): [name: string, set: OurSet][] {
  const names = portsOf(family)
  const { all, one, ranged, byLink, masquerade, target: data } = keysOf(family)
  const flags = ['interval'] as const
  return [
    [names.all, { key: all, data }],
    [names.one, { key: one, data }],
    [names.ranged, { key: ranged, data, flags }],
    [names.byLink, { key: byLink, data, flags }],
    [names.masquerade, { key: masquerade, flags }],
  ]
}

const IFNAME_BYTES = 16
const LOOPBACK6 = octets(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
/** The loopback interface is the first of every namespace. */
const LO = encode(u32, 1)

/** What a connection was to before it was translated. */
const ORIGINAL = {
  4: { saddr: 'srcIp', daddr: 'dstIp' },
  6: { saddr: 'srcIp6', daddr: 'dstIp6' },
} as const
type Original = (typeof ORIGINAL)[Family]['saddr' | 'daddr'] | 'protoDst'

type Part = Field | Original | 'iifname' | 'l4proto'

/** Loads one value after the other, as the key of a concatenation has them. */
function concatenation(...parts: readonly Part[]): Expression[] {
  let bytes = 0
  return parts.map(part => {
    const register = registerAfter(bytes)
    bytes += registerBytes(part)
    if (typeof part === 'object') return payload.load(part, register)
    return part === 'iifname' || part === 'l4proto'
      ? meta.load(part, register)
      : ct.load(part, register, 'original')
  })
}

/** How much of the registers it fills: they are of 4 bytes. */
function registerBytes(part: Part): number {
  if (typeof part === 'object') return 4 * Math.ceil(part.length / 4)
  if (part === 'iifname') return IFNAME_BYTES
  return part === 'srcIp6' || part === 'dstIp6' ? FAMILIES[6].bytes : 4
}

/** dnat ip to ... map @set */
function toTarget(family: Family, set: string): Expression[] {
  const { name, second } = FAMILIES[family]
  return [lookup.map(1, set, 1), nat.dnat({ family: name, address: 1, port: second })]
}

const PROTOCOL_AND_PORT = ['l4proto', fields.thDport] as const

/** nft itself takes no one rule for all where keys are intervals: the text of ours could not be loaded again. */
function forEachProtocol(
  before: readonly Expression[],
  parts: readonly Part[],
  after: readonly Expression[],
): Expression[][] {
  return [protocols.tcp, protocols.udp, protocols.sctp].map(protocol => [
    ...before,
    meta.load('l4proto', 1),
    cmp(1, '==', octets(protocol)),
    ...concatenation(...parts, ...PROTOCOL_AND_PORT),
    ...after,
  ])
}

/** What comes to this machine goes on to a container, by the narrowest that is published: everything else is in transit. */
function translation(): OurRule[] {
  const rules: Expression[][] = [
    // fib daddr type != local return
    [fib(['daddr'], 'type', 1), cmp(1, '!=', encode(u32, addressTypes.local)), immediate.return()],
    // ip6 daddr ::1 return: the kernel routes nothing from ::1 to a container, and has no switch for it
    [...FAMILIES[6].only, payload.load(fields.ip6Daddr, 1), cmp(1, '==', LOOPBACK6), immediate.return()],
  ]
  for (const family of [4, 6] as const) {
    const { only, saddr, daddr } = FAMILIES[family]
    const { all, one, ranged, byLink } = portsOf(family)
    rules.push(
      // dnat ip to ip saddr . ip daddr . iifname . meta l4proto . tcp dport map @conditional_ports4; so for udp and sctp
      ...forEachProtocol(only, [saddr, daddr, 'iifname'], toTarget(family, byLink)),
      // dnat ip to ip saddr . ip daddr . meta l4proto . tcp dport map @ranged_ports4; so for udp and sctp
      ...forEachProtocol(only, [saddr, daddr], toTarget(family, ranged)),
      // dnat ip to ip daddr . meta l4proto . th dport map @host_ports4
      [...only, ...concatenation(daddr, ...PROTOCOL_AND_PORT), ...toTarget(family, one)],
      // meta nfproto ipv4 dnat ip to meta l4proto . th dport map @ports4
      [...only, ...concatenation(...PROTOCOL_AND_PORT), ...toTarget(family, all)],
    )
  }
  return rules.map((expressions, id) => ({ id, expressions }))
}

/**
 * ct status dnat meta l4proto . ct original proto-dst map @ports4 ip daddr . ip saddr @masquerade4 masquerade; and so for
 * the other maps. What others translate to a container, a service of Kubernetes say, keeps its source.
 */
function masqueradeRules(family: Family): OurRule[] {
  const { only, saddr, daddr } = FAMILIES[family]
  const { all, one, ranged, byLink, masquerade } = portsOf(family)
  const original = ORIGINAL[family]
  const port = ['l4proto', 'protoDst'] as const
  const published: [set: string, key: readonly Part[]][] = [
    [all, port],
    [one, [original.daddr, ...port]],
    [ranged, [original.saddr, original.daddr, ...port]],
    [byLink, [original.saddr, original.daddr, 'iifname', ...port]],
  ]
  return published.map(([set, key], position) => ({
    id: 10 * family + position,
    expressions: [
      ct.load('status', 1),
      bitwise.and(1, encode(u32, ctStatus.dnat)),
      cmp(1, '!=', octets(0, 0, 0, 0)),
      ...only,
      ...concatenation(...key),
      lookup.map(1, set, 1),
      ...concatenation(daddr, saddr),
      lookup.in(1, masquerade),
      nat.masquerade(),
    ],
  }))
}

/** iif != "lo" ip daddr 127.0.0.0/8 drop */
function strayRule(id: number, field: Field): OurRule {
  return {
    id,
    expressions: [
      meta.load('iif', 1),
      cmp(1, '!=', LO),
      ...FAMILIES[4].only,
      payload.load({ ...field, length: 1 }, 1),
      cmp(1, '==', octets(127)),
      immediate.drop(),
    ],
  }
}

/** Where `route_localnet` lets the host's 127.0.0.1 reach a container, no neighbour may reach the host's 127.0.0.1. */
const STRAY: OurChain = {
  type: 'filter',
  hook: 'prerouting',
  priority: priorities.raw,
  rules: [strayRule(0, fields.ipDaddr), strayRule(1, fields.ipSaddr)],
}

/** After those of the host itself: what they redirect is not for us. Of one priority, the youngest would come first. */
const LAST = priorities.dstnat + 1

const translating = { type: 'nat', priority: LAST, rules: translation() } as const

const TABLE = {
  ...PORTS,
  sets: Object.fromEntries(([4, 6] as const).flatMap(setsOf)),
  chains: {
    stray: STRAY,
    prerouting: { ...translating, hook: 'prerouting' },
    output: { ...translating, hook: 'output' },
    postrouting: {
      type: 'nat',
      hook: 'postrouting',
      priority: priorities.srcnat,
      rules: ([4, 6] as const).flatMap(masqueradeRules),
    },
  },
} as const

export function isPortSet(name: string): boolean {
  return Object.hasOwn(TABLE.sets, name)
}

export function isPortMap(name: string): boolean {
  return isPortSet(name) && 'data' in (TABLE.sets[name] ?? {})
}

export const portsPlan: Plan = { ...PORTS, tableWith: () => TABLE }
