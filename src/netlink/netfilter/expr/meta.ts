// meta: what the kernel knows of a packet beside its bytes, such as its interfaces.
import { attributes } from '../../../wire/attributes.ts'
import { be32, enumeration } from '../../../wire/codec.ts'
import { register } from '../data.ts'

/** enum nft_meta_keys */
const KEYS = {
  length: 0,
  protocol: 1,
  priority: 2,
  mark: 3,
  iif: 4,
  oif: 5,
  iifname: 6,
  oifname: 7,
  iiftype: 8,
  oiftype: 9,
  skuid: 10,
  skgid: 11,
  nftrace: 12,
  rtclassid: 13,
  secmark: 14,
  nfproto: 15,
  l4proto: 16,
  ibrname: 17,
  obrname: 18,
  pkttype: 19,
  cpu: 20,
  iifgroup: 21,
  oifgroup: 22,
  cgroup: 23,
  random: 24,
  secpath: 25,
  iifkind: 26,
  oifkind: 27,
  ibrpvid: 28,
  ibrvproto: 29,
  time: 30,
  day: 31,
  hour: 32,
  sdif: 33,
  sdifname: 34,
} as const
export type MetaKey = keyof typeof KEYS

/** NFTA_META_* */
export const metaAttributes = attributes({
  dreg: [1, register],
  key: [2, enumeration(be32, KEYS)],
  sreg: [3, register],
})

export const meta = {
  /** `meta.load('iifname', 1)` */
  load: (key: MetaKey, register: number) => ({ name: 'meta', data: { key, dreg: register } }) as const,
  /** Sets `mark`, `priority`, `nftrace`, `pkttype`, `secmark` from a register. */
  set: (key: MetaKey, register: number) => ({ name: 'meta', data: { key, sreg: register } }) as const,
}
