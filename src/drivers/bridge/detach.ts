// Takes a sandbox off its bridge, also where the sandbox is gone or is another's by now.
import type { Host } from '../../net/host.ts'
import type { LeavingPort } from '../../net/leaving-port.ts'
import { removeVeth, vethName } from '../../net/veth.ts'
import type { Link } from '../../netlink/route/link.ts'
import { sweep } from '../../steps.ts'
import type { Network } from '../driver.ts'
import { unisolateGone } from './isolation.ts'
import { closeVlanGateway } from './vlan-gateway.ts'
import type { BridgeOptions } from './options.ts'

export async function detach(
  { options }: Network<BridgeOptions>,
  port: LeavingPort,
  host: Host,
): Promise<void> {
  const { owner, addresses } = port
  let tables: ReadonlySet<string> = new Set()
  await sweep([
    () => removeVeth(host, port, outside => isPortOf(options.bridge, outside, host)),
    async () => (tables = await host.tables()),
    // The configuration may have changed since ADD: what stands there says what there is to remove.
    async () => tables.has('inet tnet') && (await host.firewall()).unmasquerade(owner, addresses),
    async () => tables.has('bridge tnet') && (await host.firewall()).unspoofCheck(owner, vethName(owner)),
    () => host.clearRemnants('masquerade', owner, tables),
    () => host.clearRemnants('spoofcheck', owner, tables),
    () => closeVlanGateway(options, host),
    () => unisolateGone(options, host),
  ])
}

/** Of our bridge, or of none: another implementation may have been interrupted. */
async function isPortOf(bridge: string, { master }: Link, host: Host): Promise<boolean> {
  return master === undefined || master === (await host.links.get(bridge))?.index
}
