// What a filter does with the packets that it matches: include/uapi/linux/pkt_cls.h, tc_act/tc_mirred.h
import { attributes, by, nested, numbered } from '../../wire/attributes.ts'
import { bytes, enumeration, i32, string, u32 } from '../../wire/codec.ts'
import { struct } from '../../wire/struct.ts'

/** TC_ACT_*: what becomes of the packet. */
const verdict = enumeration(i32, {
  unspec: -1,
  ok: 0,
  reclassify: 1,
  shot: 2,
  pipe: 3,
  stolen: 4,
  queued: 5,
  repeat: 6,
  redirect: 7,
  trap: 8,
})

/** struct tc_mirred */
const mirredParameters = struct({
  index: u32,
  capabilities: u32,
  action: verdict,
  references: i32,
  bindings: i32,
  /** TCA_EGRESS_REDIR and its like: as sent or as received by the other link, in place of or beside its own way. */
  direction: enumeration(i32, {
    egress_redirect: 1,
    egress_mirror: 2,
    ingress_redirect: 3,
    ingress_mirror: 4,
  }),
  /** The index of the other link; 0 where that is gone. */
  link: u32,
})

/** TCA_MIRRED_* */
const mirred = nested(attributes({ times: [1, bytes], parameters: [2, mirredParameters] }))

export const actionKinds = { mirred }

/** TCA_ACT_* */
const action = attributes({
  kind: [1, string],
  options: [2, by('kind', actionKinds)],
  index: [3, u32],
  statistics: [4, bytes],
  /** Up to 16 bytes that say to who made it what it is. */
  cookie: [6, bytes],
  flags: [7, bytes],
  hardwareStatistics: [8, bytes],
  usedHardwareStatistics: [9, bytes],
  inHardwareCount: [10, u32],
})

/** One after the other, in the order of the list. The nests around carry no flag, as tc sends them. */
export const actions = (() => {
  const { encode, decode, locate } = numbered(action)
  return { encode, decode, ...(locate === undefined ? {} : { locate }) }
})()
