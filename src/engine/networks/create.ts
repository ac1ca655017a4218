// Makes a network: checks what was asked for against what the machine uses, records it, and opens its bridge.
import { randomBytes } from 'node:crypto'
import { findBridge } from '../../drivers/bridge/link.ts'
import { TnetError, unwanted } from '../../errors.ts'
import type { Host } from '../../net/host.ts'
import { type Cidr, formatAddress, formatSubnet, overlap, parseSubnet } from '../../net/ip.ts'
import { checkedName } from '../../net/names.ts'
import { Steps, sweep } from '../../steps.ts'
import { type NetworkRecord, networkKey, networkNameKey, type SubnetRecord } from '../../store/schema.ts'
import type { Store } from '../../store/store.ts'
import { bridgeName, closeBridgeNetwork, openBridgeNetwork } from './bridge-network.ts'
import { type Machine, turn } from './machine.ts'
import { parseOptions } from './options.ts'
import { freeIPv4Pool, freeIPv6Pool, type Used } from './pools.ts'
import { allNetworks } from './records.ts'
import { type AskedSubnets, gatewayOf, parseSubnets, type Subnet } from './subnets.ts'
import { machineId, usedByNameservers, usedByRoutes } from './used.ts'

export interface AskedNetwork extends AskedSubnets {
  readonly name: string
  readonly driver: string
  readonly internal: boolean
  /** Whether a pool is chosen for a family that no subnet is given of. */
  readonly ipv4: boolean
  readonly ipv6: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly options: Readonly<Record<string, string>>
}

/** Throws BAD_CONFIG, EXISTS for the name, TAKEN for a subnet in use, EXHAUSTED without a free pool. */
export async function createNetwork(machine: Machine, asked: AskedNetwork): Promise<NetworkRecord> {
  const name = checkedName('network', asked.name)
  if (asked.driver !== 'bridge') throw unwanted('--driver', 'bridge', asked.driver)
  const subnets = parseSubnets(asked)
  const families = new Set(subnets.map(({ subnet }) => subnet.family))
  if (asked.ipv4) families.add(4)
  if (asked.ipv6) families.add(6)
  if (families.size === 0) {
    throw new TnetError(
      'BAD_CONFIG',
      `network ${name}: want IPv4, IPv6 or both, got neither`,
      'leave out --ipv4=false, or add --ipv6',
    )
  }
  const { bridge } = parseOptions(asked.options, families)
  const { host, store } = machine
  using _turn = await turn(machine)
  const networks = (await allNetworks(store)).map(({ value }) => value)
  if (networks.some(each => each.name === name)) {
    throw new TnetError(
      'EXISTS',
      `network ${name}: it exists already`,
      `tnet network inspect ${name} shows it`,
    )
  }
  const used = [...usedByNetworks(networks), ...(await usedByRoutes(host, bridge))]
  for (const { subnet } of subnets) refuseUsed(name, subnet, used)
  const id = randomBytes(32).toString('hex')
  const chosen = [...subnets, ...choose(subnets, families, used)]
  const network: NetworkRecord = {
    id,
    name,
    driver: asked.driver,
    created: new Date().toISOString(),
    internal: asked.internal,
    ipv6: families.has(6),
    labels: asked.labels,
    options: asked.options,
    ipam: { subnets: chosen.map(recorded) },
    adopted: bridge === undefined ? undefined : await adoptable(bridge, networks, host),
  }
  await using steps = new Steps(machine.log)
  await steps.step(
    `record network ${name}`,
    () => record(store, network),
    () => sweep([() => closeBridgeNetwork(network, host), () => forget(store, network)]),
  )
  await openBridgeNetwork(network, host, steps)
  steps.commit()
  return network
}

/** Before anything is made: what a crash leaves behind has a name, by which it can be removed. */
async function record(store: Store, network: NetworkRecord): Promise<void> {
  const name = { key: networkNameKey(network.name), value: { id: network.id } }
  const put = [{ key: networkKey(network.id), value: network }, name]
  const done = await store.commit({ when: put.map(({ key }) => ({ key, revision: 0 })), put })
  if (!done) throw new TnetError('EXISTS', `network ${network.name}: somebody else has just made it`)
}

async function forget(store: Store, { id, name }: NetworkRecord): Promise<void> {
  await store.commit({ remove: [networkKey(id), networkNameKey(name)] })
}

function usedByNetworks(networks: readonly NetworkRecord[]): Used[] {
  return networks.flatMap(({ name, ipam }) =>
    ipam.subnets.map(({ subnet }) => ({
      subnet: parseSubnet(subnet, 'subnet'),
      what: `network ${name} (${subnet})`,
    })),
  )
}

function refuseUsed(name: string, subnet: Cidr, used: readonly Used[]): void {
  const other = used.find(each => overlap(each.subnet, subnet))
  if (other === undefined) return
  const text = formatSubnet(subnet)
  throw new TnetError(
    'TAKEN',
    `network ${name}: subnet ${text} overlaps ${other.what}`,
    'choose another --subnet, or leave it out',
  )
}

/** Pools for the families that nobody gave a subnet of. */
function choose(subnets: readonly Subnet[], families: ReadonlySet<4 | 6>, used: readonly Used[]): Subnet[] {
  const missing = [...families].filter(family => !subnets.some(({ subnet }) => subnet.family === family))
  const all = [...used, ...usedByNameservers()]
  return missing.map(family => ({
    subnet: family === 4 ? freeIPv4Pool(all) : freeIPv6Pool(machineId(), all),
    auxiliary: {},
  }))
}

function recorded(asked: Subnet): SubnetRecord {
  const { subnet, range, auxiliary } = asked
  const aux = Object.entries(auxiliary).map(([name, address]) => [name, formatAddress(address)])
  return {
    subnet: formatSubnet(subnet),
    gateway: formatAddress(gatewayOf(asked)),
    ...(range === undefined ? {} : { ipRange: formatSubnet(range) }),
    ...(aux.length === 0 ? {} : { aux: Object.fromEntries(aux) as Record<string, string> }),
  }
}

/** The addresses of a bridge that is there already; undefined where there is none of this name. Throws EXISTS, BAD_CONFIG. */
async function adoptable(
  name: string,
  networks: readonly NetworkRecord[],
  host: Host,
): Promise<string[] | undefined> {
  const other = networks.find(network => bridgeName(network) === name)
  if (other !== undefined) {
    throw new TnetError(
      'EXISTS',
      `bridge ${name}: it is that of network ${other.name}`,
      'choose another name',
    )
  }
  const link = await findBridge(name, host)
  return link && (await host.addresses.list(link.index)).map(({ cidr }) => cidr)
}
