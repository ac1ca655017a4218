// The gateway of a VLAN: a veth pair, one end a port of the bridge in that VLAN, the other `<bridge>.<vlan>` with the
// addresses. It lives as long as a sandbox is in the VLAN.
import { TnetError } from '../../errors.ts'
import { make } from '../../net/batch.ts'
import type { BridgePort, VlanRange } from '../../net/bridge-ports.ts'
import type { Host } from '../../net/host.ts'
import { addLink, changeLink, kindOf } from '../../net/links.ts'
import { randomMac } from '../../net/mac.ts'
import { GATEWAY } from '../../net/owner.ts'
import { hashedName } from '../../net/veth.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { Steps } from '../../steps.ts'
import { acceptNoAdvertisements } from '../routing.ts'
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
  const { vlan } = options
  const names = gatewayNames(options)
  return steps.step(`open the gateway of VLAN ${vlan} on ${options.bridge}`, async () => {
    using _lock = await lockGateways(options, host)
    const ports = await host.bridgePorts.list(bridge.index)
    const found = await host.links.get(names.gateway)
    if (found !== undefined) {
      if (isServing(found, ports, vlan)) return found
      if (!(await isOurs(found, names, host))) throw nameTaken(found, bridge, vlan)
      await host.links.remove({ index: found.index })
    }
    return addGateway(bridge, options, host)
  })
}

/** A pair whose other end is a port in the VLAN: ours, or the reference's. */
function isServing({ linkInfo, link }: Link, ports: readonly BridgePort[], vlan: number): boolean {
  if (linkInfo?.kind !== 'veth') return false
  return ports.some(port => port.index === link && port.vlans.some(range => carries(range, vlan)))
}

/** A process that was killed may have left a pair that is no port in the VLAN yet. */
async function isOurs({ linkInfo, link }: Link, { alias }: GatewayNames, host: Host): Promise<boolean> {
  if (linkInfo?.kind !== 'veth' || link === undefined) return false
  return (await host.links.get(link))?.alias === alias
}

function nameTaken(link: Link, bridge: Link, vlan: number): TnetError {
  return new TnetError(
    'BAD_CONFIG',
    `${link.name}: a ${kindOf(link)} has the name of the gateway of VLAN ${vlan} on ${bridge.name}`,
    'rename or remove that link',
  )
}

async function addGateway(bridge: Link, options: VlanOptions, host: Host): Promise<Link> {
  const { gateway: name, port, alias } = gatewayNames(options)
  const mtu = options.mtu === undefined ? {} : { mtu: options.mtu }
  const data = { peer: { name: port, ...mtu } }
  const changes = [
    {
      name: `add veth pair ${name} and ${port}`,
      request: addLink({ name, address: randomMac(), ...mtu, linkInfo: { kind: 'veth', data } }),
    },
    {
      name: `make ${port} a port of ${options.bridge}`,
      request: changeLink({ name: port, master: bridge.index, alias, flags: UP, change: UP }),
    },
    { name: `set ${name} up`, request: changeLink({ name, flags: UP, change: UP }) },
  ]
  const vlans = { vlan: options.vlan, trunk: [], preserveDefaultVlan: false }
  return make(host.route, changes, {
    async finish() {
      await setPortVlans(port, bridge.index, vlans, host)
      await acceptNoAdvertisements(name, host)
      return host.links.existing(name)
    },
    undo: () => host.links.remove({ name }),
  })
}

/** Removes the VLAN's gateway once no sandbox is in the VLAN. What else has its name, or the bridge's, stays. */
export async function closeVlanGateway(options: BridgeOptions, host: Host): Promise<void> {
  const { bridge, vlan, gateway } = options
  if (vlan === undefined || !gateway) return
  const names = gatewayNames({ bridge, vlan })
  using _lock = await lockGateways(options, host)
  const found = await host.links.get(names.gateway)
  if (found === undefined) return
  const link = await host.links.get(bridge)
  const ports = link?.linkInfo?.kind === 'bridge' ? await host.bridgePorts.list(link.index) : []
  const isUsed = ports.some(
    ({ index, vlans }) => index !== found.link && vlans.some(range => carries(range, vlan)),
  )
  if (isUsed) return
  if (isServing(found, ports, vlan) || (await isOurs(found, names, host)))
    await host.links.remove({ index: found.index })
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
