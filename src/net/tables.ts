// Which tables there are: one question, before any of the firewall's code is loaded.
import { errnoCode } from '../errors.ts'
import { getTable, newTable } from '../netlink/netfilter/table.ts'
import type { NetlinkSocket } from '../netlink/socket.ts'
import { legacyTableNames } from './legacy-tables.ts'

/** Of nftables with their families, `inet tnet`; of iptables-legacy with its command, `iptables-legacy nat`. */
export async function tableNames(socket: () => NetlinkSocket): Promise<ReadonlySet<string>> {
  return new Set([...(await nftablesNames(socket)), ...legacyTableNames()])
}

async function nftablesNames(socket: () => NetlinkSocket): Promise<string[]> {
  try {
    const tables = await socket().dump(getTable, {}, newTable, { torn: true })
    return tables.map(({ family, name = '' }) => `${family} ${name}`)
  } catch (error) {
    // A kernel without nf_tables, or without netfilter.
    if (['EOPNOTSUPP', 'EINVAL', 'EPROTONOSUPPORT'].includes(errnoCode(error) ?? '')) return []
    throw error
  }
}

/** What an earlier plugin of the reference may have left for a container. */
export type Remnant = 'masquerade' | 'ports' | 'spoofcheck'

const NAT = ['ip nat', 'ip6 nat']
/** Looked through last: a program does so. */
const LEGACY_NAT = ['iptables-legacy nat', 'ip6tables-legacy nat']

const REMNANTS: Readonly<Record<Remnant, readonly string[]>> = {
  masquerade: [...NAT, 'inet cni_plugins_masquerade', ...LEGACY_NAT],
  ports: [...NAT, 'ip cni_hostport', 'ip6 cni_hostport', ...LEGACY_NAT],
  spoofcheck: ['bridge nat'],
}

/** Those of the tables that may hold some. */
export function tablesOfRemnants(remnant: Remnant, tables: ReadonlySet<string>): string[] {
  return REMNANTS[remnant].filter(name => tables.has(name))
}
