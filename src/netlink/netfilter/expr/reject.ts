// reject: drops the packet and tells its sender.
import { attributes } from '../../../wire/attributes.ts'
import { be32, enumeration, u8 } from '../../../wire/codec.ts'

/** NFTA_REJECT_* */
export const rejectAttributes = attributes({
  /** `icmpx` means ICMP or ICMPv6 by the packet, with the codes of enum nft_reject_inet_code. */
  type: [1, enumeration(be32, { icmp: 0, tcpReset: 1, icmpx: 2 })],
  icmpCode: [2, u8],
})

export const icmpx = { noRoute: 0, portUnreachable: 1, hostUnreachable: 2, adminProhibited: 3 } as const

export const reject = {
  with: (code: keyof typeof icmpx) =>
    ({ name: 'reject', data: { type: 'icmpx', icmpCode: icmpx[code] } }) as const,
  tcpReset: () => ({ name: 'reject', data: { type: 'tcpReset', icmpCode: 0 } }) as const,
}
