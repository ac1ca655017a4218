import fc from 'fast-check'
import t from 'tap'
import {
  deleteBridgeLink,
  getBridgeLink,
  newBridgeLink,
  setBridgeLink,
  vlanInfos,
  vlanRanges,
} from '../../../src/netlink/route/bridge-vlan.ts'
import { AF_BRIDGE } from '../../../src/netlink/route/family.ts'
import { newLink } from '../../../src/netlink/route/link.ts'
import { goldenReply, goldenRequest, survivesDamage, vectors } from '../../harness/golden.ts'
import { isolated, lacks } from '../../harness/namespaces.ts'
import { addBridge, addPair, linkOf, scene } from '../../harness/netlink.ts'

isolated(import.meta)

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
const none = new Set<never>()
const header = { family: AF_BRIDGE, type: 0, index: 10, flags: none, change: none }

t.test('requests of bridge', t => {
  goldenRequest(t, vector('vlan-port'), {
    type: setBridgeLink,
    flags: 0x5,
    value: { ...header, afSpec: { vlans: vlanInfos([{ from: 5, pvid: true, untagged: true }]) } },
  })
  goldenRequest(t, vector('vlan-range'), {
    type: setBridgeLink,
    flags: 0x5,
    value: { ...header, afSpec: { vlans: vlanInfos([{ from: 10, to: 20, untagged: true }]) } },
  })
  goldenRequest(t, vector('vlan-self'), {
    type: setBridgeLink,
    flags: 0x5,
    value: {
      ...header,
      index: 20,
      afSpec: { flags: new Set(['self'] as const), vlans: vlanInfos([{ from: 7 }]) },
    },
  })
  goldenRequest(t, vector('vlan-delete'), {
    type: deleteBridgeLink,
    flags: 0x5,
    value: { ...header, afSpec: { vlans: vlanInfos([{ from: 10, to: 20 }]) } },
  })
  goldenRequest(t, vector('port-bridge'), {
    type: setBridgeLink,
    flags: 0x5,
    value: { ...header, port: { hairpin: true, learning: false, cost: 7, isolated: true } },
  })
  t.end()
})

t.test('answers of the kernel', t => {
  const [bridge, port] = goldenReply(t, vector('vlans-reply'), newBridgeLink)
  t.match(bridge, { name: 'br0', family: AF_BRIDGE })
  t.same(vlanRanges(bridge?.afSpec?.vlans ?? []), [{ from: 7, to: 7, pvid: false, untagged: false }])
  t.match(port, { name: 'va', master: bridge?.index })
  t.same(vlanRanges(port?.afSpec?.vlans ?? []), [
    { from: 5, to: 5, pvid: true, untagged: true },
    { from: 10, to: 20, pvid: false, untagged: false },
  ])
  const ports = goldenReply(t, vector('ports-reply'), newBridgeLink)
  t.match(
    ports.find(({ name }) => name === 'va'),
    { port: { state: 3, isolated: false, learning: true, bridgeId: '80:00:02:00:00:00:00:14' } },
  )
  t.end()
})

t.test('damaged bytes', t => {
  survivesDamage(vectors(import.meta.dirname, 'vlans-reply', 'ports-reply'), newBridgeLink)
  t.end()
})

t.test('ranges survive their wire form', t => {
  const cut = fc.uniqueArray(
    fc.integer({ min: 1, max: 1000 }).map(n => 4 * n),
    { minLength: 2, maxLength: 20 },
  )
  fc.assert(
    fc.property(cut, fc.boolean(), (vids, untagged) => {
      const ends = vids.toSorted((a, b) => a - b)
      const ranges = ends.flatMap((from, i) => {
        const to = ends[i + 1]
        return i % 2 === 0 && to !== undefined ? [{ from, to: to - 1, pvid: false, untagged }] : []
      })
      const again = vlanRanges(vlanInfos(ranges))
      return JSON.stringify(again) === JSON.stringify(ranges)
    }),
  )
  t.equal(vlanInfos([{ from: 9, to: 9 }]).length, 1)
  t.same(
    vlanRanges(
      vlanInfos([
        { from: 1, pvid: true, untagged: true },
        { from: 2, untagged: true },
        { from: 3, untagged: true },
        { from: 4 },
      ]),
    ),
    [
      { from: 1, to: 1, pvid: true, untagged: true },
      { from: 2, to: 3, pvid: false, untagged: true },
      { from: 4, to: 4, pvid: false, untagged: false },
    ],
    'neighbours that are alike are one range',
  )
  t.end()
})

t.test('the ports of a real bridge', async t => {
  const { socket } = await scene(t)
  const bridge = await addBridge(socket)
  const port = await addPair(socket)
  await socket.request(newLink, { index: port, master: bridge })
  await socket.request(setBridgeLink, {
    family: AF_BRIDGE,
    index: port,
    port: { isolated: true, hairpin: true },
  })
  const all = await socket.dump(getBridgeLink, { family: AF_BRIDGE }, newBridgeLink)
  t.match(
    all.find(({ index }) => index === port),
    { name: 'va', master: bridge, port: { isolated: true, hairpin: true } },
  )
  t.notOk(all.some(({ name }) => name === 'vb'))
  t.match(await linkOf(socket, 'va'), { linkInfo: { portKind: 'bridge', portData: { isolated: true } } })
})

t.test('the VLANs of a real bridge', { skip: lacks('bridge VLAN filtering') }, async t => {
  const { socket } = await scene(t)
  const bridge = await addBridge(socket)
  const port = await addPair(socket)
  await socket.request(newLink, { index: port, master: bridge })
  await socket.request(newLink, {
    index: bridge,
    linkInfo: { kind: 'bridge', data: { vlanFiltering: true } },
  })
  const family = AF_BRIDGE
  await socket.request(setBridgeLink, {
    family,
    index: port,
    afSpec: { vlans: vlanInfos([{ from: 10, to: 20 }]) },
  })
  const self = new Set(['self'] as const)
  await socket.request(setBridgeLink, {
    family,
    index: bridge,
    afSpec: { flags: self, vlans: vlanInfos([{ from: 7 }]) },
  })
  await socket.request(deleteBridgeLink, {
    family,
    index: port,
    afSpec: { vlans: vlanInfos([{ from: 12, to: 20 }]) },
  })
  const extendedMask = new Set(['brvlan_compressed'] as const)
  const all = await socket.dump(getBridgeLink, { family, extendedMask }, newBridgeLink)
  const ranges = (index: number) => vlanRanges(all.find(link => link.index === index)?.afSpec?.vlans ?? [])
  const plain = { pvid: false, untagged: false }
  t.same(
    ranges(port).filter(({ from }) => from > 1),
    [{ from: 10, to: 11, ...plain }],
  )
  t.same(
    ranges(bridge).filter(({ from }) => from > 1),
    [{ from: 7, to: 7, ...plain }],
  )
})
