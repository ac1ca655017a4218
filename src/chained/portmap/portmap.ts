// Publishes ports of the host: what reaches the host at one goes on to the container.
import type { Linkless } from '../../drivers/driver.ts'
import { TnetError } from '../../errors.ts'
import type { HostPort } from '../../net/connections.ts'
import type { Host } from '../../net/host.ts'
import { type Cidr, formatAddress, parseCidr } from '../../net/ip.ts'
import { type Mapping, mappingName, type Publication } from '../../net/mapping.ts'
import type { Owner } from '../../net/owner.ts'
import type { AttachResult } from '../../net/result.ts'
import { sweep } from '../../steps.ts'
import { type PortmapConfig, type PortmapOptions, parseLeavingPortmap, parsePortmap } from './options.ts'

/** Where published ports stand. */
const TABLE = 'inet tnet_ports'

/** Where kube-proxy with IPVS has the addresses of services, which are the host's then. */
const SERVICES = 'kube-ipvs0'
const SERVICES_TEXT = `${SERVICES} has addresses of services: what goes to a published port there goes to the container; leave them out with conditionsV4 and conditionsV6, such as ["!", "-d", "SUBNET OF SERVICES"]`

export const portmap: Linkless<PortmapConfig, PortmapOptions> = {
  name: 'portmap',
  parse: parsePortmap,
  parseLeaving: parseLeavingPortmap,

  async attach({ options }, { owner, result }, host, steps) {
    const publication = publicationOf(options, owner, result)
    const { mappings, targets } = publication
    if (mappings.length === 0 || targets.length === 0) return result
    const addresses = targets.map(({ address }) => address)
    await steps.step(
      `publish ${mappings.map(mappingName).join(', ')}`,
      async () => (await host.ports()).publish(owner, publication),
      async () => (await host.ports()).unpublish(owner, { ...options, addresses }),
    )
    // After the rule that keeps neighbours away from 127.0.0.1. It stays: other containers may need it.
    for (const { name, target } of await localNets(publication, host)) {
      await steps.step(`route 127.0.0.1 to ${target}`, () => host.sysctl.set(routeLocalnet(name), '1'))
    }
    await steps.step('forget connections from before', () => forget(mappings.flatMap(portsOf(targets)), host))
    return result
  },

  async detach({ options }, { owner, result }, host) {
    const tables = await host.tables()
    await sweep([
      async () => tables.has(TABLE) && unpublish(options, owner, result, host),
      () => host.clearRemnants('ports', owner, tables),
    ])
  },

  async check({ options }, { owner, result }, host) {
    const publication = publicationOf(options, owner, result)
    if (publication.mappings.length === 0) return
    await checkPorts(owner, publication, host)
    for (const { name } of await localNets(publication, host)) {
      const value = await host.sysctl.get(routeLocalnet(name))
      if (value !== '1') throw failed(`net.ipv4.conf.${name}.route_localnet is ${value}, want 1`)
    }
  },

  async gc({ name }, valid, host) {
    if ((await host.tables()).has(TABLE)) await forget(await (await host.ports()).gc(name, valid), host)
  },

  async status({ options: { conditions } }, host, warn) {
    await (await host.ports()).status()
    if (conditions[4] === undefined && (await host.links.get(SERVICES)) !== undefined) warn(SERVICES_TEXT)
  },
}

/** What a plugin of the reference published before it was replaced by this one counts too. */
async function checkPorts(owner: Owner, publication: Publication, host: Host): Promise<void> {
  try {
    await (await host.ports()).check(owner, publication)
  } catch (error) {
    const isMissing = error instanceof TnetError && error.code === 'CHECK_FAILED'
    if (!isMissing || !(await host.hasRemnants('ports', owner))) throw error
  }
}

async function unpublish(
  options: PortmapOptions,
  owner: Owner,
  result: AttachResult | undefined,
  host: Host,
): Promise<void> {
  const addresses = result === undefined ? [] : targetsOf(result, owner).map(({ address }) => address)
  await forget(await (await host.ports()).unpublish(owner, { ...options, addresses }), host)
}

function publicationOf(options: PortmapOptions, owner: Owner, result: AttachResult): Publication {
  return { ...options, targets: targetsOf(result, owner) }
}

/** Of each family the first address of the owner's link; an address that names no link of the result may be it too. */
function targetsOf({ ips, interfaces }: AttachResult, { ifname }: Owner): Cidr[] {
  const own = ips.filter(({ interface: index }) => {
    const link = index === undefined ? undefined : interfaces[index]
    return link === undefined || (link.name === ifname && link.sandbox)
  })
  const all = own.map(({ address }) => parseCidr(address, 'prevResult.ips'))
  return ([4, 6] as const).flatMap(family => all.find(each => each.family === family) ?? [])
}

/** Where the kernel must let packets from 127.0.0.1 through, to be answered. */
async function localNets(
  { mappings, targets, masquerade }: Publication,
  host: Host,
): Promise<{ name: string; target: string }[]> {
  const target = targets.find(({ family }) => family === 4)
  if (masquerade === 'none' || target === undefined) return []
  if (!mappings.some(({ families }) => families.includes(4))) return []
  const text = formatAddress(target.address)
  const index = await host.routes.linkTo(text)
  const link = index === undefined ? undefined : await host.links.get(index)
  return link?.name === undefined || link.name === 'lo' ? [] : [{ name: link.name, target: text }]
}

/** A dot in the name of a link is a part of that name. */
function routeLocalnet(name: string): string {
  return `net/ipv4/conf/${name}/route_localnet`
}

const portsOf = (targets: readonly Cidr[]) => (mapping: Mapping) =>
  targets
    .filter(({ family }) => mapping.families.includes(family))
    .map(({ family }) => ({ ...mapping, family }))

/** A flow without an end of its own goes on as it began: of TCP, the next connection finds its way. */
async function forget(ports: readonly HostPort[], host: Host): Promise<void> {
  const flows = ports.filter(({ protocol }) => protocol !== 'tcp')
  if (flows.length > 0) await (await host.connections()).forget(flows)
}

function failed(message: string): TnetError {
  return new TnetError('CHECK_FAILED', message, 'DEL and ADD the container again')
}
