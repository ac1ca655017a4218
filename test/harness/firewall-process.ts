// A process that adds and removes masquerading in the namespace it runs in, for tests of several at once.
//
//   node test/harness/firewall-process.ts NAME COUNT
import { Firewall } from '../../src/net/firewall.ts'
import { NETLINK_NETFILTER, NetlinkSocket } from '../../src/netlink/socket.ts'

const [name = '', count = '0'] = process.argv.slice(2)
using firewall = new Firewall(() => new NetlinkSocket(NETLINK_NETFILTER))
for (let index = 0; index < Number(count); index++) {
  const owner = { network: 'web', containerId: `${name}${index}`, ifname: 'eth0' }
  const address = `10.${name.charCodeAt(0)}.${index}.3`
  // every process makes subnets of its own lengths, so that each has rules to write again and again
  await firewall.masquerade(owner, [{ address: `${address}/${16 + (index % 8)}` }])
  if (index % 2 === 1) await firewall.unmasquerade(owner, [`${address}/${16 + (index % 8)}`])
}
