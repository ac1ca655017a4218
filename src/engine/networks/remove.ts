// Removes networks that nobody is on.
import { TnetError } from '../../errors.ts'
import { cursorKey, type NetworkRecord, networkKey, networkNameKey } from '../../store/schema.ts'
import type { Entry } from '../../store/store.ts'
import { closeBridgeNetwork } from './bridge-network.ts'
import { liveEndpoints } from './endpoints.ts'
import { type Machine, turn } from './machine.ts'
import { allNetworks, findNetwork, runtimeLeases } from './records.ts'

/** Answers its name. Throws NOT_FOUND, IN_USE naming who is on it. */
export async function removeNetwork(machine: Machine, reference: string): Promise<string> {
  using _turn = await turn(machine)
  const network = await findNetwork(machine.store, reference)
  await removeUnused(machine, network)
  return network.value.name
}

/** Removes what nobody is on, and of that what `wanted` says. Answers the names. */
export async function pruneNetworks(
  machine: Machine,
  wanted: (network: NetworkRecord) => boolean,
): Promise<string[]> {
  using _turn = await turn(machine)
  const names: string[] = []
  for (const network of await allNetworks(machine.store)) {
    if (!wanted(network.value)) continue
    try {
      await removeUnused(machine, network)
      names.push(network.value.name)
    } catch (error) {
      if (!(error instanceof TnetError && error.code === 'IN_USE')) throw error
    }
  }
  return names
}

async function removeUnused(machine: Machine, network: Entry<NetworkRecord>): Promise<void> {
  const { store, host } = machine
  const { id, name } = network.value
  // Whoever takes an address from now on changes the cursor, and the removal does not come about.
  const cursor = (await store.get(cursorKey(id))) ?? { key: cursorKey(id), revision: 0 }
  const users = await usersOf(machine, network.value)
  if (users.length > 0) throw inUse(name, users)
  await closeBridgeNetwork(network.value, host)
  const remove = [networkKey(id), networkNameKey(name), cursorKey(id)]
  if (await store.commit({ when: [network, cursor], remove })) return
  throw new TnetError(
    'IN_USE',
    `remove network ${name}: somebody has just come to use it`,
    `tnet network inspect ${name}`,
  )
}

/** Sandboxes, and containers of runtimes, as people know them. */
async function usersOf(machine: Machine, network: NetworkRecord): Promise<string[]> {
  const endpoints = await liveEndpoints(machine, network)
  const leases = await runtimeLeases(machine.store, network.id)
  return [
    ...endpoints.map(({ value }) => `${value.ifname} of ${value.sandbox}`),
    ...leases.map(({ value }) => `${value.ifname} of container ${value.containerId.slice(0, 12)}`),
  ]
}

const SHOWN = 5

function inUse(name: string, users: readonly string[]): TnetError {
  const more = users.length > SHOWN ? ` and ${users.length - SHOWN} more` : ''
  return new TnetError(
    'IN_USE',
    `remove network ${name}: it is in use by ${users.slice(0, SHOWN).join(', ')}${more}`,
    `tnet network disconnect ${name} SANDBOX, and with --force CONTAINER for what a runtime has left`,
  )
}
