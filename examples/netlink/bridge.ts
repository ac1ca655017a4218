// Makes a bridge and connects another namespace to it, with one batch of requests for each namespace.
//
//   ip netns add sandbox
//   node examples/netlink/bridge.ts /run/netns/sandbox      as root, best in a namespace of its own
import { closeSync, openSync } from 'node:fs'
import {
  AF_INET,
  getLink,
  NETLINK_ROUTE,
  NetlinkSocket,
  newAddress,
  newLink,
  newRoute,
  NLM_F_CREATE,
  NLM_F_EXCL,
  request,
  RT_TABLE_MAIN,
} from 'tnet/netlink'

const NEW = NLM_F_CREATE | NLM_F_EXCL
const up = { flags: new Set(['up'] as const), change: new Set(['up'] as const) }
const address = (index: number, local: string) => ({
  family: AF_INET,
  index,
  prefixLength: 24,
  local,
  address: local,
})

const sandbox = openSync(process.argv[2] ?? '', 'r')
try {
  using host = new NetlinkSocket(NETLINK_ROUTE)
  await host.request(
    newLink,
    { name: 'demo0', ...up, linkInfo: { kind: 'bridge', data: { stpState: 0 } } },
    NEW,
  )
  const bridge = await host.get(getLink, { name: 'demo0' }, newLink)

  // The other end of the pair is made right in the other namespace.
  const peer = { name: 'eth0', netnsFd: sandbox }
  await host.batch([
    request(newAddress, address(bridge.index, '10.99.0.1'), NEW),
    request(
      newLink,
      { name: 'demo1', master: bridge.index, linkInfo: { kind: 'veth', data: { peer } } },
      NEW,
    ),
    request(newLink, { name: 'demo1', ...up }),
  ])

  // A socket stays in the namespace that it was made for.
  using inside = new NetlinkSocket(NETLINK_ROUTE, { netns: sandbox })
  const { index } = await inside.get(getLink, { name: 'eth0' }, newLink)
  await inside.batch([
    request(newAddress, address(index, '10.99.0.2'), NEW),
    request(newLink, { index, ...up }),
    request(
      newRoute,
      { family: AF_INET, type: 'unicast', protocol: 'static', table: RT_TABLE_MAIN, gateway: '10.99.0.1' },
      NEW,
    ),
  ])
  console.log(`10.99.0.1 on demo0, 10.99.0.2 in ${process.argv[2]}`)
} finally {
  closeSync(sandbox)
}
