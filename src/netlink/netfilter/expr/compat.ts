// match and target: extensions of iptables inside nf_tables rules, as iptables-nft writes them.
import { attributes } from '../../../wire/attributes.ts'
import { be32, bytes, encode, string, u16 } from '../../../wire/codec.ts'
import { Reader } from '../../../wire/bytes.ts'

/** NFTA_MATCH_* and NFTA_TARGET_*, include/uapi/linux/netfilter/nf_tables_compat.h. `info` is the extension's C struct. */
const extension = attributes({ name: [1, string], revision: [2, be32], info: [3, bytes] })
export const matchAttributes = extension
export const targetAttributes = extension

/** struct xt_comment_info { char comment[XT_MAX_COMMENT_LEN]; } */
const COMMENT_BYTES = 256

/**
 * struct xt_conntrack_mtinfo3, include/uapi/linux/netfilter/xt_conntrack.h, of 164 bytes, aligned to 8. Before
 * match_flags stand addresses and ports, which count for nothing where no flag names them.
 */
const CONNTRACK = { bytes: 168, matchFlags: 146, invertFlags: 148, stateMask: 150 } as const
/** XT_CONNTRACK_STATE */
const OF_STATE = 1

/** XT_CONNTRACK_STATE_BIT() of enum ip_conntrack_info */
const STATES = { INVALID: 1, ESTABLISHED: 2, RELATED: 4, NEW: 8 } as const
export type ConntrackState = keyof typeof STATES

export const match = {
  /** `-m comment --comment text` */
  comment(text: string) {
    const info = new Uint8Array(COMMENT_BYTES)
    const octets = new TextEncoder().encode(text)
    if (octets.length >= COMMENT_BYTES) throw new RangeError(`comment ${text}: at most 255 bytes fit`)
    info.set(octets)
    return { name: 'match', data: { name: 'comment', revision: 0, info } } as const
  },
  /** `-m conntrack --ctstate RELATED,ESTABLISHED` */
  conntrack(states: readonly ConntrackState[]) {
    const info = new Uint8Array(CONNTRACK.bytes)
    info.set(encode(u16, OF_STATE), CONNTRACK.matchFlags)
    info.set(
      encode(
        u16,
        states.reduce((mask, state) => mask | STATES[state], 0),
      ),
      CONNTRACK.stateMask,
    )
    return { name: 'match', data: { name: 'conntrack', revision: 3, info } } as const
  },
}

/** The text of a match made by `match.comment`. */
export function commentOf(info: Uint8Array): string {
  return string.decode(new Reader(info))
}
