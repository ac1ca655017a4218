// From the keys of the sbr plugin to definite options.
import { unwanted } from '../../errors.ts'
import { formatAddress, parseAddress } from '../../net/ip.ts'

export interface SbrConfig {
  readonly table?: number
  readonly gateways?: readonly string[]
  readonly addSourceHints?: boolean
}

export interface SbrOptions {
  /** Rules lead to this table, which somebody else fills. Left out: to tables of our own. */
  readonly table: number | undefined
  /** In place of what address management has said. */
  readonly gateways: readonly string[]
  readonly addSourceHints: boolean
}

/** Throws BAD_CONFIG. */
export function parseOptions({ table, gateways = [], addSourceHints = false }: SbrConfig): SbrOptions {
  const parsed = gateways.map((text, i) => formatAddress(parseAddress(text, `gateways[${i}]`)))
  for (const isSix of [false, true]) {
    if (parsed.filter(each => each.includes(':') === isSix).length > 1) {
      throw unwanted('gateways', 'at most one address of each family', gateways)
    }
  }
  return { table, gateways: parsed, addSourceHints }
}

export function parseLeaving(): SbrOptions {
  return { table: undefined, gateways: [], addSourceHints: false }
}
