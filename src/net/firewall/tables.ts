// What a table of ours is: what stands in it for good. Whom its rules are about is said by elements of its sets.
import type { hooks } from '../../netlink/netfilter/chain.ts'
import type { TypeName } from '../../netlink/netfilter/data-type.ts'
import type { Expression } from '../../netlink/netfilter/expression.ts'
import type { Family } from '../../netlink/netfilter/message.ts'

export interface OurRule {
  /** Tells the rules of a chain apart, within a schema. */
  readonly id: number
  /** What the rule is made for, where there may be several of its kind. */
  readonly argument?: number
  readonly expressions: readonly Expression[]
}

export interface OurChain {
  readonly type: 'filter' | 'nat'
  readonly hook: keyof typeof hooks
  readonly priority: number
  readonly rules: readonly OurRule[]
}

export interface TableName {
  readonly family: Family
  readonly name: string
}

/** The types of the keys of a set; or a map, or one whose keys are intervals. */
export type OurSet =
  | readonly TypeName[]
  | {
      readonly key: readonly TypeName[]
      readonly data?: readonly TypeName[]
      readonly flags?: readonly 'interval'[]
    }

export interface OurTable extends TableName {
  readonly sets: Readonly<Record<string, OurSet>>
  readonly chains: Readonly<Record<string, OurChain>>
}

/** Which rule of ours one in the kernel is. */
export interface Mark extends Pick<OurRule, 'id' | 'argument'> {
  readonly schema: number
  /** How many rules were written into its chain: one that was removed since is missed. */
  readonly of: number
}

/** What of ours a table holds already. */
export interface Held {
  readonly rules: readonly { readonly chain: string; readonly mark: Mark | undefined }[]
  readonly sets: readonly string[]
}

export interface Plan extends TableName {
  /** What the table shall hold: what is asked for, and what it holds for others. */
  tableWith(held: Held): OurTable
}

/** Grows with every change of the rules. A process writes those of an earlier version anew, and leaves those of a later one alone. */
export const SCHEMA = 5

/** Rules for what the host forwards. */
export const INET: TableName = { family: 'inet', name: 'tnet' }
/** Rules for frames inside bridges; made only where they are asked for, since a kernel may lack the family. */
export const BRIDGE: TableName = { family: 'bridge', name: 'tnet' }
/** Published ports; made only where one is. */
export const PORTS: TableName = { family: 'inet', name: 'tnet_ports' }
