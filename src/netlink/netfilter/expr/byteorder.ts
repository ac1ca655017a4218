// byteorder: between the byte order of the machine and that of the network.
import { attributes } from '../../../wire/attributes.ts'
import { be32, enumeration } from '../../../wire/codec.ts'
import { register } from '../data.ts'

/** NFTA_BYTEORDER_* */
export const byteorderAttributes = attributes({
  sreg: [1, register],
  dreg: [2, register],
  operation: [3, enumeration(be32, { ntoh: 0, hton: 1 })],
  length: [4, be32],
  /** Of each number: 2, 4 or 8 bytes. */
  size: [5, be32],
})

export const byteorder = {
  hton: (register: number, size: 2 | 4 | 8) =>
    ({
      name: 'byteorder',
      data: { sreg: register, dreg: register, operation: 'hton', length: size, size },
    }) as const,
  ntoh: (register: number, size: 2 | 4 | 8) =>
    ({
      name: 'byteorder',
      data: { sreg: register, dreg: register, operation: 'ntoh', length: size, size },
    }) as const,
}
