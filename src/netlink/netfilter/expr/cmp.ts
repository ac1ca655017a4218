// cmp: goes on with the rule only where a register compares to a constant.
import { attributes, nested } from '../../../wire/attributes.ts'
import { be32, enumeration } from '../../../wire/codec.ts'
import { data, register } from '../data.ts'

const OPERATORS = { '==': 0, '!=': 1, '<': 2, '<=': 3, '>': 4, '>=': 5 } as const
export type Operator = keyof typeof OPERATORS

/** NFTA_CMP_* */
export const cmpAttributes = attributes({
  sreg: [1, register],
  operator: [2, enumeration(be32, OPERATORS)],
  data: [3, nested(data)],
})

/** `cmp(1, '==', bytes)`. More and less are by the bytes in network order. */
export function cmp(register: number, operator: Operator, value: Uint8Array) {
  return { name: 'cmp', data: { sreg: register, operator, data: { value } } } as const
}
