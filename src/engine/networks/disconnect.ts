// Takes a sandbox off one network, or off all.
import { TnetError } from '../../errors.ts'
import { openNetns } from '../../net/netns.ts'
import type { EndpointRecord, NetworkRecord } from '../../store/schema.ts'
import type { Entry } from '../../store/store.ts'
import { containerIdOf, detachOwner, removeEndpoint } from './endpoints.ts'
import { type Place, sandboxPath } from '../sandboxes.ts'
import { type Machine, turn } from './machine.ts'
import { allNetworks, endpointsOf, findNetwork, runtimeLeases } from './records.ts'

export interface AskedDisconnect {
  readonly network: string
  readonly sandbox: string
  readonly cwd: string
  /** That it is not connected is no failure; and the container of a runtime, by its id, is disconnected too. */
  readonly force: boolean
}

/** Works on a sandbox that is gone, too. Throws NOT_FOUND where the network is not, or the sandbox is not on it; IN_USE for the container of a runtime. */
export async function disconnect(
  machine: Machine,
  { network: reference, sandbox, cwd, force }: AskedDisconnect,
): Promise<void> {
  using _turn = await turn(machine)
  const network = (await findNetwork(machine.store, reference)).value
  const endpoints = await endpointsBy(machine, network, sandbox, cwd)
  const leases = (await runtimeLeases(machine.store, network.id)).filter(({ value }) =>
    isId(value.containerId, sandbox),
  )
  if (endpoints.length === 0 && leases.length > 0 && !force) {
    throw new TnetError(
      'IN_USE',
      `disconnect ${sandbox} from ${network.name}: it is the container of a runtime`,
      'the runtime takes it off when it removes the container; --force removes what a runtime has left',
    )
  }
  if (endpoints.length === 0 && !force) {
    throw new TnetError(
      'NOT_FOUND',
      `disconnect ${sandbox} from ${network.name}: it is not connected`,
      `tnet network inspect ${network.name}`,
    )
  }
  for (const endpoint of endpoints) await removeEndpoint(machine, network, endpoint)
  if (!force) return
  for (const { value } of leases) {
    const { containerId, ifname, addresses } = value
    await detachOwner(machine, network, { network: network.name, containerId, ifname }, addresses)
  }
}

/** A container's id, as far as people copy it. */
function isId(id: string, text: string): boolean {
  return id === text || (text.length >= 12 && id.startsWith(text))
}

/** The networks that a sandbox is on. */
export async function networksOf(machine: Machine, sandbox: string, cwd: string): Promise<NetworkRecord[]> {
  const networks: NetworkRecord[] = []
  for (const { value } of await allNetworks(machine.store)) {
    if ((await endpointsBy(machine, value, sandbox, cwd)).length > 0) networks.push(value)
  }
  return networks
}

/** By what the namespace is now, and by what it was called: it may be gone. */
async function endpointsBy(
  machine: Machine,
  network: NetworkRecord,
  sandbox: string,
  cwd: string,
): Promise<Entry<EndpointRecord>[]> {
  const all = await endpointsOf(machine.store, network.id)
  if (all.length === 0) return []
  const known = existing({ runDir: machine.runDir, cwd }, sandbox)
  return all.filter(
    ({ value }) =>
      value.containerId === (known ?? sandbox) || (known === undefined && value.sandbox === sandbox),
  )
}

/** What its endpoints go by; undefined where the sandbox is gone. */
function existing(place: Place, sandbox: string): string | undefined {
  try {
    using netns = openNetns(sandboxPath(place, sandbox))
    return containerIdOf(place.runDir, netns)
  } catch (error) {
    if (error instanceof TnetError && ['BAD_NETNS', 'NOT_FOUND'].includes(error.code)) return undefined
    throw error
  }
}
