// Kinds without options of their own: dummy, ifb.
import { attributes } from '../../../wire/attributes.ts'

export const dummy = attributes({})
export const ifb = attributes({})
