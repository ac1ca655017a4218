// Point-to-point networks: a veth pair for each sandbox; the host's end is its gateway, and the host routes.
import { unwanted } from '../../errors.ts'
import type { Assignment } from '../../ipam/ipam.ts'
import { addAddress } from '../../net/addresses.ts'
import type { AssignedAddress } from '../../net/assignment.ts'
import { type Change, change } from '../../net/batch.ts'
import { forward } from '../../net/forwarding.ts'
import type { Host } from '../../net/host.ts'
import { contains, equal, formatAddress, parseCidr, plus, width } from '../../net/ip.ts'
import { randomMac } from '../../net/mac.ts'
import { addRoute } from '../../net/routes.ts'
import { staleLinks } from '../../net/stale-links.ts'
import { addVeth, removeVeth } from '../../net/veth.ts'
import { type Steps, sweep } from '../../steps.ts'
import type { Driver } from '../driver.ts'
import { waitUntilOperational } from '../ready.ts'
import { acceptNoAdvertisements, familiesOf, masquerade } from '../routing.ts'
import { check } from './check.ts'

/** As users write it; types and ranges are the door's schema. */
export interface PtpConfig {
  readonly ipMasq?: boolean | undefined
  readonly mtu?: number | undefined
}

export interface PtpOptions {
  readonly masquerade: boolean
  /** Undefined: the kernel's default. */
  readonly mtu: number | undefined
}

export const ptp: Driver<PtpConfig, PtpOptions> = {
  name: 'ptp',
  parse,
  parseLeaving: parse,

  async attach({ options }, { owner, sandbox, mac = randomMac() }, host, steps) {
    const hostMac = randomMac()
    const name = await steps.step(
      `connect ${owner.ifname} to the host`,
      () => addVeth(host, sandbox, { owner, mac, hostMac, mtu: options.mtu }),
      made => host.links.remove({ name: made }),
    )
    await acceptNoAdvertisements(name, host)
    const { index, mtu, link: outside = 0 } = await sandbox.links.existing(owner.ifname)
    return {
      index,
      interfaces: [
        { name, mac: hostMac, mtu },
        { name: owner.ifname, mac, mtu, sandbox: sandbox.path },
      ],
      async connect(addresses, steps) {
        await route({ index: outside, name }, addresses, host, steps)
        if (options.masquerade && addresses.length > 0) await masquerade(owner, addresses, host, steps)
        return []
      },
      // Of the two ends this one is the last to be set up.
      ready: () => waitUntilOperational(owner.ifname, sandbox),
    }
  },

  assign: (_options, assignment) => ({ ...assignment, ips: assignment.ips.map(withGateway) }),
  plan: () => ({ duplicateAddressDetection: false, down: false, pointToPoint: true }),

  async detach(_network, port, host) {
    const { owner, addresses } = port
    let tables: ReadonlySet<string> = new Set()
    await sweep([
      () => removeVeth(host, port, ({ master }) => master === undefined),
      async () => (tables = await host.tables()),
      // The configuration may have changed since ADD: what stands there says what there is to remove.
      async () => tables.has('inet tnet') && (await host.firewall()).unmasquerade(owner, addresses),
      () => host.clearRemnants('masquerade', owner, tables),
    ])
  },

  check,

  async gc({ name }, valid, host) {
    const stale = await staleLinks(host, name, valid)
    await sweep([
      ...stale.map(link => () => host.links.remove({ index: link.index })),
      async () => (await host.firewall()).gc(name, valid),
    ])
  },
}

function parse({ ipMasq, mtu }: PtpConfig): PtpOptions {
  return { masquerade: ipMasq ?? false, mtu: mtu || undefined }
}

/** Without one, the gateway is the first address of the subnet. */
function withGateway(ip: Assignment['ips'][number]): AssignedAddress {
  if (ip.gateway !== undefined) return ip
  const subnet = parseCidr(ip.address, 'address')
  const first = plus(subnet.network, 1n)
  if (!contains(subnet, first) || equal(subnet.address, first)) {
    throw unwanted('gateway', `one for ${ip.address}`, 'none', 'its subnet has no first address to spare')
  }
  return { ...ip, gateway: formatAddress(first) }
}

/** The gateways on the host's end, and a route to each address by it: in one system call. */
async function route(
  { index, name }: { readonly index: number; readonly name: string },
  addresses: readonly AssignedAddress[],
  host: Host,
  steps: Steps,
): Promise<void> {
  const changes = hostRoutes(addresses).flatMap(({ gateway, dst }): Change[] => [
    // Two addresses may have one gateway.
    { name: `add address ${gateway}`, request: addAddress(index, gateway), fine: ['EEXIST'] },
    { name: `add route to ${dst}`, request: addRoute(index, { dst }), fine: ['EEXIST'] },
  ])
  if (changes.length > 0) await steps.step('route to the sandbox', () => change(host.route, changes))
  for (const family of familiesOf(addresses)) await forward(family, name, host, steps)
}

/** What the host's end has for each address, in CIDR. */
export function hostRoutes(addresses: readonly AssignedAddress[]): { gateway: string; dst: string }[] {
  return addresses.map(({ address, gateway = '' }) => {
    const { address: own, family } = parseCidr(address, 'address')
    return { gateway: `${gateway}/${width(family)}`, dst: `${formatAddress(own)}/${width(family)}` }
  })
}
