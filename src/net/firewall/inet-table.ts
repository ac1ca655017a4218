// The table for what the host forwards. Over each rule stands what `nft list ruleset` shows of it.
import { priorities } from '../../netlink/netfilter/chain.ts'
import { bitwise } from '../../netlink/netfilter/expr/bitwise.ts'
import { cmp } from '../../netlink/netfilter/expr/cmp.ts'
import { ct, ctState, ctStatus } from '../../netlink/netfilter/expr/ct.ts'
import { immediate } from '../../netlink/netfilter/expr/immediate.ts'
import { lookup } from '../../netlink/netfilter/expr/lookup.ts'
import { meta } from '../../netlink/netfilter/expr/meta.ts'
import { nat } from '../../netlink/netfilter/expr/nat.ts'
import { fields, payload } from '../../netlink/netfilter/expr/payload.ts'
import type { Expression } from '../../netlink/netfilter/expression.ts'
import { encode, u32 } from '../../wire/codec.ts'
import { FAMILIES, mask, octets } from './families.ts'
import { type Held, INET, type OurChain, type OurRule, type OurTable, type Plan } from './tables.ts'
import { ALLOWED, CONTAINER_SETS, CONTAINERS } from './container-rules.ts'

type Version = keyof typeof FAMILIES

/** A subnet of so many bits, of IPv4 or IPv6. */
export interface Prefix {
  readonly family: Version
  readonly prefix: number
}

/** The names of the sets of containers' addresses, and of addresses with their subnets. */
export const ownSet = (family: Version): string => `masquerade${family}`
export const localSet = ({ family, prefix }: Prefix): string => `masquerade${family}_local_${prefix}`

export function isMasqueradeSet(name: string): boolean {
  return /^masquerade[46](_local_\d+)?$/.test(name)
}

const RULE = { multicast4: 1, multicast6: 2, local4: 3, masquerade4: 4, local6: 5, masquerade6: 6 } as const

/** ip saddr . ip daddr & 255.255.255.0 @masquerade4_local_24 return */
function localRule({ family, prefix }: Prefix): OurRule {
  const { only, bytes, saddr, daddr, second } = FAMILIES[family]
  return {
    id: RULE[`local${family}`],
    argument: prefix,
    expressions: [
      ...only,
      payload.load(saddr, 1),
      payload.load(daddr, second),
      ...(prefix < 8 * bytes ? [bitwise.and(second, mask(prefix, bytes))] : []),
      lookup.in(1, localSet({ family, prefix })),
      immediate.return(),
    ],
  }
}

/** ip saddr @masquerade4 masquerade */
function masqueradeRule(family: Version): OurRule {
  const { only, saddr } = FAMILIES[family]
  return {
    id: RULE[`masquerade${family}`],
    expressions: [...only, payload.load(saddr, 1), lookup.in(1, ownSet(family)), nat.masquerade()],
  }
}

/** ip daddr 224.0.0.0/4 return */
const MULTICAST4: OurRule = {
  id: RULE.multicast4,
  expressions: [
    ...FAMILIES[4].only,
    payload.load(fields.ipDaddr, 1),
    bitwise.and(1, octets(0xf0, 0, 0, 0)),
    cmp(1, '==', octets(0xe0, 0, 0, 0)),
    immediate.return(),
  ],
}

/** ip6 daddr ff00::/8 return */
const MULTICAST6: OurRule = {
  id: RULE.multicast6,
  expressions: [
    ...FAMILIES[6].only,
    payload.load({ ...fields.ip6Daddr, length: 1 }, 1),
    cmp(1, '==', octets(0xff)),
    immediate.return(),
  ],
}

/** Nothing from elsewhere reaches an isolated bridge unasked, but by a port that the host has published. */
const FORWARD: OurChain = {
  type: 'filter',
  hook: 'forward',
  priority: priorities.filter,
  rules: [
    // iifname . oifname @bridges_self accept
    {
      id: 0,
      expressions: [
        meta.load('iifname', 1),
        meta.load('oifname', 2),
        lookup.in(1, 'bridges_self'),
        immediate.accept(),
      ],
    },
    // iifname @internal drop
    { id: 1, expressions: [meta.load('iifname', 1), lookup.in(1, 'internal'), immediate.drop()] },
    // oifname @internal drop
    { id: 2, expressions: [...toOneOf('internal'), immediate.drop()] },
    // oifname @bridges ct state established,related accept
    {
      id: 3,
      expressions: [
        ...toOneOf('bridges'),
        ct.load('state', 1),
        ...hasAny(ctState.established | ctState.related),
        immediate.accept(),
      ],
    },
    // oifname @bridges ct status dnat accept: who asked the host, and was sent on by a rule of the host
    {
      id: 5,
      expressions: [
        ...toOneOf('bridges'),
        ct.load('status', 1),
        ...hasAny(ctStatus.dnat),
        immediate.accept(),
      ],
    },
    // oifname @bridges drop
    { id: 4, expressions: [...toOneOf('bridges'), immediate.drop()] },
  ],
}

function toOneOf(set: string): Expression[] {
  return [meta.load('oifname', 1), lookup.in(1, set)]
}

function hasAny(bits: number): Expression[] {
  return [bitwise.and(1, encode(u32, bits)), cmp(1, '!=', octets(0, 0, 0, 0))]
}

/** The table for subnets of these lengths: each has its set and its rule, so that one lookup finds an address. */
function inetTable(prefixes: readonly Prefix[], hasContainers: boolean): OurTable {
  const ofFamily = (family: Version) => prefixes.filter(prefix => prefix.family === family)
  const sets = prefixes.map(prefix => {
    const { type } = FAMILIES[prefix.family]
    return [localSet(prefix), [type, type]] as const
  })
  return {
    ...INET,
    sets: {
      [ownSet(4)]: ['ipv4_addr'],
      [ownSet(6)]: ['ipv6_addr'],
      ...Object.fromEntries(sets),
      bridges: ['ifname'],
      bridges_self: ['ifname', 'ifname'],
      internal: ['ifname'],
      ...(hasContainers ? CONTAINER_SETS : {}),
    },
    chains: {
      postrouting: {
        type: 'nat',
        hook: 'postrouting',
        priority: priorities.srcnat,
        rules: [
          MULTICAST4,
          MULTICAST6,
          ...ofFamily(4).map(localRule),
          masqueradeRule(4),
          ...ofFamily(6).map(localRule),
          masqueradeRule(6),
        ],
      },
      forward: FORWARD,
      ...(hasContainers ? { containers: CONTAINERS } : {}),
    },
  }
}

/** The table with what `needed` needs, and the rules for single containers; what others need stays. */
export function inetPlan(needed: readonly Prefix[], containers = false): Plan {
  return {
    ...INET,
    tableWith({ rules, sets }) {
      const hasContainers =
        containers || rules.some(({ chain }) => chain === 'containers') || sets.includes(ALLOWED[4])
      const all = [...needed, ...rules.flatMap(prefixOfRule), ...sets.flatMap(prefixOfSet)]
      const unique = new Map(all.map(prefix => [localSet(prefix), prefix]))
      const sorted = [...unique.values()].sort((a, b) => a.family - b.family || b.prefix - a.prefix)
      return inetTable(sorted, hasContainers)
    },
  }
}

function prefixOfRule({ chain, mark }: Held['rules'][number]): Prefix[] {
  if (chain !== 'postrouting' || mark?.argument === undefined) return []
  if (mark.id === RULE.local4) return [{ family: 4, prefix: mark.argument }]
  if (mark.id === RULE.local6) return [{ family: 6, prefix: mark.argument }]
  return []
}

function prefixOfSet(name: string): Prefix[] {
  const [, family, prefix] = /^masquerade([46])_local_(\d+)$/.exec(name) ?? []
  return prefix === undefined ? [] : [{ family: family === '4' ? 4 : 6, prefix: Number(prefix) }]
}
