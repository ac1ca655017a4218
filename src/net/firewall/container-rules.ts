// The rules for single containers in the table for what the host forwards. Over each stands what nft shows of it.
import { priorities } from '../../netlink/netfilter/chain.ts'
import { bitwise } from '../../netlink/netfilter/expr/bitwise.ts'
import { cmp } from '../../netlink/netfilter/expr/cmp.ts'
import { ct, ctState } from '../../netlink/netfilter/expr/ct.ts'
import { immediate } from '../../netlink/netfilter/expr/immediate.ts'
import { lookup } from '../../netlink/netfilter/expr/lookup.ts'
import { meta } from '../../netlink/netfilter/expr/meta.ts'
import { payload } from '../../netlink/netfilter/expr/payload.ts'
import { encode, u32 } from '../../wire/codec.ts'
import { FAMILIES } from './families.ts'
import type { OurChain } from './tables.ts'

/** The sets of addresses that are let through. */
export const ALLOWED = { 4: 'allowed4', 6: 'allowed6' } as const
/** The sets that say for whom a bridge is in the other sets: a bridge and the port of a container. */
export const USERS = { 'same-bridge': 'same_bridge_users', isolated: 'isolated_users' } as const

export const CONTAINER_SETS = {
  [ALLOWED[4]]: ['ipv4_addr'],
  [ALLOWED[6]]: ['ipv6_addr'],
  same_bridge: ['ifname'],
  same_bridge_self: ['ifname', 'ifname'],
  isolated_self: ['ifname', 'ifname'],
  [USERS['same-bridge']]: ['ifname', 'ifname'],
  [USERS.isolated]: ['ifname', 'ifname'],
} as const

const fromTo = [meta.load('iifname', 1), meta.load('oifname', 2)] as const

/** ip daddr @allowed4 ct state established,related accept */
const answers = (family: 4 | 6) => [
  ...FAMILIES[family].only,
  payload.load(FAMILIES[family].daddr, 1),
  lookup.in(1, ALLOWED[family]),
  ct.load('state', 1),
  bitwise.and(1, encode(u32, ctState.established | ctState.related)),
  cmp(1, '!=', encode(u32, 0)),
  immediate.accept(),
]

/** ip saddr @allowed4 accept */
const asks = (family: 4 | 6) => [
  ...FAMILIES[family].only,
  payload.load(FAMILIES[family].saddr, 1),
  lookup.in(1, ALLOWED[family]),
  immediate.accept(),
]

/** An accept ends this chain alone: another table's drop is not overruled. */
export const CONTAINERS: OurChain = {
  type: 'filter',
  hook: 'forward',
  priority: priorities.filter,
  rules: [
    // iifname . oifname @isolated_self drop
    [...fromTo, lookup.in(1, 'isolated_self'), immediate.drop()],
    // iifname @same_bridge oifname @same_bridge iifname . oifname != @same_bridge_self drop
    [
      meta.load('iifname', 1),
      lookup.in(1, 'same_bridge'),
      meta.load('oifname', 1),
      lookup.in(1, 'same_bridge'),
      ...fromTo,
      lookup.notIn(1, 'same_bridge_self'),
      immediate.drop(),
    ],
    answers(4),
    asks(4),
    answers(6),
    asks(6),
  ].map((expressions, id) => ({ id, expressions })),
}
