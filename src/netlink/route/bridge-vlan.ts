// VLANs of bridges and their ports: RTM_SETLINK and RTM_DELLINK of the family AF_BRIDGE, include/uapi/linux/if_bridge.h
import { attributes, many, nested } from '../../wire/attributes.ts'
import { flagSet, i32, mac, string, u16, u32 } from '../../wire/codec.ts'
import { message, type RequestOf, type ValueOfMessage } from '../../wire/message.ts'
import { struct } from '../../wire/struct.ts'
import { bridgePort } from './kinds/bridge.ts'
import { extendedMask, ifinfomsg, operstate } from './link-attributes.ts'

/** struct bridge_vlan_info { __u16 flags; __u16 vid; } with BRIDGE_VLAN_INFO_* */
const vlanInfo = struct({
  flags: flagSet(u16, {
    master: 0x01,
    /** Untagged frames that come in belong to this VLAN. */
    pvid: 0x02,
    /** Frames leave without a tag. */
    untagged: 0x04,
    range_begin: 0x08,
    range_end: 0x10,
    brentry: 0x20,
    only_opts: 0x40,
  }),
  vid: u16,
})
export type VlanInfo = ReturnType<typeof vlanInfo.decode>

/** IFLA_BRIDGE_* */
const bridgeAfSpec = attributes({
  /** `self` for the bridge's own VLANs, `master` (the default) for those of a port. */
  flags: [0, flagSet(u16, { master: 1, self: 2 })],
  mode: [1, u16],
  vlans: [2, many(vlanInfo)],
})

/** What a message about a link says in the family AF_BRIDGE. */
const bridgeLink = attributes({
  address: [1, mac],
  name: [3, string],
  mtu: [4, u32],
  link: [5, i32],
  master: [10, u32],
  port: [12, nested(bridgePort)],
  operstate: [16, operstate],
  afSpec: [26, bridgeAfSpec],
  extendedMask: [29, extendedMask],
})

export const newBridgeLink = message('RTM_NEWLINK', 16, ifinfomsg, bridgeLink)
export const deleteBridgeLink = message('RTM_DELLINK', 17, ifinfomsg, bridgeLink)
export const getBridgeLink = message('RTM_GETLINK', 18, ifinfomsg, bridgeLink)
export const setBridgeLink = message('RTM_SETLINK', 19, ifinfomsg, bridgeLink)

export type BridgeLink = ValueOfMessage<typeof newBridgeLink>
export type BridgeLinkRequest = RequestOf<typeof newBridgeLink>

/** The VLANs `from` to `to`, both included; `to` left out: one VLAN. */
export interface VlanRange {
  readonly from: number
  readonly to?: number | undefined
  readonly pvid?: boolean | undefined
  readonly untagged?: boolean | undefined
}

/** Ranges as the wire has them: one entry for each VLAN, two for each longer range. */
export function vlanInfos(ranges: readonly VlanRange[]): VlanInfo[] {
  return ranges.flatMap(({ from, to = from, pvid = false, untagged = false }) => {
    const flags = [...(pvid ? (['pvid'] as const) : []), ...(untagged ? (['untagged'] as const) : [])]
    if (from === to) return [{ flags: new Set(flags), vid: from }]
    return [
      { flags: new Set([...flags, 'range_begin'] as const), vid: from },
      { flags: new Set([...flags, 'range_end'] as const), vid: to },
    ]
  })
}

/** The ranges in the kernel's answer, as long as they can be, whether or not it was asked to compress them. */
export function vlanRanges(infos: readonly VlanInfo[]): VlanRange[] {
  const ranges: Required<VlanRange>[] = []
  let begin: number | undefined
  for (const { flags, vid } of infos) {
    if (flags.has('range_begin')) {
      begin = vid
      continue
    }
    const range = { from: begin ?? vid, to: vid, pvid: flags.has('pvid'), untagged: flags.has('untagged') }
    const last = ranges.at(-1)
    if (last !== undefined && continues(last, range))
      ranges[ranges.length - 1] = { ...range, from: last.from }
    else ranges.push(range)
    begin = undefined
  }
  return ranges
}

function continues(last: Required<VlanRange>, next: Required<VlanRange>): boolean {
  return last.to === next.from - 1 && last.untagged === next.untagged && !last.pvid && !next.pvid
}
