// What the host does for addresses that it routes: masquerade, and no router advertisements from a container.
import type { AssignedAddress } from '../net/assignment.ts'
import type { Host } from '../net/host.ts'
import { type Family, parseCidr } from '../net/ip.ts'
import type { Owner } from '../net/owner.ts'
import type { Steps } from '../steps.ts'

export function familiesOf(addresses: readonly AssignedAddress[]): Set<Family> {
  return new Set(addresses.map(({ address }) => parseCidr(address, 'address').family))
}

export async function masquerade(
  owner: Owner,
  addresses: readonly AssignedAddress[],
  host: Host,
  steps: Steps,
): Promise<void> {
  const names = addresses.map(({ address }) => address)
  await steps.step(
    `masquerade ${names.join(', ')}`,
    async () => (await host.firewall()).masquerade(owner, addresses),
    async () => (await host.firewall()).unmasquerade(owner, names),
  )
}

/** A container must not configure the host by router advertisements (CVE-2020-10749). */
export async function acceptNoAdvertisements(ifname: string, host: Host): Promise<void> {
  await host.sysctl.setIfPresent(`net/ipv6/conf/${ifname}/accept_ra`, '0')
}
