// Links that share the MAC of another link: IFLA_IPVLAN_*, include/uapi/linux/if_link.h
import { attributes } from '../../../wire/attributes.ts'
import { enumeration, flagSet, u16 } from '../../../wire/codec.ts'

export const ipvlan = attributes({
  mode: [1, enumeration(u16, { l2: 0, l3: 1, l3s: 2 })],
  flags: [2, flagSet(u16, { private: 1, vepa: 2 })],
})
