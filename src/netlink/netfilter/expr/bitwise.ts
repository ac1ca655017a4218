// bitwise: (register & mask) ^ xor, and shifts.
import { attributes, nested } from '../../../wire/attributes.ts'
import { be32, enumeration } from '../../../wire/codec.ts'
import { data, register } from '../data.ts'

/** NFTA_BITWISE_* */
export const bitwiseAttributes = attributes({
  sreg: [1, register],
  dreg: [2, register],
  length: [3, be32],
  mask: [4, nested(data)],
  xor: [5, nested(data)],
  operation: [6, enumeration(be32, { 'mask-xor': 0, '<<': 1, '>>': 2 })],
  /** The number of bits to shift by. */
  data: [7, nested(data)],
})

export const bitwise = {
  /** `register & mask` */
  and: (register: number, mask: Uint8Array) =>
    ({
      name: 'bitwise',
      data: {
        sreg: register,
        dreg: register,
        length: mask.length,
        mask: { value: mask },
        xor: { value: new Uint8Array(mask.length) },
      },
    }) as const,
}
