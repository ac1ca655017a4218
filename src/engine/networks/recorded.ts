// Whether the store knows of an owner: what the kernel has and the store has not is an orphan.
import type { Owner } from '../../net/owner.ts'
import type { Store } from '../../store/store.ts'
import { allNetworks, endpointsOf, ownNetworkName } from './records.ts'

/**
 * Undefined for what runtimes made: their networks may have other leases, and their names are not ours. Undefined too
 * where the store has no networks at all: it may be that the one in use is elsewhere.
 */
export async function isRecorded(store: Store, owner: Owner): Promise<boolean | undefined> {
  const name = ownNetworkName(owner)
  if (name === undefined) return undefined
  // Long names are shortened in tags.
  const all = await allNetworks(store)
  if (all.length === 0) return undefined
  const networks = all.filter(({ value }) => beginsAlike(value.name, name))
  for (const { value } of networks) {
    const endpoints = await endpointsOf(store, value.id)
    const same = endpoints.some(
      each => each.value.ifname === owner.ifname && beginsAlike(each.value.containerId, owner.containerId),
    )
    if (same) return true
  }
  return false
}

function beginsAlike(whole: string, tagged: string): boolean {
  const [beginning = '', digest] = tagged.split('~')
  return digest === undefined ? whole === tagged : whole.startsWith(beginning)
}
