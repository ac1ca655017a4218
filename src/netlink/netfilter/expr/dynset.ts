// dynset: adds the packet's own values to a set, or removes them.
import { attributes, list, nested } from '../../../wire/attributes.ts'
import { be32, be64, enumeration, flagSet, string } from '../../../wire/codec.ts'
import { register } from '../data.ts'
import { statefulExpression } from '../stateful-expression.ts'

/** NFTA_DYNSET_* */
export const dynsetAttributes = attributes({
  set: [1, string],
  setId: [2, be32],
  operation: [3, enumeration(be32, { add: 0, update: 1, delete: 2 })],
  key: [4, register],
  data: [5, register],
  /** Milliseconds. */
  timeout: [6, be64],
  expression: [7, nested(statefulExpression)],
  flags: [9, flagSet(be32, { invert: 1, expression: 2 })],
  expressions: [10, list(1, nested(statefulExpression))],
})

/** `dynset('update', 'seen', { key: 1, timeout: 60_000n })` */
export function dynset(
  operation: 'add' | 'update' | 'delete',
  set: string,
  { key, timeout }: { readonly key: number; readonly timeout?: bigint | undefined },
) {
  return {
    name: 'dynset',
    data: { key, operation, ...(timeout === undefined ? {} : { timeout }), set },
  } as const
}
