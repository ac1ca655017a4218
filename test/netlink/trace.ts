import t from 'tap'
import { NETLINK_GENERIC, NETLINK_NETFILTER, NETLINK_ROUTE } from '../../src/netlink/descriptor.ts'
import { familyOf } from '../../src/netlink/generic/controller.ts'
import { ETHTOOL, ethtoolMessages } from '../../src/netlink/generic/ethtool.ts'
import { newAddress } from '../../src/netlink/route/address.ts'
import { getBridgeLink, newBridgeLink } from '../../src/netlink/route/bridge-vlan.ts'
import { getLink, newLink } from '../../src/netlink/route/link.ts'
import { NetlinkSocket } from '../../src/netlink/socket.ts'
import { tracer } from '../../src/netlink/trace.ts'
import { attributes } from '../../src/wire/attributes.ts'
import { Writer } from '../../src/wire/bytes.ts'
import { u32 } from '../../src/wire/codec.ts'
import { message, type MessageType, writeMessage } from '../../src/wire/message.ts'
import { struct } from '../../src/wire/struct.ts'
import { isolated } from '../harness/namespaces.ts'
import { addBridge, addPair, NEW, scene } from '../harness/netlink.ts'

isolated(import.meta)

/** A trace, and the first lines of what it wrote. */
function recorder(...more: Parameters<typeof tracer>[1] & object) {
  const texts: string[] = []
  return {
    texts,
    heads: () => texts.map(text => text.split('\n')[0]),
    trace: tracer(text => texts.push(text), more),
  }
}

function datagram<H, B>(type: MessageType<H, B>, value: Partial<H> & B, flags = 1, sequence = 7): Uint8Array {
  const out = new Writer()
  writeMessage(out, type, { flags, sequence, value })
  return out.written()
}

t.test('requests and answers of a real socket', async t => {
  const { fd } = await scene(t)
  const { texts, heads, trace } = recorder()
  using socket = new NetlinkSocket(NETLINK_ROUTE, { netns: fd, trace })
  const address = { family: 2, index: 1, prefixLength: 24, local: '10.1.2.3', address: '10.1.2.3' }
  await socket.request(newAddress, address, NEW)
  await socket.attempt([{ type: newLink, value: { name: 'x', linkInfo: { kind: 'nothing' } }, flags: NEW }])
  t.same(heads(), [
    '-> RTM_NEWADDR #1 request ack excl create',
    '<- RTM_NEWADDR #1 acknowledged',
    '-> RTM_NEWLINK #2 request ack excl create',
    '<- RTM_NEWLINK #2 refused: EOPNOTSUPP, "Unknown device type"',
  ])
  t.match(texts[0], '\n     prefixLength 24\n')
  t.match(texts[0], '\n     local 10.1.2.3\n')
})

t.test('a refusal names the attribute, a dump its end', async t => {
  const { fd } = await scene(t)
  const { texts, heads, trace } = recorder()
  using socket = new NetlinkSocket(NETLINK_ROUTE, { netns: fd, trace })
  const unknown = [{ type: 4, payload: Uint8Array.of(1) }] // an MTU of one byte
  await t.rejects(socket.request(newLink, { name: 'x', unknown }, NEW), { attribute: 'mtu', code: 'ERANGE' })
  t.match(texts.at(-1), / at mtu\n$/)
  await socket.dump(getLink, {}, newLink)
  t.equal(heads().at(-1), '<- RTM_GETLINK #2 done')
  t.ok(heads().includes('-> RTM_GETLINK #2 request dump'))
  t.ok(heads().includes('<- RTM_NEWLINK #2 multi'))
})

t.test('links of the family AF_BRIDGE have a table of their own', async t => {
  const { fd, socket: quiet } = await scene(t)
  const master = await addBridge(quiet)
  await quiet.request(newLink, { index: await addPair(quiet), master })
  const { texts, trace } = recorder()
  using socket = new NetlinkSocket(NETLINK_ROUTE, { netns: fd, trace })
  await socket.dump(getBridgeLink, { family: 7 }, newBridgeLink)
  t.ok(texts.some(text => /\n {5}port\n {7}state /.test(text)))
})

t.test('the same number is another message in another protocol', t => {
  const { heads, trace } = recorder()
  const bytes = datagram(newLink, { name: 'x' })
  trace('send', bytes, NETLINK_ROUTE)
  trace('send', bytes, NETLINK_NETFILTER)
  trace('receive', bytes, 99)
  t.match(heads(), ['-> RTM_NEWLINK #7 request', /^-> NFNL_MSG_BATCH_BEGIN #7/, '<- message 16 #7 request'])
  t.end()
})

t.test('tables of your own come first', t => {
  const own = message('RTM_NEWTHING', 16, struct({}), attributes({ size: [4, u32] }))
  const { texts, trace } = recorder({ protocol: NETLINK_ROUTE, types: [own] })
  trace('send', datagram(own, { size: 5 }, 0x8001), NETLINK_ROUTE)
  t.same(texts, ['-> RTM_NEWTHING #7 request 0x8000\n     size 5\n'])
  t.end()
})

t.test('what cannot be read is shown as bytes', t => {
  const { texts, trace } = recorder()
  const bytes = datagram(newAddress, { local: '10.0.0.1' })
  bytes[24] = 5 // the length of the attribute
  trace('receive', bytes, NETLINK_ROUTE)
  trace('receive', bytes.subarray(0, 9), NETLINK_ROUTE)
  trace(
    'receive',
    Uint8Array.from([20, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
    NETLINK_ROUTE,
  )
  t.match(texts[0], /^<- RTM_NEWADDR #7 request\n {5}DecodeError: .*\n {5}0x0000/)
  t.match(texts[1], /^<- DecodeError: .*: [0-9a-f]{18}\n$/)
  t.equal(texts[2], '<- #1 refused: EPERM\n', 'an answer to what was never sent')
  t.end()
})

t.test('a family of generic netlink is known once the kernel has told its number', async t => {
  const { fd, socket: route } = await scene(t)
  await addPair(route)
  const { texts, heads, trace } = recorder()
  using socket = new NetlinkSocket(NETLINK_GENERIC, { netns: fd, trace })
  const { id } = await familyOf(socket, ETHTOOL)
  await familyOf(socket, ETHTOOL)
  const { getFeatures, getFeaturesReply, setFeatures, setFeaturesReply } = ethtoolMessages(id)
  await socket.get(getFeatures, { header: { name: 'va' } }, getFeaturesReply)
  const wanted = { bits: [{ name: 'nothing' }] }
  await t.rejects(socket.get(setFeatures, { header: { name: 'va' }, wanted }, setFeaturesReply), {
    code: 'EOPNOTSUPP',
    attribute: 'wanted.bits.item.name',
  })
  await t.rejects(familyOf(socket, 'nothing'), { code: 'ENOENT' })
  t.same(heads(), [
    '-> CTRL_CMD_GETFAMILY #1 request',
    '<- CTRL_CMD_NEWFAMILY #1',
    '-> CTRL_CMD_GETFAMILY #2 request',
    '<- CTRL_CMD_NEWFAMILY #2',
    '-> ETHTOOL_MSG_FEATURES_GET #3 request',
    '<- ETHTOOL_MSG_FEATURES_GET_REPLY #3',
    '-> ETHTOOL_MSG_FEATURES_SET #4 request',
    '<- ETHTOOL_MSG_FEATURES_SET #4 refused: EOPNOTSUPP, "bit name not found" at wanted.bits.item.name',
    '-> CTRL_CMD_GETFAMILY #5 request',
    '<- CTRL_CMD_GETFAMILY #5 refused: ENOENT',
  ])
  t.match(texts[5], /\n +name tx-checksum-ip-generic\n/)
})
