// lookup: goes on with the rule only where a register's value is in a set; a map's value goes into another register.
import { attributes } from '../../../wire/attributes.ts'
import { be32, flagSet, string } from '../../../wire/codec.ts'
import { register, VERDICT } from '../data.ts'

/** NFTA_LOOKUP_* */
export const lookupAttributes = attributes({
  set: [1, string],
  sreg: [2, register],
  dreg: [3, register],
  /** Names a set that the same batch makes, where it has no name yet. */
  setId: [4, be32],
  flags: [5, flagSet(be32, { invert: 1 })],
})

const INVERT = new Set(['invert'] as const)

export const lookup = {
  /** `... @set` */
  in: (register: number, set: string) => ({ name: 'lookup', data: { sreg: register, set } }) as const,
  /** `... != @set` */
  notIn: (register: number, set: string) =>
    ({ name: 'lookup', data: { sreg: register, set, flags: INVERT } }) as const,
  /** `... map @set`: its value goes into `into`. */
  map: (register: number, set: string, into: number) =>
    ({ name: 'lookup', data: { sreg: register, dreg: into, set } }) as const,
  /** `... vmap @set`: its value is the verdict. */
  vmap: (register: number, set: string) =>
    ({ name: 'lookup', data: { sreg: register, dreg: VERDICT, set } }) as const,
}
