// What the host does for addresses that it routes: masquerade, and no router advertisements from a container.
import { errnoCode } from '../errors.ts'
import type { AssignedAddress } from '../net/assignment.ts'
import type { Host } from '../net/host.ts'
import { type Family, parseCidr } from '../net/ip.ts'
import type { Owner } from '../net/owner.ts'
import type { Sysctl } from '../net/sysctl.ts'
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

/**
 * A container must not configure the host by router advertisements (CVE-2020-10749). Where /proc/sys is read-only, it is
 * enough that the kernel takes none as it is.
 */
export async function acceptNoAdvertisements(ifname: string, { sysctl }: Host): Promise<void> {
  try {
    await sysctl.setIfPresent(`net/ipv6/conf/${ifname}/accept_ra`, '0')
  } catch (error) {
    if (errnoCode(error) !== 'EROFS' || (await takesAdvertisements(ifname, sysctl))) throw error
  }
}

/** Not where IPv6 is off, and not from a link that forwards, unless `accept_ra` is 2. */
async function takesAdvertisements(ifname: string, sysctl: Sysctl): Promise<boolean> {
  const [off, accepted, forwarding] = await Promise.all(
    ['disable_ipv6', 'accept_ra', 'forwarding'].map(name => sysctl.get(`net/ipv6/conf/${ifname}/${name}`)),
  )
  return off === '0' && (accepted === '2' || (accepted === '1' && forwarding === '0'))
}
