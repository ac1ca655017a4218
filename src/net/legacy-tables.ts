// Which tables iptables-legacy has: rules beside nf_tables in the kernel, where no accept of nf_tables overrules them.
import { errnoCode } from '../errors.ts'
import { readText } from '../sys/files.ts'
import type { Family } from './ip.ts'

export const COMMANDS: Readonly<Record<Family, string>> = { 4: 'iptables-legacy', 6: 'ip6tables-legacy' }
const FAMILIES = [4, 6] as const

/** The names of the tables that each family has in our own namespace. */
const NAMES: Readonly<Record<Family, string>> = {
  4: '/proc/net/ip_tables_names',
  6: '/proc/net/ip6_tables_names',
}

/** The families that have the table; also where it holds nothing, since a look at it makes it. */
export function legacyTables(table: string): Family[] {
  return FAMILIES.filter(family => namesOf(family).includes(table))
}

/** Each with its command: `iptables-legacy nat`. */
export function legacyTableNames(): string[] {
  return FAMILIES.flatMap(family => namesOf(family).map(name => `${COMMANDS[family]} ${name}`))
}

/** The family of a table that `legacyTableNames` names; undefined for one of nftables. */
export function legacyFamilyOf(tableName: string): Family | undefined {
  return FAMILIES.find(family => tableName.startsWith(`${COMMANDS[family]} `))
}

/** None where the kernel has no iptables-legacy; nor in a user namespace whose root was mapped after the network namespace was made, which may not read them. */
function namesOf(family: Family): string[] {
  try {
    return readText(NAMES[family])
      .split('\n')
      .filter(name => name !== '')
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes(errnoCode(error) ?? '')) return []
    throw error
  }
}
