// What a link does in place of the kernel, as `ethtool -k` shows it.
//
//   node examples/netlink/features.ts [NAME]
import { genl, NETLINK_GENERIC, NetlinkSocket } from 'tnet/netlink'

const [, , name = 'lo'] = process.argv
using socket = new NetlinkSocket(NETLINK_GENERIC)
const { id } = await genl.familyOf(socket, genl.ETHTOOL)
const { getFeatures, getFeaturesReply } = genl.ethtoolMessages(id)
const { hardware, active, fixed } = await socket.get(getFeatures, { header: { name } }, getFeaturesReply)

const on = new Set(active?.bits?.map(bit => bit.name))
const never = new Set(fixed?.bits?.map(bit => bit.name))
for (const { name: feature = '', value: changeable = false } of hardware?.bits ?? []) {
  if (feature === '') continue
  const mark = changeable && !never.has(feature) ? '' : ' [fixed]'
  console.log(`${feature}: ${on.has(feature) ? 'on' : 'off'}${mark}`)
}
