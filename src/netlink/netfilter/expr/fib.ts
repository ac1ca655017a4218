// fib: asks the routing table about the packet.
import { attributes } from '../../../wire/attributes.ts'
import { be32, enumeration, flagSet } from '../../../wire/codec.ts'
import { register } from '../data.ts'

const RESULTS = { oif: 1, oifname: 2, type: 3 } as const
const FLAGS = { saddr: 1, daddr: 2, mark: 4, iif: 8, oif: 16, present: 32 } as const

/** NFTA_FIB_* */
export const fibAttributes = attributes({
  dreg: [1, register],
  result: [2, enumeration(be32, RESULTS)],
  flags: [3, flagSet(be32, FLAGS)],
})

/** RTN_*, include/uapi/linux/rtnetlink.h: what `type` answers, a 32-bit number in the byte order of the machine. */
export const addressTypes = { unicast: 1, local: 2, broadcast: 3, anycast: 4, multicast: 5 } as const

/** `fib(['daddr'], 'type', 1)` */
export function fib(flags: readonly (keyof typeof FLAGS)[], result: keyof typeof RESULTS, register: number) {
  return { name: 'fib', data: { flags: new Set(flags), result, dreg: register } } as const
}
