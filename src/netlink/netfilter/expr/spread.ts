// hash and numgen: numbers below a modulus, to spread connections over targets.
import { attributes } from '../../../wire/attributes.ts'
import { be32, enumeration } from '../../../wire/codec.ts'
import { register } from '../data.ts'

/** NFTA_HASH_* */
export const hashAttributes = attributes({
  sreg: [1, register],
  dreg: [2, register],
  length: [3, be32],
  modulus: [4, be32],
  seed: [5, be32],
  offset: [6, be32],
  type: [7, enumeration(be32, { jhash: 0, symhash: 1 })],
})

/** NFTA_NG_* */
export const numgenAttributes = attributes({
  dreg: [1, register],
  modulus: [2, be32],
  type: [3, enumeration(be32, { incremental: 0, random: 1 })],
  offset: [4, be32],
})

/** Of `length` bytes that begin in the register `from`. Without a seed the kernel chooses one. */
export function jhash(spec: {
  readonly from: number
  readonly length: number
  readonly into: number
  readonly modulus: number
  readonly seed?: number | undefined
}) {
  const { from, length, into, modulus, seed } = spec
  const seeded = seed === undefined ? {} : { seed }
  return {
    name: 'hash',
    data: { sreg: from, dreg: into, length, modulus, ...seeded, type: 'jhash' },
  } as const
}

export function numgen(type: 'incremental' | 'random', modulus: number, into: number) {
  return { name: 'numgen', data: { dreg: into, modulus, type, offset: 0 } } as const
}
