// Puts a sandbox on a network. The record of the endpoint comes first, so that a crash leaves nothing that has no name.
import { bridge as driver } from '../../drivers/bridge/bridge.ts'
import { TnetError, unwanted } from '../../errors.ts'
import type { Ipam } from '../../ipam/ipam.ts'
import type { Route } from '../../net/assignment.ts'
import { contains, formatSubnet, parseAddress, parseCidr } from '../../net/ip.ts'
import { parseMac } from '../../net/mac.ts'
import { checkedInterface } from '../../net/names.ts'
import { openSandbox, type Sandbox } from '../../net/sandbox.ts'
import { type EndpointRecord, endpointKey, type NetworkRecord } from '../../store/schema.ts'
import type { Entry } from '../../store/store.ts'
import { Steps } from '../../steps.ts'
import { attach } from '../attach.ts'
import { sandboxPath } from '../sandboxes.ts'
import { bridgeConfig } from './bridge-network.ts'
import { containerIdOf, ipamOf, liveEndpoints, thisHost } from './endpoints.ts'
import { type Machine, turn } from './machine.ts'
import { findNetwork, ownerOf } from './records.ts'

export interface AskedEndpoint {
  /** Of a network: its name or id. */
  readonly network: string
  /** A name, a path or pid:N. */
  readonly sandbox: string
  readonly cwd: string
  readonly ip?: string | undefined
  readonly ip6?: string | undefined
  readonly mac?: string | undefined
  readonly ifname?: string | undefined
}

/** Throws NOT_FOUND, BAD_NETNS, BAD_CONFIG, EXISTS where the sandbox is on the network, TAKEN, EXHAUSTED. */
export async function connect(machine: Machine, asked: AskedEndpoint): Promise<EndpointRecord> {
  const { host, store, runDir } = machine
  const mac = asked.mac === undefined ? undefined : parseMac(asked.mac, '--mac')
  const requested = requestedAddresses(asked)
  if (asked.ifname !== undefined) checkedInterface('--ifname', asked.ifname)
  const path = sandboxPath({ runDir, cwd: asked.cwd }, asked.sandbox)
  using sandbox = openSandbox(path, { trace: machine.trace })
  const containerId = containerIdOf(runDir, sandbox)
  using _turn = await turn(machine)
  const network = await findNetwork(store, asked.network)
  const { id } = network.value
  requireWithin(network.value, asked)
  await refuseSecond(machine, network.value, containerId)
  const ifname = await interfaceName(sandbox, asked)
  const intent: EndpointRecord = {
    network: id,
    containerId,
    ifname,
    sandbox: asked.sandbox,
    netns: path,
    host: thisHost(),
    mac: '',
    ips: [],
  }
  await using steps = new Steps(machine.log)
  await steps.step(
    `record ${ifname} of ${asked.sandbox} on ${network.value.name}`,
    () => record(machine, network, intent),
    () => store.commit({ remove: [endpointKey(id, intent)] }),
  )
  const { interfaces, ips } = await attach(
    {
      driver,
      network: {
        name: network.value.name,
        options: driver.parse({ ...bridgeConfig(network.value), isDefaultGateway: false }),
      },
      owner: ownerOf(network.value, intent),
      host,
      sandbox,
      mac,
      requested,
      ipam: withDefaultRoutes(ipamOf(store, network.value), network.value, sandbox),
    },
    steps,
  )
  const inside = interfaces.find(each => each.name === ifname && each.sandbox !== undefined)
  const made: EndpointRecord = { ...intent, mac: inside?.mac ?? '', ips: ips.map(({ address }) => address) }
  await store.commit({ put: [{ key: endpointKey(id, made), value: made }] })
  steps.commit()
  return made
}

function requestedAddresses({ ip, ip6 }: AskedEndpoint): string[] {
  const asked = [
    ['--ip', 4, ip],
    ['--ip6', 6, ip6],
  ] as const
  return asked.flatMap(([option, family, text]) => {
    if (text === undefined) return []
    if (parseAddress(text, option).family !== family)
      throw new TnetError('BAD_CONFIG', `${option}: want an IPv${family} address, got ${text}`)
    return [text]
  })
}

/** The addresses asked for are of the network, in its own words; the rest is for who leases them. */
function requireWithin({ name, ipam }: NetworkRecord, { ip, ip6 }: AskedEndpoint): void {
  const subnets = ipam.subnets.map(({ subnet }) => parseCidr(subnet, 'subnet'))
  const asked = [
    ['--ip', 4, ip],
    ['--ip6', 6, ip6],
  ] as const
  for (const [option, version, text] of asked) {
    if (text === undefined) continue
    const own = subnets.filter(({ family }) => family === version)
    if (own.length === 0) {
      throw new TnetError('BAD_CONFIG', `${option} ${text}: ${name} has no IPv${version} subnet`)
    }
    const address = parseAddress(text, option)
    if (own.some(subnet => contains(subnet, address))) continue
    throw unwanted(option, `an address of ${name}: in ${own.map(formatSubnet).join(' or ')}`, text)
  }
}

async function refuseSecond(machine: Machine, network: NetworkRecord, containerId: string): Promise<void> {
  const other = (await liveEndpoints(machine, network)).find(({ value }) => value.containerId === containerId)
  if (other === undefined) return
  const { sandbox, ifname, ips } = other.value
  throw new TnetError(
    'EXISTS',
    `connect ${sandbox} to ${network.name}: it is connected, as ${ifname} with ${ips.join(', ')}`,
    `tnet network disconnect ${network.name} ${sandbox}`,
  )
}

async function record(
  { store }: Machine,
  network: Entry<NetworkRecord>,
  endpoint: EndpointRecord,
): Promise<void> {
  const key = endpointKey(network.value.id, endpoint)
  const done = await store.commit({ when: [network, { key, revision: 0 }], put: [{ key, value: endpoint }] })
  if (!done)
    throw new TnetError(
      'TRY_AGAIN',
      `connect ${endpoint.sandbox} to ${network.value.name}: the network has just been changed`,
    )
}

/** The one that was asked for, or as Docker names them: eth0, eth1. Throws EXISTS. */
async function interfaceName(
  sandbox: Sandbox,
  { ifname, sandbox: reference }: AskedEndpoint,
): Promise<string> {
  const links = await sandbox.links.list()
  const names = new Set(
    links.flatMap(({ name, alternativeNames }) => [name, ...(alternativeNames?.names ?? [])]),
  )
  if (ifname !== undefined) {
    if (!names.has(ifname)) return ifname
    throw new TnetError(
      'EXISTS',
      `--ifname ${ifname}: ${reference} has such an interface already`,
      'choose another name, or leave it out',
    )
  }
  let number = 0
  while (names.has(`eth${number}`)) number++
  return `eth${number}`
}

/**
 * A sandbox may be on several networks: the route by the first stays its default, and those by the others stand by
 * with higher metrics, until the first goes.
 */
function withDefaultRoutes(ipam: Ipam, { internal }: NetworkRecord, sandbox: Sandbox): Ipam {
  if (internal) return ipam
  return {
    ...ipam,
    async allocate(owner, requested) {
      const { ips, routes, dns } = await ipam.allocate(owner, requested)
      const metrics = await defaultMetrics(sandbox)
      const defaults = ips.flatMap(({ address, gateway }): Route[] => {
        if (gateway === undefined) return []
        const { family } = parseCidr(address, 'address')
        const [dst, first] = family === 4 ? ['0.0.0.0/0', 0] : ['::/0', IPV6_METRIC]
        const taken = metrics.filter(each => each.family === family).map(({ metric }) => metric)
        return [
          { dst, gw: gateway, ...(taken.length === 0 ? {} : { priority: Math.max(first, ...taken) + 1 }) },
        ]
      })
      return { ips, routes: [...routes, ...defaults], dns }
    },
  }
}

/** IP6_RT_PRIO_USER: the metric of a route of IPv6 that is given none. */
const IPV6_METRIC = 1024
const AF_INET = 2

async function defaultMetrics(sandbox: Sandbox): Promise<{ family: 4 | 6; metric: number }[]> {
  const routes = await sandbox.routes.list()
  return routes
    .filter(({ destinationLength, type }) => destinationLength === 0 && type === 'unicast')
    .map(({ family, priority = 0 }) => ({ family: family === AF_INET ? 4 : 6, metric: priority }))
}
