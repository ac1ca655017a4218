// Routing domains: IFLA_VRF_*, include/uapi/linux/if_link.h
import { attributes } from '../../../wire/attributes.ts'
import { u32 } from '../../../wire/codec.ts'

/** The table that the links of the domain are routed by. */
export const vrf = attributes({ table: [1, u32] })
export const vrfPort = attributes({ table: [1, u32] })
