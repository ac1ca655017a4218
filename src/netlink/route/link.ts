// Links: RTM_NEWLINK and its kin. What differs between kinds is a row of `kinds`.
import { attributes, by } from '../../wire/attributes.ts'
import { bytes, string } from '../../wire/codec.ts'
import { message, type RequestOf, type ValueOfMessage } from '../../wire/message.ts'
import { bridge, bridgePort } from './kinds/bridge.ts'
import { ipvlan } from './kinds/ipvlan.ts'
import { macvlan } from './kinds/macvlan.ts'
import { dummy, ifb } from './kinds/plain.ts'
import { tun } from './kinds/tun.ts'
import { veth } from './kinds/veth.ts'
import { vlan } from './kinds/vlan.ts'
import { vrf, vrfPort } from './kinds/vrf.ts'
import { vxlan } from './kinds/vxlan.ts'
import { commonRows, ifinfomsg } from './link-attributes.ts'

export const linkKinds = { bridge, dummy, ifb, ipvlan, macvlan, tun, veth, vlan, vrf, vxlan }
/** What a link has as the port of a bridge or a VRF. */
export const portKinds = { bridge: bridgePort, vrf: vrfPort }

/** IFLA_INFO_* */
const linkInfo = attributes({
  kind: [1, string],
  data: [2, by('kind', linkKinds)],
  statistics: [3, bytes],
  portKind: [4, string],
  portData: [5, by('portKind', portKinds)],
})

const link = attributes({ ...commonRows, linkInfo: [18, linkInfo] })

export const newLink = message('RTM_NEWLINK', 16, ifinfomsg, link)
export const deleteLink = message('RTM_DELLINK', 17, ifinfomsg, link)
export const getLink = message('RTM_GETLINK', 18, ifinfomsg, link)
export const setLink = message('RTM_SETLINK', 19, ifinfomsg, link)
export const newLinkProperty = message('RTM_NEWLINKPROP', 108, ifinfomsg, link)
export const deleteLinkProperty = message('RTM_DELLINKPROP', 109, ifinfomsg, link)

/** A link as the kernel shows it. */
export type Link = ValueOfMessage<typeof newLink>
export type LinkRequest = RequestOf<typeof newLink>
