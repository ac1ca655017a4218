// The configuration of published ports, made definite.
import { TnetError, unwanted } from '../../errors.ts'
import { type Address, addressOf, equal, type Family, parseAddress } from '../../net/ip.ts'
import {
  type Conditions,
  type Mapping,
  mappingName,
  type Publication,
  type Transport,
} from '../../net/mapping.ts'
import { type Backend, parseConditions } from './conditions.ts'

/** As users and runtimes write it; types and ranges are the door's schema. */
export interface PortmapConfig {
  readonly backend?: '' | Backend | undefined
  readonly snat?: boolean | undefined
  readonly masqAll?: boolean | undefined
  readonly markMasqBit?: number | undefined
  readonly externalSetMarkChain?: string | undefined
  readonly conditionsV4?: readonly string[] | undefined
  readonly conditionsV6?: readonly string[] | undefined
  readonly runtimeConfig?: { readonly portMappings?: readonly PortMapping[] | undefined } | undefined
}

export interface PortMapping {
  readonly hostPort?: number | undefined
  readonly containerPort?: number | undefined
  readonly protocol?: string | undefined
  readonly hostIP?: string | undefined
}

export interface PortmapOptions {
  readonly mappings: readonly Mapping[]
  readonly conditions: Conditions
  readonly masquerade: Publication['masquerade']
}

const TRANSPORTS: readonly string[] = ['tcp', 'udp', 'sctp'] satisfies Transport[]

/** Throws TnetError BAD_CONFIG. */
export function parsePortmap(config: PortmapConfig): PortmapOptions {
  if (config.markMasqBit !== undefined && config.externalSetMarkChain !== undefined) {
    throw new TnetError(
      'BAD_CONFIG',
      `markMasqBit and externalSetMarkChain: want one of them at most, got ${config.markMasqBit} and ${JSON.stringify(config.externalSetMarkChain)}`,
      'neither is needed: the packets that need it are masqueraded without a mark',
    )
  }
  const mappings = distinct((config.runtimeConfig?.portMappings ?? []).map(mapping))
  const { snat = true, masqAll = false, backend } = config
  return {
    mappings,
    conditions: {
      4: parseConditions('conditionsV4', config.conditionsV4, { family: 4, backend }),
      6: parseConditions('conditionsV6', config.conditionsV6, { family: 6, backend }),
    },
    masquerade: masqAll ? 'all' : snat ? 'needed' : 'none',
  }
}

/** What detaching needs of a configuration, which may have been mended or spoilt since: the ports that can be read. */
export function parseLeavingPortmap(config: PortmapConfig): PortmapOptions {
  const all = (config.runtimeConfig?.portMappings ?? []).flatMap((one, index) => {
    return attempt(() => [mapping(one, index)]) ?? []
  })
  const conditions = attempt(() => parsePortmap({ ...config, runtimeConfig: undefined }).conditions)
  return { mappings: all, conditions: conditions ?? { 4: undefined, 6: undefined }, masquerade: 'needed' }
}

function attempt<T>(deed: () => T): T | undefined {
  try {
    return deed()
  } catch (error) {
    if (error instanceof TnetError) return undefined
    throw error
  }
}

function mapping({ hostPort, containerPort, protocol = 'tcp', hostIP }: PortMapping, index: number): Mapping {
  const key = `runtimeConfig.portMappings[${index}]`
  if (hostPort === undefined) throw unwanted(`${key}.hostPort`, PORT, hostPort)
  if (containerPort === undefined) throw unwanted(`${key}.containerPort`, PORT, containerPort)
  const transport = protocol.toLowerCase()
  if (!TRANSPORTS.includes(transport)) {
    throw unwanted(`${key}.protocol`, `one of ${TRANSPORTS.join(', ')}`, protocol)
  }
  return { protocol: transport as Transport, hostPort, containerPort, ...whereOf(hostIP, `${key}.hostIP`) }
}

const PORT = 'an integer from 1 to 65535'
const BOTH: readonly Family[] = [4, 6]

/** An address of all zeros is as good as any of its family. */
function whereOf(hostIP: string | undefined, key: string): Pick<Mapping, 'hostIp' | 'families'> {
  if (hostIP === undefined) return { hostIp: undefined, families: BOTH }
  const address = unmapped(hostIP) ?? parseAddress(hostIP, key)
  return { hostIp: address.bits === 0n ? undefined : address, families: [address.family] }
}

/** Go writes an address of IPv4 in either form. */
function unmapped(text: string): Address | undefined {
  const [, plain] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text) ?? []
  return plain === undefined ? undefined : addressOf(plain)
}

/**
 * Without those that another one covers: podman tells of `-p 0.0.0.0:80:80 -p [::]:80:80` as of all addresses, and of
 * those of IPv6. Throws BAD_CONFIG where it is not clear which one is meant.
 */
function distinct(mappings: readonly Mapping[]): Mapping[] {
  for (const [index, one] of mappings.entries()) {
    const other = mappings.slice(0, index).findIndex(each => overlap(each, one) && !areNested(each, one))
    if (other < 0) continue
    throw new TnetError(
      'BAD_CONFIG',
      `runtimeConfig.portMappings[${index}]: want a port of the host for each, got ${mappingName(one)} as in portMappings[${other}]`,
    )
  }
  return mappings.filter(one => !mappings.some(other => overlap(other, one) && reach(other) > reach(one)))
}

function overlap(one: Mapping, other: Mapping): boolean {
  return (
    one.protocol === other.protocol &&
    one.hostPort === other.hostPort &&
    one.families.some(family => other.families.includes(family)) &&
    (one.hostIp === undefined || other.hostIp === undefined || equal(one.hostIp, other.hostIp))
  )
}

/** Of two that overlap, whether they lead to one port of the container, and one reaches further. */
function areNested(one: Mapping, other: Mapping): boolean {
  return one.containerPort === other.containerPort && reach(one) !== reach(other)
}

/** One address, all of a family, all: of two that overlap, who reaches further covers the other. */
function reach({ hostIp, families }: Mapping): number {
  return hostIp === undefined ? families.length : 0
}
