// ct: what connection tracking knows of a packet.
import { attributes } from '../../../wire/attributes.ts'
import { be32, enumeration, u8 } from '../../../wire/codec.ts'
import { register } from '../data.ts'

/** enum nft_ct_keys */
const KEYS = {
  state: 0,
  direction: 1,
  status: 2,
  mark: 3,
  secmark: 4,
  expiration: 5,
  helper: 6,
  l3protocol: 7,
  src: 8,
  dst: 9,
  protocol: 10,
  protoSrc: 11,
  protoDst: 12,
  labels: 13,
  packets: 14,
  bytes: 15,
  averagePacket: 16,
  zone: 17,
  eventMask: 18,
  srcIp: 19,
  dstIp: 20,
  srcIp6: 21,
  dstIp6: 22,
  id: 23,
} as const
export type CtKey = keyof typeof KEYS

/** NFTA_CT_* */
export const ctAttributes = attributes({
  dreg: [1, register],
  key: [2, enumeration(be32, KEYS)],
  direction: [3, enumeration(u8, { original: 0, reply: 1 })],
  sreg: [4, register],
})

/** The bits of `state`: of a 32-bit number in the byte order of the machine. */
export const ctState = { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 } as const

/** The bits of `status`, IPS_*: the same kind of number. */
export const ctStatus = { expected: 1, seenReply: 2, assured: 4, confirmed: 8, snat: 16, dnat: 32 } as const

export const ct = {
  /** `ct.load('state', 1)`; keys that differ between the two directions need `direction`. */
  load: (key: CtKey, register: number, direction?: 'original' | 'reply') =>
    ({
      name: 'ct',
      data: { key, dreg: register, ...(direction === undefined ? {} : { direction }) },
    }) as const,
  set: (key: CtKey, register: number) => ({ name: 'ct', data: { key, sreg: register } }) as const,
}
