// VLANs of a port: the one of its untagged frames, and those that it carries tagged.
import { TnetError } from '../../errors.ts'
import type { VlanRange } from '../../net/bridge-ports.ts'
import type { Host } from '../../net/host.ts'
import type { BridgeOptions } from './options.ts'

/** The VLAN of a trunk port's untagged frames where the options name none. */
const NATIVE = 1

/** What the port of a sandbox has: the trunk tagged, `vlan` untagged. */
export function portVlans({ vlan = NATIVE, trunk }: Pick<BridgeOptions, 'vlan' | 'trunk'>): VlanRange[] {
  const tagged = trunk.map(({ first, last }) => ({ from: first, to: last }))
  return [...tagged, { from: vlan, to: vlan, pvid: true, untagged: true }]
}

/** Gives the port its VLANs; the bridge's default VLAN goes unless the options preserve it. */
export async function setPortVlans(
  name: string,
  bridge: number,
  options: Pick<BridgeOptions, 'vlan' | 'trunk' | 'preserveDefaultVlan'>,
  host: Host,
): Promise<void> {
  const port = (await host.bridgePorts.list(bridge)).find(each => each.name === name)
  if (port === undefined) throw new TnetError('TRY_AGAIN', `${name}: it was removed while it was set up`)
  if (!options.preserveDefaultVlan) await host.bridgePorts.removeVlans(port.index, port.vlans)
  await host.bridgePorts.addVlans(port.index, portVlans(options))
}
