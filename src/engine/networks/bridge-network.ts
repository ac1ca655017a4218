// A network on a bridge: what its record means for the bridge driver, and the bridge itself while nobody is on it.
import { bridge as driver } from '../../drivers/bridge/bridge.ts'
import { giveAddress } from '../../drivers/bridge/gateway-address.ts'
import { isolate } from '../../drivers/bridge/isolation.ts'
import { findBridge, openBridge } from '../../drivers/bridge/link.ts'
import type { BridgeConfig } from '../../drivers/bridge/options.ts'
import { TnetError } from '../../errors.ts'
import type { Host } from '../../net/host.ts'
import { parseSubnet } from '../../net/ip.ts'
import type { NetworkRecord, SubnetRecord } from '../../store/schema.ts'
import { sweep, type Steps } from '../../steps.ts'
import { parseOptions } from './options.ts'

type Definition = Pick<NetworkRecord, 'id' | 'internal' | 'options' | 'ipam'>

export function bridgeName({ id, options }: Pick<Definition, 'id' | 'options'>): string {
  return parseOptions(options, new Set()).bridge ?? `br-${id.slice(0, 12)}`
}

/** The configuration of the bridge driver, as a runtime would write it. */
export function bridgeConfig(network: Definition): BridgeConfig {
  const families = new Set(network.ipam.subnets.map(({ subnet }) => parseSubnet(subnet, 'subnet').family))
  const { masquerade, icc, mtu } = parseOptions(network.options, families)
  return {
    bridge: bridgeName(network),
    isGateway: true,
    ...(network.internal ? {} : { isDefaultGateway: true, ...(masquerade ? { ipMasq: true } : {}) }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(icc ? {} : { portIsolation: true }),
    networkIsolation: true,
    ...(network.internal ? { internal: true } : {}),
  }
}

/** Makes or adopts the bridge, gives it the gateways' addresses and shuts it off from other bridges. */
export async function openBridgeNetwork(network: Definition, host: Host, steps: Steps): Promise<void> {
  const options = driver.parse(bridgeConfig(network))
  using _turn = await host.turn('shared') // an attachment that fails meanwhile takes nothing of this back
  const link = await openBridge(options, host, steps)
  for (const wanted of network.ipam.subnets.map(gatewayCidr)) {
    await giveAddress({ bridge: link, carrier: link, wanted, force: false }, host, steps)
  }
  await isolate(options, link, host, steps)
}

/** Removes the bridge, unless it was there before the network. Throws IN_USE where it has ports. */
export async function closeBridgeNetwork(
  network: Definition & Pick<NetworkRecord, 'adopted'>,
  host: Host,
): Promise<void> {
  const name = bridgeName(network)
  await sweep([() => removeBridge(network, name, host), async () => (await host.firewall()).unisolate(name)])
}

async function removeBridge(
  { adopted, ipam }: Definition & Pick<NetworkRecord, 'adopted'>,
  name: string,
  host: Host,
): Promise<void> {
  const link = await findBridge(name, host)
  if (link === undefined) return
  if (adopted !== undefined) {
    const given = ipam.subnets.map(gatewayCidr).filter(address => !adopted.includes(address))
    return sweep(given.map(address => () => host.addresses.remove(link.index, address)))
  }
  const ports = (await host.links.list()).filter(({ master }) => master === link.index)
  if (ports.length > 0) {
    const names = ports.map(port => port.name).join(', ')
    throw new TnetError(
      'IN_USE',
      `remove bridge ${name}: links are its ports: ${names}`,
      `ip link set ${ports[0]?.name} nomaster`,
    )
  }
  await host.links.remove({ index: link.index })
}

function gatewayCidr({ subnet, gateway }: SubnetRecord): string {
  return `${gateway}/${parseSubnet(subnet, 'subnet').prefix}`
}
