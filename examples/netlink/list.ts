// Lists the links of this namespace with their addresses.
//
//   node examples/netlink/list.ts
import { getAddress, getLink, NETLINK_ROUTE, NetlinkSocket, newAddress, newLink } from 'tnet/netlink'

using socket = new NetlinkSocket(NETLINK_ROUTE)
const links = await socket.dump(getLink, {}, newLink)
const addresses = await socket.dump(getAddress, {}, newAddress)

for (const { index, name, operstate, mtu, linkInfo } of links) {
  console.log(`${index}: ${name} ${linkInfo?.kind ?? ''} ${operstate} mtu ${mtu}`)
  for (const { local, address, prefixLength, flags } of addresses.filter(each => each.index === index)) {
    console.log(`    ${local ?? address}/${prefixLength} ${[...(flags ?? [])].join(' ')}`)
  }
}
