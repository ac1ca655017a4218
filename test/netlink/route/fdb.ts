import t from 'tap'
import { fdbEntry, fdbQuery } from '../../../src/netlink/route/fdb.ts'
import { newLink } from '../../../src/netlink/route/link.ts'
import { deleteNeighbour, getNeighbour, newNeighbour } from '../../../src/netlink/route/neighbour.ts'
import { request } from '../../../src/netlink/socket.ts'
import { NLM_F_APPEND, NLM_F_CREATE } from '../../../src/wire/message.ts'
import { goldenReply, goldenRequest, vectors } from '../../harness/golden.ts'
import { isolated, lacks } from '../../harness/namespaces.ts'
import { addBridge, addPair, linkOf, NEW, scene } from '../../harness/netlink.ts'

isolated(import.meta)

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
const mac = '02:00:00:00:00:99'
/** What the header of a request has besides. */
const header = { family: 0, index: 0, state: new Set<never>(), flags: new Set<never>(), type: 0 }

t.test('requests of bridge', t => {
  const entry = (each: Parameters<typeof fdbEntry>[0]) => {
    const value = Object.entries({ ...header, ...fdbEntry(each) }).filter(([, field]) => field !== undefined)
    return Object.fromEntries(value) as ReturnType<typeof newNeighbour.decode>
  }
  goldenRequest(t, vector('fdb-port'), {
    type: newNeighbour,
    flags: 0x605,
    value: entry({ index: 10, mac, database: 'master', vlan: 5 }),
  })
  goldenRequest(t, vector('fdb-vxlan'), {
    type: newNeighbour,
    flags: 0xc05,
    value: {
      ...entry({
        index: 30,
        mac: '00:00:00:00:00:00',
        database: 'self',
        kind: 'permanent',
        destination: '10.0.0.2',
      }),
      port: 8472,
      vni: 7,
    },
  })
  goldenRequest(t, vector('fdb-delete'), {
    type: deleteNeighbour,
    flags: 0x5,
    value: entry({ index: 10, mac, database: 'master', kind: 'permanent' }),
  })
  t.end()
})

t.test('answers of the kernel', t => {
  const all = goldenReply(t, vector('fdb-reply'), newNeighbour)
  t.match(
    all.find(({ linkAddress }) => linkAddress === mac),
    { family: 7, index: 10, master: 20, state: new Set(['noarp']) },
  )
  t.match(
    all.find(({ vni }) => vni === 7),
    { destination: '10.0.0.2', port: 8472, linkAddress: '00:00:00:00:00:00', flags: new Set(['self']) },
  )
  t.end()
})

t.test('the database of a real bridge', async t => {
  const { socket } = await scene(t)
  const bridge = await addBridge(socket)
  const port = await addPair(socket)
  const other = (await linkOf(socket, 'vb')).index
  await socket.request(newLink, { index: port, master: bridge })
  const macs = {
    permanent: '02:00:00:00:00:01',
    static: '02:00:00:00:00:02',
    dynamic: '02:00:00:00:00:03',
  } as const
  const entries = (['permanent', 'static', 'dynamic'] as const).map(kind =>
    fdbEntry({ index: port, mac: macs[kind], database: 'master', kind }),
  )
  await socket.batch(entries.map(entry => request(newNeighbour, entry, NEW)))

  const ofBridge = await socket.dump(getNeighbour, fdbQuery({ master: bridge }), newNeighbour)
  const state = (mac: string) =>
    ofBridge.find(each => each.linkAddress === mac && each.master === bridge)?.state
  t.strictSame(state(macs.permanent), new Set(['permanent']))
  t.strictSame(state(macs.static), new Set(['noarp']))
  t.ok(state(macs.dynamic)?.has('reachable') || state(macs.dynamic)?.has('stale'))
  t.notOk(ofBridge.some(({ index }) => index === other))
  const ofPort = await socket.dump(getNeighbour, fdbQuery({ index: port }), newNeighbour)
  t.ok(ofPort.every(({ index }) => index === port))
  t.ok((await socket.dump(getNeighbour, fdbQuery(), newNeighbour)).some(({ index }) => index === other))

  const entry = fdbEntry({ index: port, mac: macs.static, database: 'master' })
  await t.rejects(socket.request(newNeighbour, entry, NEW), { code: 'EEXIST' })
  await socket.request(deleteNeighbour, entry)
  await t.rejects(socket.request(deleteNeighbour, entry), { code: 'ENOENT' })
})

t.test('the remote ends of a vxlan', { skip: lacks('vxlan') }, async t => {
  const { socket } = await scene(t)
  await socket.request(
    newLink,
    { name: 'vx', linkInfo: { kind: 'vxlan', data: { id: 42, port: 4789 } } },
    NEW,
  )
  const { index } = await linkOf(socket, 'vx')
  const all = { index, mac: '00:00:00:00:00:00', database: 'self' } as const
  const ends = ['10.0.0.2', '10.0.0.3'].map(destination =>
    fdbEntry({ ...all, kind: 'permanent', destination }),
  )
  await socket.batch(ends.map(end => request(newNeighbour, end, NLM_F_CREATE | NLM_F_APPEND)))
  const found = await socket.dump(getNeighbour, fdbQuery({ index }), newNeighbour)
  t.strictSame(found.map(({ destination }) => destination).sort(), ['10.0.0.2', '10.0.0.3'])
})
