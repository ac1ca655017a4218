// Networks and their endpoints as the store has them.
import { TnetError } from '../../errors.ts'
import type { Owner } from '../../net/owner.ts'
import {
  type EndpointRecord,
  endpointsKey,
  type HolderRecord,
  holdersKey,
  type NetworkNameRecord,
  type NetworkRecord,
  networkKey,
  networkNameKey,
  networksKey,
} from '../../store/schema.ts'
import type { Entry, Store } from '../../store/store.ts'

/** By name; names with numbers in the order of the numbers. */
export async function allNetworks(store: Store): Promise<Entry<NetworkRecord>[]> {
  const order = new Intl.Collator('en', { numeric: true })
  const all = await store.range<NetworkRecord>(networksKey())
  return all.sort((a, b) => order.compare(a.value.name, b.value.name))
}

/** By whole id, name, or the beginning of an id: the first that fits. Throws NOT_FOUND, BAD_CONFIG where several do. */
export async function findNetwork(store: Store, reference: string): Promise<Entry<NetworkRecord>> {
  const whole = await store.get<NetworkRecord>(networkKey(reference))
  if (whole !== undefined) return whole
  const name = await store.get<NetworkNameRecord>(networkNameKey(reference))
  const named = name && (await store.get<NetworkRecord>(networkKey(name.value.id)))
  if (named !== undefined) return named
  const beginning = /^[0-9a-f]+$/.test(reference)
    ? await store.range<NetworkRecord>(networkKey(reference))
    : []
  const [found, another] = beginning
  if (found === undefined) {
    throw new TnetError(
      'NOT_FOUND',
      `network ${reference}: there is none of this name or id`,
      'tnet network ls shows them',
    )
  }
  if (another === undefined) return found
  throw new TnetError(
    'BAD_CONFIG',
    `network ${reference}: ${beginning.length} ids begin like this`,
    `give more of the id: ${beginning.map(({ value }) => value.id.slice(0, reference.length + 4)).join(', ')}`,
  )
}

export async function endpointsOf(store: Store, networkId: string): Promise<Entry<EndpointRecord>[]> {
  return store.range<EndpointRecord>(endpointsKey(networkId))
}

/** Leases that runtimes took through tnet-ipam: those of an exported network. */
export async function runtimeLeases(store: Store, networkId: string): Promise<Entry<HolderRecord>[]> {
  return (await store.range<HolderRecord>(holdersKey(networkId))).filter(
    ({ value }) => value.origin === 'cni',
  )
}

/** No CNI network has a colon in its name, so that the GC of a runtime never takes our endpoints for its own. */
const OWN = 'tnet:'

export function ownerOf(
  network: Pick<NetworkRecord, 'name'>,
  { containerId, ifname }: Pick<Owner, 'containerId' | 'ifname'>,
): Owner {
  return { network: `${OWN}${network.name}`, containerId, ifname }
}

/** The network of an endpoint that the command line made; undefined for those of runtimes. */
export function ownNetworkName({ network }: Owner): string | undefined {
  return network.startsWith(OWN) ? network.slice(OWN.length) : undefined
}
