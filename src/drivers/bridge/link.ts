// The bridge itself: made when it is missing, brought in line when it is there.
import { errnoCode, TnetError } from '../../errors.ts'
import type { Link, LinkRequest } from '../../netlink/route/link.ts'
import type { Host } from '../../net/host.ts'
import { kindOf } from '../../net/links.ts'
import { randomMac } from '../../net/mac.ts'
import { GATEWAY } from '../../net/owner.ts'
import type { bridge as bridgeData } from '../../netlink/route/kinds/bridge.ts'
import type { Steps } from '../../steps.ts'
import type { ValueOf } from '../../wire/codec.ts'
import { acceptNoAdvertisements } from '../routing.ts'
import type { BridgeOptions } from './options.ts'

/** The alias of the bridges that we made: their MAC address was set when they were made. */
const OURS = 'tnet-bridge'

/** Makes or adopts the bridge, and brings it in line with the options. */
export async function openBridge(options: BridgeOptions, host: Host, steps: Steps): Promise<Link> {
  const { bridge: name } = options
  const found = (await findBridge(name, host)) ?? (await addBridge(options, host, steps))
  const advertisements = await host.sysctl.getIfPresent(acceptRa(name))
  return steps.attempt(
    `set up bridge ${name}`,
    () => reconcile(found, options, host),
    () => whileUnused(found, host, () => restore(found, advertisements, host)),
  )
}

/** The bridge, or undefined where no link has its name. Throws BAD_CONFIG where one of another kind has. */
export async function findBridge(name: string, host: Host): Promise<Link | undefined> {
  const link = await host.links.get(name)
  if (link === undefined || link.linkInfo?.kind === 'bridge') return link
  throw new TnetError(
    'BAD_CONFIG',
    `bridge ${name}: a ${kindOf(link)} has this name`,
    'choose another name, or remove that link',
  )
}

async function addBridge(options: BridgeOptions, host: Host, steps: Steps): Promise<Link> {
  const { bridge: name, mtu } = options
  const kind = 'bridge' as const
  const linkInfo = { kind, data: wantsVlans(options) ? { vlanFiltering: true } : {} }
  let first = true
  await steps.attempt(
    `add bridge ${name}`,
    async () => {
      try {
        await host.links.add({ name, address: randomMac(), linkInfo })
      } catch (error) {
        if (errnoCode(error) !== 'EEXIST') throw error
        first = false // another process was
        return
      }
      // Set when it is made, the mtu would be the kernel's to change: back to 1500 as the last port goes.
      await host.links.set({ name, alias: OURS, ...(mtu === undefined ? {} : { mtu }) })
    },
    async () => {
      const bridge = first ? await host.links.get(name) : undefined
      if (bridge === undefined) return
      await whileUnused(bridge, host, () => host.links.remove({ index: bridge.index }))
    },
  )
  const made = await findBridge(name, host)
  if (made === undefined)
    throw new TnetError('TRY_AGAIN', `bridge ${name}: it was removed while it was set up`)
  return made
}

/**
 * Undoes something of a bridge, unless others have come to rely on it since: while nobody is between finding the bridge and
 * joining it, and where no sandbox is on it. `own` is the port of who undoes.
 */
export async function whileUnused(
  bridge: Link,
  host: Host,
  undo: () => Promise<void>,
  own?: string,
): Promise<void> {
  using _turn = await host.turn('alone')
  const isOther = ({ master, name, alias = '' }: Link): boolean =>
    master === bridge.index && name !== own && !alias.startsWith(GATEWAY)
  if (!(await host.links.list()).some(isOther)) await undo()
}

async function reconcile(bridge: Link, options: BridgeOptions, host: Host): Promise<Link> {
  const name = options.bridge
  const flags = new Set<'up' | 'promisc'>()
  if (!bridge.flags.has('up')) flags.add('up')
  if (options.promiscuous && !bridge.flags.has('promisc')) flags.add('promisc')
  const filtering = wantsVlans(options) && !filtersVlans(bridge)
  const changes: LinkRequest = {
    ...(flags.size > 0 ? { flags, change: flags } : {}),
    ...(options.mtu !== undefined && options.mtu !== bridge.mtu ? { mtu: options.mtu } : {}),
    ...(filtering ? { linkInfo: { kind: 'bridge', data: { vlanFiltering: true } } } : {}),
    ...(bridge.alias === OURS ? {} : { address: pinned(bridge) }),
  }
  await acceptNoAdvertisements(name, host)
  if (Object.keys(changes).length > 0) await host.links.set({ index: bridge.index, ...changes })
  return { ...bridge, ...(changes.address === undefined ? {} : { address: changes.address }) }
}

export function filtersVlans({ linkInfo }: Link): boolean {
  return (linkInfo?.data as ValueOf<typeof bridgeData> | undefined)?.vlanFiltering === true
}

/** What `reconcile` changes is as it was; that its MAC address is pinned cannot be taken back. */
async function restore(before: Link, advertisements: string | undefined, host: Host): Promise<void> {
  const bridge = await host.links.get(before.index)
  if (bridge === undefined) return
  const filtering = filtersVlans(bridge) && !filtersVlans(before)
  const change = new Set(['up', 'promisc'] as const)
  await host.links.set({
    index: bridge.index,
    flags: change.intersection(before.flags) as typeof change,
    change,
    ...(before.mtu === undefined || before.mtu === bridge.mtu ? {} : { mtu: before.mtu }),
    ...(filtering ? { linkInfo: { kind: 'bridge', data: { vlanFiltering: false } } } : {}),
  })
  if (advertisements !== undefined)
    await host.sysctl.setIfPresent(acceptRa(bridge.name ?? ''), advertisements)
}

/**
 * A bridge whose MAC address nobody has set takes that of its ports, and changes it as they come and go. Setting the
 * one that it has pins it.
 */
function pinned({ address }: Link): string {
  return address === undefined || address === '00:00:00:00:00:00' ? randomMac() : address
}

export function wantsVlans({ vlan, trunk }: Pick<BridgeOptions, 'vlan' | 'trunk'>): boolean {
  return vlan !== undefined || trunk.length > 0
}

function acceptRa(ifname: string): string {
  return `net/ipv6/conf/${ifname}/accept_ra`
}
