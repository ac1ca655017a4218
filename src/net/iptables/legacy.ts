// Lets containers through the rules of iptables-legacy, where a host has them: no accept elsewhere overrules their drop.
import type { Admission, Gate } from '../admission.ts'
import type { Family } from '../ip.ts'
import { COMMANDS } from '../legacy-tables.ts'
import { type Attached, isStaleTag, type Owner, ownerTag } from '../owner.ts'
import type { Change } from './filter-table.ts'
import { familiesOf, missingError, plainAddress } from './iptables.ts'
import { type Programs, rewrite, saved } from './legacy-program.ts'
import { scriptOf, type Table, tableOf } from './legacy-table.ts'
import { admission, idle, leaving, missing } from './rules.ts'

/** The filter tables of iptables-legacy. Each family is changed as a whole, one after the other. */
export class LegacyIptables implements Gate {
  readonly #programs: readonly (readonly [Family, Programs])[]
  readonly #adminChain: string

  constructor(programs: readonly (readonly [Family, Programs])[], adminChain: string) {
    this.#programs = programs
    this.#adminChain = adminChain
  }

  async admit(wanted: Admission): Promise<void> {
    const families = new Map(familiesOf(wanted, this.#adminChain))
    for (const [family, programs] of this.#programs) {
      const one = families.get(family)
      if (one !== undefined) await change(programs, table => admission(table, one))
    }
  }

  async dismiss(owner: Owner, addresses: readonly string[]): Promise<void> {
    const tag = ownerTag(owner)
    await this.#remove(has => has === tag, addresses)
  }

  async check(wanted: Admission): Promise<void> {
    const families = new Map(familiesOf(wanted, this.#adminChain))
    for (const [family, programs] of this.#programs) {
      const one = families.get(family)
      if (one === undefined) continue
      const table = tableOf(await saved(programs, 'filter'))
      // Somebody has only looked at it since: that makes the table, which drops nothing.
      const fault = table.isBlank ? undefined : missing(table, one)
      if (fault !== undefined) throw missingError(COMMANDS[family], fault)
    }
  }

  async gc(network: string, valid: readonly Attached[]): Promise<void> {
    await this.#remove(isStaleTag(network, valid), [])
  }

  async #remove(isLeaving: (owner: string) => boolean, addresses: readonly string[]): Promise<void> {
    const plain = addresses.map(plainAddress)
    for (const [, programs] of this.#programs) {
      await change(programs, ({ rules }) => {
        const gone = leaving(rules, isLeaving, plain)
        return { chains: [], remove: gone.length === 0 ? [] : [...gone, ...idle(rules, gone)], add: [] }
      })
    }
  }
}

/** Makes what `changeOf` says of what stands. */
function change(programs: Programs, changeOf: (table: Table) => Change): Promise<void> {
  return rewrite(programs, 'filter', text => {
    const table = tableOf(text)
    const wanted = changeOf(table)
    const isNothing = wanted.chains.length + wanted.remove.length + wanted.add.length === 0
    return isNothing ? undefined : scriptOf(table, wanted)
  })
}
