// Whether a bridge network can take one more sandbox, and whether others' firewalls let it reach anything.
import { asTnetError, TnetError } from '../../errors.ts'
import type { Host } from '../../net/host.ts'
import { parseCidr } from '../../net/ip.ts'
import type { Log } from '../../steps.ts'
import type { Network } from '../driver.ts'
import { findBridge } from './link.ts'
import { type BridgeOptions, carrierName } from './options.ts'

/** BR_MAX_PORTS less one, net/bridge/br_private.h */
const MOST_PORTS = 1023

/** Throws UNAVAILABLE where the bridge is full, BAD_CONFIG where its name is another link's. */
export async function status({ options }: Network<BridgeOptions>, host: Host, warn: Log): Promise<void> {
  const bridge = await findBridge(options.bridge, host)
  const links = bridge === undefined ? [] : await host.links.list()
  if (links.filter(link => link.master === bridge?.index).length >= MOST_PORTS) {
    throw new TnetError(
      'UNAVAILABLE',
      `bridge ${options.bridge}: all of its ${MOST_PORTS} ports are taken`,
      'remove unused sandboxes, or use a second bridge',
    )
  }
  if (!options.gateway) return
  try {
    await warnOfDrops(carrierName(options), host, warn)
  } catch (error) {
    warn(`what others' firewalls drop cannot be told: ${asTnetError(error).message}`)
  }
}

/** What the host forwards for the network passes the chains of others, too. */
async function warnOfDrops(carrier: string, host: Host, warn: Log): Promise<void> {
  const { dropsOf, unseenFilters } = await import('../../net/dropping-chains.ts')
  const link = await host.links.get(carrier)
  const has = link === undefined ? [] : await host.addresses.list(link.index)
  const families = new Set(
    has.filter(({ scope }) => scope !== 'link').map(({ cidr }) => parseCidr(cidr, 'address').family),
  )
  for (const chain of await dropsOf(host)) {
    if (families.size > 0 && !chain.families.some(family => families.has(family))) continue
    if (chain.speaksOf(carrier, [])) continue
    warn(
      `${chain.name} drops what nothing there accepts, and nothing there speaks of ${carrier}: ` +
        'let it through there, unless a plugin such as firewall does so for each container',
    )
  }
  for (const command of unseenFilters()) {
    warn(`legacy iptables has a filter, which cannot be seen from here: see ${command}`)
  }
}
