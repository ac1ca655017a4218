// Endpoints: a sandbox on a network, recorded before it is made and forgotten after it is gone.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { bridge as driver } from '../../drivers/bridge/bridge.ts'
import { TnetError } from '../../errors.ts'
import { tnetIpam } from '../../ipam/tnet-ipam/tnet-ipam.ts'
import type { Ipam } from '../../ipam/ipam.ts'
import { listNamed } from '../../net/netns-names.ts'
import { type Netns, ownNetns } from '../../net/netns.ts'
import { type Owner, ownerTag } from '../../net/owner.ts'
import { vethName } from '../../net/veth.ts'
import { type EndpointRecord, endpointKey, type NetworkRecord } from '../../store/schema.ts'
import type { Entry, Store } from '../../store/store.ts'
import { detach } from '../detach.ts'
import { bridgeConfig } from './bridge-network.ts'
import type { Machine } from './machine.ts'
import { endpointsOf, ownerOf } from './records.ts'

export function ipamOf(store: Store, { name }: Pick<NetworkRecord, 'name'>): Ipam {
  return tnetIpam({ network: name, routes: [] }, { store, origin: 'tnet' })
}

/**
 * What the endpoints of a namespace go by: its name where it is a sandbox of ours, whether it is given by name, path or
 * process; otherwise the namespace itself.
 */
export function containerIdOf(runDir: string, netns: Pick<Netns, 'id'>): string {
  const named = listNamed(runDir).find(({ path }) => {
    const stat = statSync(path, { throwIfNoEntry: false })
    return stat !== undefined && `${stat.dev}:${stat.ino}` === netns.id
  })
  return named?.name ?? `netns:${netns.id.split(':')[1]}`
}

/** What `host` of an endpoint is here and now. */
export function thisHost(): string {
  using own = ownNetns()
  return `${bootId()} ${own.id}`
}

export interface Endpoints {
  readonly live: Entry<EndpointRecord>[]
  /** What a crash, a restart of the machine or the end of a sandbox has left. */
  readonly stale: Entry<EndpointRecord>[]
}

/** A pair goes with its sandbox: where the host's end is missing, nobody is connected any more. */
export async function endpointsNow({ host, store }: Machine, network: NetworkRecord): Promise<Endpoints> {
  const endpoints = await endpointsOf(store, network.id)
  if (endpoints.length === 0) return { live: [], stale: [] }
  const tags = new Set((await host.links.list()).map(({ alias }) => alias))
  const { live = [], stale = [] } = Object.groupBy(endpoints, ({ value }) =>
    isLive(value, network, tags) ? 'live' : 'stale',
  )
  return { live, stale }
}

/** Others on the network that have the MAC address of this endpoint, too. */
export async function withSameMac(
  machine: Machine,
  network: NetworkRecord,
  { mac, containerId }: EndpointRecord,
): Promise<EndpointRecord[]> {
  const { live } = await endpointsNow(machine, network)
  return live.map(({ value }) => value).filter(each => each.mac === mac && each.containerId !== containerId)
}

/** How long the kernel may take for a namespace that nobody uses any more. */
const ENDING = 1000

/** Those that are connected; what is left of others is removed. The caller holds the turn. */
export async function liveEndpoints(
  machine: Machine,
  network: NetworkRecord,
): Promise<readonly Entry<EndpointRecord>[]> {
  const { live, stale } = await endpointsNow(machine, network)
  const staying: Entry<EndpointRecord>[] = []
  for (const endpoint of live) {
    if (await isEnding(machine, network, endpoint.value)) stale.push(endpoint)
    else staying.push(endpoint)
  }
  for (const endpoint of stale) await removeEndpoint(machine, network, endpoint)
  return staying
}

/** Its path is gone, and now its pair goes. A process may keep a namespace that has lost its path. */
async function isEnding(
  { host }: Machine,
  network: NetworkRecord,
  endpoint: EndpointRecord,
): Promise<boolean> {
  if (isElsewhere(endpoint) || existsSync(endpoint.netns)) return false
  const which = { name: vethName(ownerOf(network, endpoint)) }
  return host.waitForLink({ which, holds: link => link === undefined, within: ENDING })
}

function isLive(
  endpoint: EndpointRecord,
  network: NetworkRecord,
  tags: ReadonlySet<string | undefined>,
): boolean {
  if (isElsewhere(endpoint)) return true
  return endpoint.host === thisHost() && endpoint.mac !== '' && tags.has(ownerTag(ownerOf(network, endpoint)))
}

/** Connected since the machine started, but from another namespace than the one that tnet runs in now. */
function isElsewhere({ host }: EndpointRecord): boolean {
  return host !== thisHost() && host.startsWith(`${bootId()} `)
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

/** Takes the sandbox off the network; what is gone already is success. The record goes last. */
export async function removeEndpoint(
  machine: Machine,
  network: NetworkRecord,
  { value }: Entry<EndpointRecord>,
): Promise<void> {
  const { store } = machine
  if (isElsewhere(value)) {
    throw new TnetError(
      'IN_USE',
      `disconnect ${value.sandbox} from ${network.name}: it was connected in another network namespace`,
      'run tnet there',
    )
  }
  await detachOwner(machine, network, ownerOf(network, value), value.ips)
  await store.commit({ remove: [endpointKey(network.id, value)] })
}

/** Removes all that an owner has on the network: links, rules, leases. `ips` are empty where nobody knows them. */
export async function detachOwner(
  { host, store }: Machine,
  network: NetworkRecord,
  owner: Owner,
  ips: readonly string[],
): Promise<void> {
  await detach({
    driver,
    network: { name: network.name, options: driver.parse(bridgeConfig(network)) },
    owner,
    host,
    ipam: ipamOf(store, network),
    // The host's end says whose it is; by its path, the namespace may be another's by now.
    sandbox: undefined,
    addresses: ips.length === 0 ? undefined : ips,
  })
}
