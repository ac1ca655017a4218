// Which tables iptables-legacy has: rules beside nf_tables in the kernel, where no accept of nf_tables overrules them.
import { errnoCode } from '../errors.ts'
import { readText } from '../sys/files.ts'
import type { Family } from './ip.ts'

/** The names of the tables that each family has in our own namespace. */
const NAMES: Readonly<Record<Family, string>> = {
  4: '/proc/net/ip_tables_names',
  6: '/proc/net/ip6_tables_names',
}

/** The families that have the table; also where it holds nothing, since a look at it makes it. */
export function legacyTables(table: 'filter' | 'nat'): Family[] {
  return ([4, 6] as const).filter(family => namesOf(family).split('\n').includes(table))
}

/** Empty where the kernel has no iptables-legacy; or in a user namespace whose root may not read it, and has none of its own. */
function namesOf(family: Family): string {
  try {
    return readText(NAMES[family])
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes(errnoCode(error) ?? '')) return ''
    throw error
  }
}
