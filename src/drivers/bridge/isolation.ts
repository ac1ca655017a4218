// A network that is shut off from others, in the host's firewall: as long as its bridge lives, not as its sandboxes.
import type { Host } from '../../net/host.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { Steps } from '../../steps.ts'
import { whileUnused } from './link.ts'
import { type BridgeOptions, carrierName } from './options.ts'

export async function isolate(options: BridgeOptions, bridge: Link, host: Host, steps: Steps): Promise<void> {
  const { networkIsolation } = options
  if (networkIsolation === undefined) return
  const name = carrierName(options)
  const firewall = await host.firewall()
  const before = await firewall.isolation(name)
  await steps.attempt(
    `isolate ${name} from other networks`,
    () => firewall.isolate(name, networkIsolation),
    () =>
      whileUnused(bridge, host, () =>
        before === undefined ? firewall.unisolate(name) : firewall.isolate(name, before),
      ),
  )
}

/** Once the link is gone, another one of its name is not to be isolated by what it left. */
export async function unisolateGone(options: BridgeOptions, host: Host): Promise<void> {
  const name = carrierName(options)
  if (options.networkIsolation === undefined || (await host.links.get(name)) !== undefined) return
  using _turn = await host.turn('alone')
  if ((await host.links.get(name)) === undefined) await (await host.firewall()).unisolate(name)
}
