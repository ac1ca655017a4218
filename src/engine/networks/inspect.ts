// A network as `network inspect` shows it, with the keys that Docker has.
import { parseCidr } from '../../net/ip.ts'
import type { NetworkRecord } from '../../store/schema.ts'
import { bridgeName } from './bridge-network.ts'
import { endpointsNow } from './endpoints.ts'
import type { Machine } from './machine.ts'
import { runtimeLeases } from './records.ts'

interface Member {
  readonly Name: string
  readonly InterfaceName: string
  readonly MacAddress: string
  readonly IPv4Address: string
  readonly IPv6Address: string
}

export async function inspection(machine: Machine, network: NetworkRecord) {
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: hasIPv4(network),
    EnableIPv6: network.ipv6,
    IPAM: {
      Driver: 'tnet-ipam',
      Options: {},
      Config: network.ipam.subnets.map(({ subnet, gateway, ipRange, aux }) => ({
        Subnet: subnet,
        ...(ipRange === undefined ? {} : { IPRange: ipRange }),
        Gateway: gateway,
        ...(aux === undefined ? {} : { AuxiliaryAddresses: aux }),
      })),
    },
    Internal: network.internal,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Options: { ...network.options, 'com.docker.network.bridge.name': bridgeName(network) },
    Labels: network.labels,
    Containers: await members(machine, network),
  }
}

export function hasIPv4({ ipam }: NetworkRecord): boolean {
  return ipam.subnets.some(({ subnet }) => parseCidr(subnet, 'subnet').family === 4)
}

/** Sandboxes that tnet has connected, and containers that runtimes have. */
async function members(machine: Machine, network: NetworkRecord): Promise<Record<string, Member>> {
  const all: [string, Member][] = []
  for (const { value } of (await endpointsNow(machine, network)).live) {
    all.push([value.containerId, member(value.sandbox, value.ifname, value.mac, value.ips)])
  }
  for (const { value } of await runtimeLeases(machine.store, network.id)) {
    all.push([value.containerId, member(value.containerId.slice(0, 12), value.ifname, '', value.addresses)])
  }
  return Object.fromEntries(all)
}

function member(name: string, ifname: string, mac: string, ips: readonly string[]): Member {
  return {
    Name: name,
    InterfaceName: ifname,
    MacAddress: mac,
    IPv4Address: ips.find(ip => !ip.includes(':')) ?? '',
    IPv6Address: ips.find(ip => ip.includes(':')) ?? '',
  }
}
