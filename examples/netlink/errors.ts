// What the kernel refuses, and how it says so.
//
//   node examples/netlink/errors.ts      as root, best in a namespace of its own
import {
  AF_INET,
  deleteLink,
  NETLINK_ROUTE,
  NetlinkError,
  NetlinkSocket,
  newLink,
  newRoute,
  NLM_F_CREATE,
  NLM_F_EXCL,
  request,
} from 'tnet/netlink'

using socket = new NetlinkSocket(NETLINK_ROUTE)

try {
  const route = { family: AF_INET, type: 'unicast', gateway: '192.0.2.1' } as const
  await socket.request(newRoute, route, NLM_F_CREATE | NLM_F_EXCL)
} catch (error) {
  if (!(error instanceof NetlinkError)) throw error
  console.log(`${error.request}: ${error.code}: ${error.kernelMessage}`)
}

// The attribute that it points to, by the names of the tables.
const wrong = { name: 'x', linkInfo: { kind: 'vxlan', data: { id: 1 << 24, port: 4789 } } }
const [error] = await socket.attempt([request(newLink, wrong, NLM_F_CREATE)])
console.log(`${error?.code}: ${error?.attribute ?? error?.kernelMessage}`)

// In a batch each request has its own result; what is absent is fine where it was to go anyway.
const results = await socket.attempt(['none0', 'none1'].map(name => request(deleteLink, { name })))
for (const refused of results) if (refused !== undefined && refused.code !== 'ENODEV') throw refused
console.log('none0 and none1 are gone')
