// An expression as netlink carries it: a name, and attributes that depend on the name. Here: those that count.
import { attributes, by, nested, type UnknownAttribute } from '../../wire/attributes.ts'
import type { Codec, ValueOf } from '../../wire/codec.ts'
import { string } from '../../wire/codec.ts'
import {
  connlimitAttributes,
  counterAttributes,
  lastAttributes,
  limitAttributes,
  quotaAttributes,
} from './expr/stateful.ts'

type Kinds = Readonly<Record<string, Codec<any>>>

/** One of `K`; or one that the table does not know, whose attributes are kept as they are. */
export type ExpressionOf<K extends Kinds> =
  | { [N in keyof K & string]: { readonly name: N; readonly data: ValueOf<K[N]> } }[keyof K & string]
  | { readonly name: string; readonly data?: undefined; readonly unknown?: readonly UnknownAttribute[] }

/** NFTA_EXPR_* */
export function expressionOf<const K extends Kinds>(kinds: K): Codec<ExpressionOf<K>> {
  const nests = Object.fromEntries(Object.entries(kinds).map(([name, codec]) => [name, nested(codec)]))
  return attributes({ name: [1, string], data: [2, by('name', nests)] }) as Codec<unknown> as Codec<
    ExpressionOf<K>
  >
}

export const statefulKinds = {
  counter: counterAttributes,
  limit: limitAttributes,
  quota: quotaAttributes,
  connlimit: connlimitAttributes,
  last: lastAttributes,
}

export const statefulExpression = expressionOf(statefulKinds)
export type StatefulExpression = ValueOf<typeof statefulExpression>
