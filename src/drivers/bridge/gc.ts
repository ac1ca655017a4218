// Removes what of a bridge network belongs to no attachment any more.
import type { Host } from '../../net/host.ts'
import type { Attached } from '../../net/owner.ts'
import { staleLinks } from '../../net/stale-links.ts'
import { sweep } from '../../steps.ts'
import type { Network } from '../driver.ts'
import { unisolateGone } from './isolation.ts'
import { closeVlanGateway } from './vlan-gateway.ts'
import type { BridgeOptions } from './options.ts'

export async function gc(
  { name, options }: Network<BridgeOptions>,
  valid: readonly Attached[],
  host: Host,
): Promise<void> {
  const stale = await staleLinks(host, name, valid)
  await sweep([
    ...stale.map(link => () => host.links.remove({ index: link.index })),
    async () => (await host.firewall()).gc(name, valid),
    () => closeVlanGateway(options, host),
    () => unisolateGone(options, host),
  ])
}
