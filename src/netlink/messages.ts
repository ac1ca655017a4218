// All messages that there are tables for. Loaded by the trace alone: other processes need few of them.
import { Reader, Writer } from '../wire/bytes.ts'
import type { Message, MessageType } from '../wire/message.ts'
import { NETLINK_GENERIC, NETLINK_NETFILTER, NETLINK_ROUTE } from './descriptor.ts'
import * as connection from './conntrack/connection.ts'
import { getFamily, newFamily } from './generic/controller.ts'
import { ETHTOOL, ethtoolMessages } from './generic/ethtool.ts'
import type { Genlmsghdr } from './generic/header.ts'
import type { Readable } from './monitor.ts'
import * as batch from './netfilter/batch.ts'
import * as chain from './netfilter/chain.ts'
import * as element from './netfilter/element.ts'
import * as generation from './netfilter/generation.ts'
import * as object from './netfilter/object.ts'
import * as netfilterRule from './netfilter/rule.ts'
import * as set from './netfilter/set.ts'
import * as table from './netfilter/table.ts'
import * as address from './route/address.ts'
import * as bridgeLink from './route/bridge-vlan.ts'
import { AF_BRIDGE } from './route/family.ts'
import * as link from './route/link.ts'
import * as neighbour from './route/neighbour.ts'
import * as nsid from './route/nsid.ts'
import * as route from './route/route.ts'
import * as rule from './route/rule.ts'
import * as filter from './traffic/filter.ts'
import * as qdisc from './traffic/qdisc.ts'

/** The messages of one protocol. Where `family` is given, only those whose payload begins with that byte. */
export interface MessageTable {
  readonly protocol: number
  readonly family?: number | undefined
  /** Where it is given, only those that go there: a command of generic netlink has two meanings. */
  readonly direction?: 'send' | 'receive' | undefined
  readonly types: readonly Readable[]
}

export const knownMessages: readonly MessageTable[] = [
  { protocol: NETLINK_ROUTE, family: AF_BRIDGE, types: messagesOf(bridgeLink) },
  {
    protocol: NETLINK_ROUTE,
    types: [address, filter, link, neighbour, nsid, qdisc, route, rule].flatMap(messagesOf),
  },
  {
    protocol: NETLINK_NETFILTER,
    types: [batch, chain, connection, element, generation, netfilterRule, object, set, table].flatMap(
      messagesOf,
    ),
  },
  ...commands([getFamily], [newFamily]),
]

/** Families of generic netlink: their tables, for the number that the kernel has given them. */
const FAMILIES: ReadonlyMap<string, (family: number) => readonly MessageTable[]> = new Map([
  [
    ETHTOOL,
    (family: number) => {
      const { getFeatures, setFeatures, getFeaturesReply, setFeaturesReply } = ethtoolMessages(family)
      return commands([getFeatures, setFeatures], [getFeaturesReply, setFeaturesReply])
    },
  ],
])

/** The tables of the family that a message of the kernel tells of; none where it is another message. */
export function tablesOfFamily(protocol: number, { type, payload }: Message): readonly MessageTable[] {
  const { bytes, offset, end } = payload
  if (protocol !== NETLINK_GENERIC || type !== newFamily.type || bytes[offset] !== commandOf(newFamily))
    return []
  const { name = '', id } = newFamily.decode(new Reader(bytes, [newFamily.name], offset, end))
  return id === undefined ? [] : (FAMILIES.get(name)?.(id) ?? [])
}

type Command = Readable & Pick<MessageType<Genlmsghdr, object>, 'encode'>

/** Of messages of generic netlink. */
function commands(sent: readonly Command[], received: readonly Command[]): MessageTable[] {
  const table = (direction: 'send' | 'receive') => (each: Command) => ({
    protocol: NETLINK_GENERIC,
    family: commandOf(each),
    direction,
    types: [each],
  })
  return [...sent.map(table('send')), ...received.map(table('receive'))]
}

/** The first byte of what follows the header. */
function commandOf({ encode }: Pick<Command, 'encode'>): number | undefined {
  const out = new Writer()
  encode(out, {})
  return out.written()[0]
}

function messagesOf(module: object): Readable[] {
  return Object.values(module).filter(isMessage)
}

function isMessage(value: unknown): value is Readable {
  return (
    typeof value === 'object' && value !== null && 'name' in value && 'type' in value && 'decode' in value
  )
}
