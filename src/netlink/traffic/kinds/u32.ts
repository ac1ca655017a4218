// Filters that compare words of a packet: include/uapi/linux/pkt_cls.h
import { attributes } from '../../../wire/attributes.ts'
import type { Reader, Writer } from '../../../wire/bytes.ts'
import { be16, be32, bytes, type Codec, flagSet, i32, string, u16, u32, u8 } from '../../../wire/codec.ts'
import { pad, struct } from '../../../wire/struct.ts'
import { actions } from '../action.ts'

/** struct tc_u32_sel without its keys */
const head = struct({
  flags: flagSet(u8, { terminal: 1, offset: 2, varoffset: 4, eat: 8 }),
  offsetShift: u8,
  keyCount: u8,
  padding: pad(1),
  offsetMask: be16,
  offset: u16,
  offsetOffset: u16,
  hashOffset: u16,
  hashMask: be32,
})

/** struct tc_u32_key: the word at `offset`, under `mask`, is `value`. A mask of 0 matches everything. */
const key = struct({ mask: be32, value: be32, offset: i32, offsetMask: i32 })

type Head = Omit<ReturnType<typeof head.decode>, 'keyCount'>
type Key = ReturnType<typeof key.decode>
export type Selector = Partial<Head> & { readonly keys: readonly Key[] }

/** struct tc_u32_sel */
const selector: Codec<Selector> = {
  encode(out: Writer, { keys, ...rest }) {
    head.encode(out, { ...rest, keyCount: keys.length })
    for (const each of keys) key.encode(out, each)
  },
  decode(input: Reader) {
    const { keyCount, ...rest } = head.decode(input)
    return { ...rest, keys: Array.from({ length: keyCount }, () => key.decode(input)) }
  },
}

/** TCA_U32_* */
export const u32Filter = attributes({
  class: [1, u32],
  hash: [2, u32],
  link: [3, u32],
  divisor: [4, u32],
  selector: [5, selector],
  police: [6, bytes],
  actions: [7, actions],
  inputName: [8, string],
  counters: [9, bytes],
  mark: [10, bytes],
  flags: [11, flagSet(u32, { skip_hw: 1, skip_sw: 2, in_hw: 4, not_in_hw: 8, verbose: 16 })],
})
