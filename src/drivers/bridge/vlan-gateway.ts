// The gateway of a VLAN: a veth pair, one end a port of the bridge in that VLAN, the other `<bridge>.<vlan>` with the
// addresses. It lives as long as a sandbox is in the VLAN.
import { TnetError } from '../../errors.ts'
import { firstFailure } from '../../net/batch.ts'
import type { VlanRange } from '../../net/bridge-ports.ts'
import type { Host } from '../../net/host.ts'
import { addLink, changeLink } from '../../net/links.ts'
import { randomMac } from '../../net/mac.ts'
import { GATEWAY } from '../../net/owner.ts'
import { hashedName } from '../../net/veth.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { Steps } from '../../steps.ts'
import { acceptNoAdvertisements } from '../routing.ts'
import { findBridge } from './link.ts'
import type { BridgeOptions } from './options.ts'
import { setPortVlans } from './vlan.ts'

const UP = new Set(['up'] as const)

type VlanOptions = BridgeOptions & { readonly vlan: number }

/** Who uses it undoes with `closeVlanGateway`, after the port in the VLAN is gone. */
export async function openVlanGateway(
  bridge: Link,
  options: VlanOptions,
  host: Host,
  steps: Steps,
): Promise<Link> {
  const names = gatewayNames(options)
  return steps.step(`open the gateway of VLAN ${options.vlan} on ${options.bridge}`, async () => {
    using _lock = await lockGateways(options, host)
    const found = await host.links.get(names.gateway)
    if (found !== undefined && (await isComplete(found, bridge, options, host))) return found
    if (found !== undefined) await host.links.remove({ name: names.gateway })
    return addGateway(bridge, options, host)
  })
}

/** A process that was killed may have left a pair that is no port yet. */
async function isComplete(gateway: Link, bridge: Link, { vlan }: VlanOptions, host: Host): Promise<boolean> {
  const kind = gateway.linkInfo?.kind ?? 'device'
  if (kind !== 'veth') {
    throw new TnetError(
      'BAD_CONFIG',
      `${gateway.name}: a ${kind} has the name of the gateway of VLAN ${vlan} on ${bridge.name}`,
      'rename or remove that link',
    )
  }
  const ports = await host.bridgePorts.list(bridge.index)
  return ports.some(port => port.index === gateway.link && port.vlans.some(range => carries(range, vlan)))
}

async function addGateway(bridge: Link, options: VlanOptions, host: Host): Promise<Link> {
  const { gateway: name, port, alias } = gatewayNames(options)
  const mtu = options.mtu === undefined ? {} : { mtu: options.mtu }
  const data = { peer: { name: port, ...mtu } }
  const failure = await firstFailure(host.route, [
    {
      name: `add veth pair ${name} and ${port}`,
      request: addLink({ name, address: randomMac(), ...mtu, linkInfo: { kind: 'veth', data } }),
    },
    {
      name: `make ${port} a port of ${options.bridge}`,
      request: changeLink({ name: port, master: bridge.index, alias, flags: UP, change: UP }),
    },
    { name: `set ${name} up`, request: changeLink({ name, flags: UP, change: UP }) },
  ])
  if (failure !== undefined) {
    if (failure.index > 0) await host.links.remove({ name })
    throw failure.error
  }
  try {
    await setPortVlans(
      port,
      bridge.index,
      { vlan: options.vlan, trunk: [], preserveDefaultVlan: false },
      host,
    )
    await acceptNoAdvertisements(name, host)
    return await host.links.existing(name)
  } catch (error) {
    await host.links.remove({ name })
    throw error
  }
}

/** Removes the VLAN's gateway once no sandbox is in the VLAN. */
export async function closeVlanGateway(options: BridgeOptions, host: Host): Promise<void> {
  const { bridge, vlan, gateway } = options
  if (vlan === undefined || !gateway) return
  const names = gatewayNames({ bridge, vlan })
  using _lock = await lockGateways(options, host)
  const link = await findBridge(bridge, host)
  const ports = link === undefined ? [] : await host.bridgePorts.list(link.index)
  const used = ports.some(
    ({ name, vlans }) => name !== names.port && vlans.some(range => carries(range, vlan)),
  )
  if (!used) await host.links.remove({ name: names.gateway })
}

function carries({ from, to = from }: VlanRange, vlan: number): boolean {
  return from <= vlan && vlan <= to
}

interface GatewayNames {
  readonly gateway: string
  readonly port: string
  readonly alias: string
}

/** The gateway's name is what users of the reference know; the port's is free. */
function gatewayNames({ bridge, vlan }: Pick<VlanOptions, 'bridge' | 'vlan'>): GatewayNames {
  return {
    gateway: `${bridge}.${vlan}`,
    port: hashedName(`${bridge}\0${vlan}`),
    alias: `${GATEWAY}${bridge} ${vlan}`,
  }
}

/** One process at a time looks whether a VLAN is in use, and makes or removes its gateway. */
async function lockGateways({ bridge }: Pick<BridgeOptions, 'bridge'>, host: Host): Promise<Disposable> {
  return host.lock(`bridge-${bridge}`)
}
