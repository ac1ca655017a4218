// What the reference's plugins left for a container: chains as iptables-nft or iptables-legacy writes them, and rules of
// tables of their own.
import { createHash } from 'node:crypto'
import { absentIsFine, errnoCode } from '../errors.ts'
import { batch } from '../netlink/netfilter/batch.ts'
import { deleteChain, getChain, newChain } from '../netlink/netfilter/chain.ts'
import { findElements } from '../netlink/netfilter/element-lookup.ts'
import type { Family } from '../netlink/netfilter/message.ts'
import { deleteRule, getRule, newRule, type Rule } from '../netlink/netfilter/rule.ts'
import { type NetlinkSocket, type Request, request } from '../netlink/socket.ts'
import { sweep } from '../steps.ts'
import { legacyFamilyOf } from './legacy-tables.ts'
import type { Owner } from './owner.ts'
import type { Remnant } from './tables.ts'

/** Where remnants are looked for in nftables. */
interface Place {
  readonly family: Family
  readonly table: string
}

/** `ip nat` */
function placeOf(name: string): Place {
  const [family = '', table = ''] = name.split(' ')
  return { family: family as Family, table }
}

const ATTEMPTS = 16

/** What is looked for. */
export interface Wanted {
  readonly owner: Owner
  readonly remnant: Remnant
}

/**
 * Removes what is left in the tables of these names; each of them is changed as a whole or not at all, and where one
 * cannot be, the others are all the same. Throws NetlinkError, TnetError.
 */
export async function clearRemnants(
  socket: () => NetlinkSocket,
  names: readonly string[],
  wanted: Wanted,
): Promise<void> {
  await sweep(names.map(name => () => clear(socket, name, wanted)))
}

async function clear(socket: () => NetlinkSocket, name: string, wanted: Wanted): Promise<void> {
  const legacy = legacyFamilyOf(name)
  if (legacy === undefined) return inTurn(socket(), () => removalOf(socket(), placeOf(name), wanted))
  await (await legacyRemnants()).clearLegacyChains(legacy, chainNames(wanted))
}

/** Whether there is anything in one of these tables. */
export async function hasRemnants(
  socket: () => NetlinkSocket,
  names: readonly string[],
  wanted: Wanted,
): Promise<boolean> {
  for (const name of names) {
    const legacy = legacyFamilyOf(name)
    const has =
      legacy === undefined
        ? (await removalOf(socket(), placeOf(name), wanted)).length > 0
        : await (await legacyRemnants()).hasLegacyChains(legacy, chainNames(wanted))
    if (has) return true
  }
  return false
}

/** It executes a program. */
const legacyRemnants = () => import('./iptables/legacy-remnants.ts')

async function removalOf(socket: NetlinkSocket, place: Place, wanted: Wanted): Promise<Request[]> {
  const find = place.table === 'nat' ? inChains(chainNames(wanted)) : byComment(wanted)
  return find(socket, place)
}

/** Somebody else may change the ruleset between the look and the change: then again. */
async function inTurn(socket: NetlinkSocket, find: () => Promise<Request[]>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { generation } = await findElements(socket, [])
    const requests = await find()
    if (requests.length === 0) return
    try {
      return await batch(socket, requests, { generation })
    } catch (error) {
      if (errnoCode(error) !== 'ERESTART' || attempt === ATTEMPTS) throw error
    }
  }
}

/** The chains of a container with all that leads to them. */
function inChains(names: readonly string[]) {
  return async (socket: NetlinkSocket, { family, table }: Place): Promise<Request[]> => {
    const chains: string[] = []
    for (const name of names) if (await hasChain(socket, { family, table }, name)) chains.push(name)
    if (chains.length === 0) return []
    const rules = await socket.dump(getRule, { family, table }, newRule)
    return [
      ...rules.filter(rule => chains.some(chain => leadsTo(rule, chain))).map(deletion),
      ...chains.map(chain => request(deleteRule, { family, table, chain })),
      ...chains.map(name => request(deleteChain, { family, table, name })),
    ]
  }
}

async function hasChain(socket: NetlinkSocket, place: Place, name: string): Promise<boolean> {
  const found = await absentIsFine(['ENOENT'], () => socket.get(getChain, { ...place, name }, newChain))
  return found !== undefined
}

function leadsTo({ expressions = [] }: Rule, chain: string): boolean {
  return expressions.some(each => {
    if (each.name !== 'immediate' || each.data === undefined || !('data' in each.data)) return false
    return each.data.data?.verdict?.chain === chain
  })
}

/** The rules of a container, which their comment names. */
function byComment({ owner, remnant }: Wanted) {
  const isOwn = remnant === 'ports' ? isContainer(owner) : isInstance(owner)
  return async (socket: NetlinkSocket, { family, table }: Place): Promise<Request[]> => {
    const rules = await socket.dump(getRule, { family, table }, newRule)
    return rules.filter(({ userData }) => isOwn(userData?.comment ?? '')).map(deletion)
  }
}

function deletion({ family, table, chain, handle }: Rule): Request {
  return request(deleteRule, { family, table, chain, handle })
}

function isContainer({ containerId }: Owner): (comment: string) => boolean {
  return comment => comment === containerId
}

/** The comment goes on with words for people. */
function isInstance({ network, ifname, containerId }: Owner): (comment: string) => boolean {
  const beginning = `${hash(network).slice(0, 16)}-${hash(`${ifname}:${containerId}`).slice(0, 16)}`
  return comment => comment.startsWith(beginning)
}

const CHAIN_LENGTH = 28

function chainNames({ owner: { network, containerId, ifname }, remnant }: Wanted): string[] {
  if (remnant === 'spoofcheck') {
    const name = `cni-br-iface-${containerId}-${ifname}`
    return [name, `${name}-mac`]
  }
  const digest = hash(`${network}${containerId}`)
  const prefixes = remnant === 'ports' ? ['CNI-DN-', 'CNI-SN-'] : ['CNI-']
  return prefixes.map(prefix => `${prefix}${digest}`.slice(0, CHAIN_LENGTH))
}

function hash(text: string): string {
  return createHash('sha512').update(text).digest('hex')
}
