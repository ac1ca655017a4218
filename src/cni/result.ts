// Results: what an attachment came to, in the shape of each version, and back.
//
//   0.1.0, 0.2.0   ip4, ip6, dns: one address of each family, no interfaces
//   0.3.0 - 0.4.0  interfaces, ips with their family, routes, dns
//   1.0.0, 1.1.0   ips without their family; 1.1.0 has mtu, socketPath and pciID of interfaces
import { TnetError } from '../errors.ts'
import type { Route } from '../net/assignment.ts'
import { formatAddress, formatCidr, parseAddress, parseCidr } from '../net/ip.ts'
import type { AttachResult, Dns, Interface } from '../net/result.ts'
import { conform } from './config.ts'
import { validate } from './generated/result.js'
import { isObject, type Json, type JsonObject } from './json.ts'
import { omitEmpty, print } from './print.ts'
import { result as schema } from './schemas/result.ts'
import { atLeast, type Version } from './version.ts'

type Ip = AttachResult['ips'][number]

/** The text that ADD prints. Throws TnetError BAD_CONFIG where `version` cannot tell of it. */
export function resultText(result: AttachResult, version: Version): string {
  return print(atLeast(version, '0.3.0') ? modern(result, version) : ancient(result, version))
}

function modern({ interfaces, ips, routes, dns }: AttachResult, version: Version): object {
  return {
    cniVersion: version,
    interfaces: omitEmpty(interfaces.map(link => printedInterface(link, version))),
    ips: omitEmpty(ips.map(ip => printedIp(ip, version))),
    routes: omitEmpty(routes.map(printedRoute)),
    dns: printedDns(dns),
  }
}

function ancient({ ips, routes, dns }: AttachResult, version: Version): object {
  const families = { ip4: 4, ip6: 6 } as const
  const told = Object.entries(families).map(([key, family]) => {
    const ip = ips.find(({ address }) => familyOf(address) === family)
    if (ip === undefined) return [key, undefined] as const
    const own = routes.filter(({ dst }) => familyOf(dst) === family).map(({ dst, gw }) => ({ dst, gw }))
    return [key, { ip: ip.address, gateway: ip.gateway, routes: omitEmpty(own) }] as const
  })
  if (told.every(([, value]) => value === undefined)) {
    throw new TnetError(
      'BAD_CONFIG',
      `cniVersion ${version}: it cannot tell of an interface without an IP address`,
      'want cniVersion 0.3.0 or later, or an ipam',
    )
  }
  return { cniVersion: version, ...Object.fromEntries(told), dns: printedDns(dns) }
}

function printedInterface(
  { name, mac, mtu, sandbox, socketPath, pciID }: Interface,
  version: Version,
): object {
  const newer = atLeast(version, '1.1.0')
  return {
    name,
    mac: omitEmpty(mac),
    mtu: newer ? omitEmpty(mtu) : undefined,
    sandbox: omitEmpty(sandbox),
    socketPath: newer ? omitEmpty(socketPath) : undefined,
    pciID: newer ? omitEmpty(pciID) : undefined,
  }
}

function printedIp(ip: Ip, version: Version): object {
  const { interface: index, address, gateway } = ip
  return {
    version: atLeast(version, '1.0.0') ? undefined : String(familyOf(address)),
    interface: index,
    address,
    gateway,
  }
}

/** Attributes of routes are told in every version, as the reference does: CHECK gets back what ADD has set. */
function printedRoute({ dst, gw, mtu, advmss, priority, table, scope }: Route): object {
  return {
    dst,
    gw,
    mtu: omitEmpty(mtu),
    advmss: omitEmpty(advmss),
    priority: omitEmpty(priority),
    table,
    scope,
  }
}

function printedDns({ nameservers, domain, search, options }: Dns): object {
  return {
    nameservers: omitEmpty(nameservers),
    domain: omitEmpty(domain),
    search: omitEmpty(search),
    options: omitEmpty(options),
  }
}

function familyOf(cidr: string): 4 | 6 {
  return cidr.includes(':') ? 6 : 4
}

/** What `raw`, a result of any version, says. `at` is where it was found. Throws TnetError BAD_CONFIG. */
export function readResult(raw: JsonObject, at: string): AttachResult {
  const { config } = conform({ schema, validate }, modernised(raw), at)
  const read = config as unknown as Partial<AttachResult>
  const interfaces = read.interfaces ?? []
  return {
    interfaces: interfaces.map(link => ({ ...link, name: link.name ?? '', mac: link.mac ?? '' })),
    ips: (read.ips ?? []).map((ip, i) => readIp(ip, interfaces.length, `${at}.ips[${i}]`)),
    routes: (read.routes ?? []).map((route, i) => readRoute(route, `${at}.routes[${i}]`)),
    dns: { ...read.dns },
  }
}

/** Before 0.3.0 an address, its gateway and its routes were told by family. */
function modernised(raw: JsonObject): JsonObject {
  const families = Object.entries(raw).filter(([key, value]) => /^ip[46]$/i.test(key) && isObject(value))
  if (families.length === 0) return raw
  const value = (object: Json, name: string): Json =>
    Object.entries(object as JsonObject).find(([key]) => key.toLowerCase() === name)?.[1] ?? null
  return Object.assign(Object.create(null) as JsonObject, {
    ips: families.map(([, family]) => ({ address: value(family, 'ip'), gateway: value(family, 'gateway') })),
    routes: families.flatMap(([, family]) => value(family, 'routes') ?? []),
    dns: value(raw, 'dns'),
  })
}

/** An index that none of the `count` interfaces has says nothing: others leave their interfaces out. */
function readIp({ interface: index, address, gateway }: Ip, count: number, at: string): Ip {
  const isKnown = index !== undefined && 0 <= index && index < count
  return {
    ...(isKnown ? { interface: index } : {}),
    address: formatCidr(parseCidr(address, `${at}.address`)),
    ...(gateway === undefined ? {} : { gateway: formatAddress(parseAddress(gateway, `${at}.gateway`)) }),
  }
}

function readRoute(route: Route, at: string): Route {
  const { dst, gw, ...rest } = route
  return {
    dst: formatCidr(parseCidr(dst, `${at}.dst`)),
    ...(gw === undefined ? {} : { gw: formatAddress(parseAddress(gw, `${at}.gw`)) }),
    ...rest,
  }
}

/** What the configuration says of name servers goes before what the IPAM plugin says. */
export function withDns(result: AttachResult, { config }: { readonly config: JsonObject }): AttachResult {
  const dns = (config['dns'] ?? {}) as Dns
  return Object.keys(dns).length === 0 ? result : { ...result, dns }
}

/** CHECK compares with what ADD answered. */
export function resultMissing(): TnetError {
  return new TnetError('BAD_CONFIG', 'prevResult: want the result of ADD, got nothing')
}
