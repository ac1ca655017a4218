// Filters that every packet matches: include/uapi/linux/pkt_cls.h
import { attributes } from '../../../wire/attributes.ts'
import { bytes, flagSet, u32 } from '../../../wire/codec.ts'
import { actions } from '../action.ts'

/** TCA_MATCHALL_* */
export const matchall = attributes({
  class: [1, u32],
  actions: [2, actions],
  flags: [3, flagSet(u32, { skip_hw: 1, skip_sw: 2, in_hw: 4, not_in_hw: 8, verbose: 16 })],
  counters: [4, bytes],
})
