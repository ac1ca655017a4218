// Holds what ADD made for a sandbox on a bridge against what is there.
import { TnetError } from '../../errors.ts'
import type { AssignedAddress } from '../../net/assignment.ts'
import type { VlanRange } from '../../net/bridge-ports.ts'
import { forwards } from '../../net/forwarding.ts'
import type { Host } from '../../net/host.ts'
import { ownerTag } from '../../net/owner.ts'
import type { Interface } from '../../net/result.ts'
import type { bridgePort } from '../../netlink/route/kinds/bridge.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { ValueOf } from '../../wire/codec.ts'
import type { Network, Port } from '../driver.ts'
import { checkPair } from '../veth-pair.ts'
import { gatewaysOf } from './gateway.ts'
import { filtersVlans, findBridge, wantsVlans } from './link.ts'
import { type BridgeOptions, carrierName } from './options.ts'
import { portVlans } from './vlan.ts'

type Checked = Port & {
  readonly addresses: readonly AssignedAddress[]
  readonly interfaces: readonly Interface[]
}

/** Throws CHECK_FAILED naming the first thing that is missing or changed. */
export async function check({ options }: Network<BridgeOptions>, port: Checked, host: Host): Promise<void> {
  const bridge = await checkBridge(options, port, host)
  const link = await checkBridged(bridge, port, host)
  checkPort(options, link)
  const ours = link.alias === ownerTag(port.owner)
  if (wantsVlans(options)) await checkVlans(options, { bridge, link, ours }, host)
  if (options.gateway) await checkGateways(options, port, host)
  // What another implementation made has its rules elsewhere.
  if (ours && options.masquerade) await (await host.firewall()).checkMasquerade(port.owner, port.addresses)
  if (ours && options.networkIsolation !== undefined) {
    await (await host.firewall()).checkIsolation(carrierName(options), options.networkIsolation)
  }
  if (ours && options.spoofCheck) {
    const inside = await port.sandbox.links.existing(port.owner.ifname)
    await (
      await host.firewall()
    ).checkSpoof(port.owner, { ifname: link.name ?? '', mac: inside.address ?? '' })
  }
}

async function checkBridge(options: BridgeOptions, { interfaces }: Checked, host: Host): Promise<Link> {
  const name = options.bridge
  const bridge = await findBridge(name, host)
  if (bridge === undefined) throw failed(`bridge ${name} is gone`)
  const mac = interfaces.find(each => each.name === name && !each.sandbox)?.mac
  if (mac && mac.toLowerCase() !== bridge.address) {
    throw failed(`bridge ${name} has the MAC address ${bridge.address}, want ${mac}`)
  }
  if (!bridge.flags.has('up')) throw failed(`bridge ${name} is down`)
  if (options.promiscuous && !bridge.flags.has('promisc')) throw failed(`bridge ${name} is not promiscuous`)
  return bridge
}

/** The host's end, as a port of the bridge. */
async function checkBridged(bridge: Link, { owner, sandbox }: Checked, host: Host): Promise<Link> {
  const { outside } = await checkPair(owner, sandbox, host)
  if (outside.master !== bridge.index) throw failed(`${outside.name} is no port of bridge ${bridge.name}`)
  return outside
}

function checkPort(options: BridgeOptions, { name, linkInfo, mtu }: Link): void {
  const port = linkInfo?.portData as ValueOf<typeof bridgePort> | undefined
  for (const flag of ['hairpin', 'isolated'] as const) {
    if (options[flag] && port?.[flag] !== true) throw failed(`bridge port ${name} is not ${flag}`)
  }
  if (options.mtu !== undefined && mtu !== options.mtu) {
    throw failed(`${name} has the mtu ${mtu}, want ${options.mtu}`)
  }
}

async function checkVlans(
  options: BridgeOptions,
  { bridge, link, ours }: { readonly bridge: Link; readonly link: Link; readonly ours: boolean },
  host: Host,
): Promise<void> {
  if (!filtersVlans(bridge)) throw failed(`bridge ${bridge.name} does not keep VLANs apart`)
  const port = (await host.bridgePorts.list(bridge.index)).find(({ index }) => index === link.index)
  const has = byId(port?.vlans ?? [])
  const wanted = byId(portVlans(options))
  for (const [id, how] of wanted) {
    if (has.get(id) !== how) throw failed(`bridge port ${link.name} lacks VLAN ${id}${how}`)
  }
  // The reference leaves a port its default VLAN.
  if (!ours || options.preserveDefaultVlan) return
  const other = [...has.keys()].find(id => !wanted.has(id))
  if (other !== undefined) throw failed(`bridge port ${link.name} has VLAN ${other}, too`)
}

/** How each VLAN is carried; of two that are asked for, the last counts. */
function byId(ranges: readonly VlanRange[]): Map<number, string> {
  const all = new Map<number, string>()
  for (const { from, to = from, pvid, untagged } of ranges) {
    const how = `${pvid ? ' PVID' : ''}${untagged ? ' untagged' : ''}`
    for (let id = from; id <= to; id++) all.set(id, how)
  }
  return all
}

async function checkGateways(options: BridgeOptions, { addresses }: Checked, host: Host): Promise<void> {
  const name = carrierName(options)
  const carrier = await host.links.get(name)
  if (carrier === undefined) throw failed(`gateway link ${name} is gone`)
  const has = new Set((await host.addresses.list(carrier.index)).map(({ cidr }) => cidr))
  for (const { wanted, family } of gatewaysOf(addresses)) {
    if (!has.has(wanted)) throw failed(`${name} lacks the gateway address ${wanted}`)
    if (!(await forwards(family, host))) throw failed(`the host does not forward IPv${family}`)
  }
}

function failed(message: string): TnetError {
  return new TnetError('CHECK_FAILED', message, 'DEL and ADD the container again')
}
