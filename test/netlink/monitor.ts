import { readdirSync } from 'node:fs'
import t from 'tap'
import { Monitor, type MonitorEvent, type Subject } from '../../src/netlink/monitor.ts'
import { generations } from '../../src/netlink/netfilter/subjects.ts'
import { newAddress } from '../../src/netlink/route/address.ts'
import { deleteLink, newLink } from '../../src/netlink/route/link.ts'
import { newNeighbour } from '../../src/netlink/route/neighbour.ts'
import { newNsid } from '../../src/netlink/route/nsid.ts'
import { newRoute } from '../../src/netlink/route/route.ts'
import { newRule } from '../../src/netlink/route/rule.ts'
import { addresses, links, neighbours, nsids, routes, rules } from '../../src/netlink/route/subjects.ts'
import { request } from '../../src/netlink/socket.ts'
import { isolated } from '../harness/namespaces.ts'
import { until as wait } from '../harness/run.ts'
import { addBridge, addPair, NEW, scene } from '../harness/netlink.ts'

isolated(import.meta)

/** The events until `last` says that there are enough. */
async function until<S extends Subject>(
  monitor: AsyncIterable<MonitorEvent<S>>,
  last: (event: MonitorEvent<S>) => boolean,
): Promise<MonitorEvent<S>[]> {
  const events: MonitorEvent<S>[] = []
  for await (const event of monitor) {
    events.push(event)
    if (last(event)) break
  }
  return events
}

t.test('links come and go', async t => {
  const { socket, fd } = await scene(t)
  await using monitor = new Monitor({ netns: fd }, links)
  await addPair(socket)
  await socket.request(deleteLink, { name: 'va' })
  const events = await until(monitor, event => event.name === 'RTM_DELLINK' && event.value.name === 'va')
  const ofVa = events.filter(event => event.name !== 'lost' && event.value.name === 'va')
  t.equal(ofVa[0]?.name, 'RTM_NEWLINK')
  t.ok(ofVa.some(event => event.name === 'RTM_NEWLINK' && event.value.operstate === 'up'))
  t.equal(ofVa.at(-1)?.name, 'RTM_DELLINK')
})

t.test('a bridge tells of its ports in messages that are left out', async t => {
  const { socket, fd } = await scene(t)
  const master = await addBridge(socket)
  const index = await addPair(socket)
  await using monitor = new Monitor({ netns: fd }, links)
  await socket.batch([request(newLink, { index, master }), request(deleteLink, { name: 'br0' })])
  const events = await until(monitor, event => event.name === 'RTM_DELLINK' && event.value.name === 'br0')
  t.ok(events.length > 2)
  for (const event of events) if (event.name !== 'lost') t.equal(event.value.family, 0)
})

t.test('several subjects in one monitor', async t => {
  const { socket, fd } = await scene(t)
  const there = await scene(t)
  const index = await addPair(socket)
  await using monitor = new Monitor({ netns: fd }, addresses, routes, rules, neighbours, nsids)
  const four = { family: 2, index } as const
  await socket.batch([
    request(newAddress, { ...four, prefixLength: 24, local: '10.1.2.3', address: '10.1.2.3' }, NEW),
    request(
      newRoute,
      { family: 2, type: 'unicast', protocol: 77, gateway: '10.1.2.1', outputIndex: index },
      NEW,
    ),
    request(
      newNeighbour,
      {
        ...four,
        destination: '10.1.2.9',
        linkAddress: '02:00:00:00:00:09',
        state: new Set(['permanent'] as const),
      },
      NEW,
    ),
    request(newRule, { family: 2, action: 'to_tbl', table: 1000 }, NEW),
    request(newNsid, { fd: there.fd, nsid: 44 }),
  ])
  const wanted = new Set(['RTM_NEWADDR', 'RTM_NEWROUTE', 'RTM_NEWNEIGH', 'RTM_NEWRULE', 'RTM_NEWNSID'])
  const events = await until(monitor, event => event.name === 'RTM_NEWNSID')
  for (const { name } of events) wanted.delete(name)
  t.same([...wanted], [])
  t.ok(events.some(event => event.name === 'RTM_NEWROUTE' && event.value.protocol === 77))
})

t.test('what does not fit the buffer is told as lost, and listening goes on', async t => {
  const { socket, fd } = await scene(t)
  await using monitor = new Monitor({ netns: fd, buffer: 1 }, links)
  const index = await addBridge(socket)
  await socket.batch(Array.from({ length: 50 }, (_, i) => request(newLink, { index, mtu: 1400 + i })))
  const seen: string[] = []
  const reading = until(monitor, event => {
    seen.push(event.name)
    return event.name === 'RTM_DELLINK'
  })
  // The kernel drops everything until all that it kept is read.
  let before = -1
  await wait('the socket is empty', async () => seen.includes('lost') && before === (before = seen.length))
  await socket.request(deleteLink, { index })
  t.match((await reading).at(-1), { name: 'RTM_DELLINK', value: { name: 'br0' } })
})

t.test('closing ends a read that waits, at once', async t => {
  const { fd } = await scene(t)
  const monitor = new Monitor({ netns: fd }, links)
  const reading = (async () => {
    for await (const event of monitor) t.fail(event.name)
  })()
  await new Promise(resolve => setImmediate(resolve))
  await t.rejects(monitor[Symbol.asyncIterator]().next(), TypeError, 'one loop at a time')
  const start = performance.now()
  await Promise.all([monitor.close(), monitor.close(), reading])
  await monitor.close()
  t.ok(performance.now() - start < 200)
  for await (const event of monitor) t.fail(`${event.name} of a closed monitor`)
})

t.test('a monitor that waits long says nothing and holds on', async t => {
  const { socket, fd } = await scene(t)
  await using monitor = new Monitor({ netns: fd }, links)
  const seen = until(monitor, () => true)
  await new Promise(resolve => setTimeout(resolve, 600)) // longer than one read
  await addBridge(socket)
  t.match(await seen, [{ name: 'RTM_NEWLINK', value: { name: 'br0' } }])
})

t.test('the generation of the ruleset', async t => {
  const { netns, fd } = await scene(t)
  await using monitor = new Monitor({ netns: fd }, generations)
  await netns.run('nft', 'add', 'table', 'inet', 't')
  t.match(await until(monitor, () => true), [{ name: 'NFT_MSG_NEWGEN', value: { process: 'nft' } }])
})

t.test('the trace sees what is received', async t => {
  const { socket, fd } = await scene(t)
  const seen: number[] = []
  const trace = (_direction: string, datagram: Uint8Array, protocol: number) =>
    seen.push(protocol, new Uint16Array(datagram.slice(4, 6).buffer)[0] ?? 0)
  await using monitor = new Monitor({ netns: fd, trace }, links)
  await addBridge(socket)
  await until(monitor, () => true)
  t.same(seen.slice(0, 2), [0, newLink.type])
})

t.test('the subjects are of one protocol, and there is one', t => {
  t.throws(() => new Monitor({}, links, generations), TypeError)
  t.throws(() => new Monitor({}), TypeError)
  t.end()
})

t.test('no descriptor is left open', async t => {
  const { fd } = await scene(t)
  const open = () => readdirSync('/proc/self/fd').length
  const before = open()
  const monitor = new Monitor({ netns: fd }, links)
  t.equal(open(), before + 1)
  await monitor.close()
  t.equal(open(), before)
  t.throws(() => new Monitor({ netns: fd }, { ...links, groups: [9999] }), { code: 'EINVAL' })
  t.equal(open(), before)
})
