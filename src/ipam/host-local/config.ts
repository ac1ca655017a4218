// The configuration of host-local: the `ipam` section of a network, and what the runtime adds to it.
import { unwanted } from '../../errors.ts'
import { cleaned } from '../../sys/path.ts'
import { type Pools, parseRanges } from '../ranges.ts'
import { parseRoutes } from '../routes.ts'
import type { Route } from '../ipam.ts'

export interface HostLocalConfig {
  /** Holds a directory for each network. */
  readonly dataDir: string
  readonly pools: Pools
  readonly routes: readonly Route[]
  /** A file in the format of resolv.conf(5), from which the containers' DNS settings come. */
  readonly resolvConf?: string | undefined
}

export interface HostLocalSection {
  /** The `ipam` section, its keys in their canonical spelling. */
  readonly ipam: Readonly<Record<string, unknown>>
  /** `runtimeConfig.ipRanges`. */
  readonly ipRanges?: unknown
  readonly cniVersion?: string | undefined
}

const DATA_DIR = '/var/lib/cni/networks'

/** Throws BAD_CONFIG naming key, value and what was wanted. */
export function parseHostLocal({ ipam, ipRanges, cniVersion }: HostLocalSection): HostLocalConfig {
  return {
    dataDir: path(ipam['dataDir'], 'ipam.dataDir') ?? DATA_DIR,
    pools: parseRanges({ ipam, ipRanges, cniVersion }),
    routes: parseRoutes(ipam['routes'], 'ipam.routes'),
    resolvConf: path(ipam['resolvConf'], 'ipam.resolvConf'),
  }
}

/**
 * As much as giving back and looking up leases needs: a network whose ranges have become wrong can still be torn down.
 * Throws BAD_CONFIG.
 */
export function parseHostLocalTeardown(ipam: HostLocalSection['ipam']): HostLocalConfig {
  const dataDir = path(ipam['dataDir'], 'ipam.dataDir') ?? DATA_DIR
  return { dataDir, pools: { sets: [], reserved: new Map() }, routes: [] }
}

function path(value: unknown, key: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string' && value.startsWith('/') && !value.includes('\0')) return cleaned(value)
  throw unwanted(key, 'an absolute path', value)
}
