// What registers hold and elements map to: bytes, or a verdict on the packet.
import { attributes, nested } from '../../wire/attributes.ts'
import { be32, bytes, enumeration, string, type ValueOf } from '../../wire/codec.ts'

/** NF_*, include/uapi/linux/netfilter.h, and enum nft_verdicts */
const verdictCode = enumeration(be32, {
  drop: 0,
  accept: 1,
  stolen: 2,
  queue: 3,
  repeat: 4,
  continue: 0xffffffff,
  break: 0xfffffffe,
  jump: 0xfffffffd,
  goto: 0xfffffffc,
  return: 0xfffffffb,
})

/** NFTA_DATA_* and NFTA_VERDICT_* */
export const data = attributes({
  value: [1, bytes],
  verdict: [2, nested(attributes({ code: [1, verdictCode], chain: [2, string], chainId: [3, be32] }))],
})
export type Data = ValueOf<typeof data>

export type VerdictName = 'drop' | 'accept' | 'continue' | 'return' | 'jump' | 'goto'

/** `verdict('drop')`, `verdict('jump', 'forward')` */
export function verdict(code: VerdictName, chain?: string): Data {
  return { verdict: chain === undefined ? { code } : { code, chain } }
}

export function value(bytes: Uint8Array): Data {
  return { value: bytes }
}

/**
 * A number of enum nft_registers. 1 to 4 are of 16 bytes each; 8 to 23 are the same space in 4 bytes each, so that
 * 8 to 11 are the parts of 1.
 */
export const register = be32
export const VERDICT = 0
