// range: goes on with the rule only where a register is, or is not, between two constants, both included.
import { attributes, nested } from '../../../wire/attributes.ts'
import { be32, enumeration } from '../../../wire/codec.ts'
import { data, register } from '../data.ts'

const OPERATORS = { '==': 0, '!=': 1 } as const

/** NFTA_RANGE_* */
export const rangeAttributes = attributes({
  sreg: [1, register],
  operator: [2, enumeration(be32, OPERATORS)],
  from: [3, nested(data)],
  to: [4, nested(data)],
})

/** `range(1, '==', { from, to })` */
export function range(
  register: number,
  operator: keyof typeof OPERATORS,
  { from, to }: { readonly from: Uint8Array; readonly to: Uint8Array },
) {
  return {
    name: 'range',
    data: { sreg: register, operator, from: { value: from }, to: { value: to } },
  } as const
}
