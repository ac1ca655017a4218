// objref: counts with an object that has a name of its own.
import { attributes } from '../../../wire/attributes.ts'
import { be32, type Codec, string } from '../../../wire/codec.ts'
import { register } from '../data.ts'
import { objectType } from '../object-type.ts'

/** nft leaves out the NUL here, and here alone. */
const name: Codec<string> = {
  encode: (out, value) => out.write(new TextEncoder().encode(value)),
  decode: string.decode,
}

/** NFTA_OBJREF_* */
export const objrefAttributes = attributes({
  type: [1, objectType],
  name: [2, name],
  sreg: [3, register],
  /** A map whose values are objects. */
  set: [4, string],
  setId: [5, be32],
})

export function objref(type: 'counter' | 'quota' | 'limit', name: string) {
  return { name: 'objref', data: { type, name } } as const
}
