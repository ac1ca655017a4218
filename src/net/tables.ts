// Which tables of nftables there are: one question, before any of the firewall's code is loaded.
import { errnoCode } from '../errors.ts'
import { getTable, newTable } from '../netlink/netfilter/table.ts'
import type { NetlinkSocket } from '../netlink/socket.ts'
import { legacyTables } from './legacy-tables.ts'

/** Names with their families: `inet tnet`. */
export async function tableNames(socket: () => NetlinkSocket): Promise<ReadonlySet<string>> {
  try {
    const tables = await socket().dump(getTable, {}, newTable, { torn: true })
    return new Set(tables.map(({ family, name = '' }) => `${family} ${name}`))
  } catch (error) {
    // A kernel without nf_tables, or without netfilter.
    if (['EOPNOTSUPP', 'EINVAL', 'EPROTONOSUPPORT'].includes(errnoCode(error) ?? '')) return new Set()
    throw error
  }
}

/** What an earlier plugin of the reference may have left for a container. */
export type Remnant = 'masquerade' | 'ports' | 'spoofcheck'

const REMNANTS: Readonly<Record<Remnant, readonly string[]>> = {
  masquerade: ['ip nat', 'ip6 nat', 'inet cni_plugins_masquerade'],
  ports: ['ip nat', 'ip6 nat', 'ip cni_hostport', 'ip6 cni_hostport'],
  spoofcheck: ['bridge nat'],
}

export interface RemnantTables {
  /** Of nftables: `ip nat`. */
  readonly nftables: readonly string[]
  /** Whether iptables-legacy has one. */
  readonly legacy: boolean
}

/** The tables that may hold some, where `tables` are those of nftables. */
export function tablesOfRemnants(remnant: Remnant, tables: ReadonlySet<string>): RemnantTables {
  return {
    nftables: REMNANTS[remnant].filter(name => tables.has(name)),
    legacy: remnant !== 'spoofcheck' && legacyTables('nat').length > 0,
  }
}
