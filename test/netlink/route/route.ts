import t from 'tap'
import { newAddress } from '../../../src/netlink/route/address.ts'
import { AF_INET, AF_INET6 } from '../../../src/netlink/route/family.ts'
import { deleteRoute, getRoute, newRoute, RT_TABLE_MAIN } from '../../../src/netlink/route/route.ts'
import { NLM_F_CREATE, NLM_F_REPLACE } from '../../../src/wire/message.ts'
import { goldenReply, goldenRequest, survivesDamage, vectors } from '../../harness/golden.ts'
import { isolated } from '../../harness/namespaces.ts'
import { addPair, NEW, scene } from '../../harness/netlink.ts'

isolated(import.meta)

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
const none = new Set<never>()

const header = {
  family: AF_INET,
  destinationLength: 16,
  sourceLength: 0,
  tos: 0,
  headerTable: RT_TABLE_MAIN,
  protocol: 'boot',
  scope: 'universe',
  type: 'unicast',
  flags: none,
} as const

t.test('requests of ip', t => {
  const type = newRoute
  const flags = 0x605
  goldenRequest(t, vector('route-default'), {
    type,
    flags,
    value: { ...header, destinationLength: 0, gateway: '10.1.2.1', outputIndex: 10 },
  })
  goldenRequest(t, vector('route-metrics'), {
    type,
    flags,
    value: {
      ...header,
      headerTable: 0,
      protocol: 77,
      destination: '10.9.0.0',
      gateway: '10.1.2.1',
      priority: 5,
      table: 1000,
      preferredSource: '10.1.2.3',
      outputIndex: 10,
      metrics: { mtu: 1400, advmss: 1360, congestionControl: 'reno' },
    },
    unterminated: [[8, 16]],
  })
  goldenRequest(t, vector('route-via-6'), {
    type,
    flags,
    value: {
      ...header,
      flags: new Set(['onlink'] as const),
      destination: '10.8.0.0',
      via: 'fe80::1',
      outputIndex: 10,
    },
  })
  goldenRequest(t, vector('route-multipath'), {
    type,
    flags,
    value: {
      ...header,
      destination: '10.9.0.0',
      multipath: [
        { flags: none, weight: 2, index: 10, gateway: '10.1.2.1' },
        { flags: new Set(['onlink'] as const), weight: 1, index: 11, gateway: '10.1.2.9' },
      ],
    },
  })
  goldenRequest(t, vector('route-link'), {
    type,
    flags: 0x505,
    value: { ...header, tos: 0x10, scope: 'link', destination: '10.7.0.0', outputIndex: 10 },
  })
  goldenRequest(t, vector('route-blackhole'), {
    type,
    flags,
    value: { ...header, type: 'blackhole', destination: '10.10.0.0' },
  })
  goldenRequest(t, vector('route-6'), {
    type,
    flags,
    value: {
      ...header,
      family: AF_INET6,
      destinationLength: 64,
      destination: 'fd01::',
      gateway: 'fd00::9',
      preference: 'high',
      expires: 9000,
      outputIndex: 10,
    },
  })
  goldenRequest(t, vector('route-delete'), {
    type: deleteRoute,
    flags: 0x5,
    value: { ...header, destinationLength: 0, protocol: 'unspec', scope: 'nowhere', type: 'unspec' },
  })
  goldenRequest(t, vector('route-get'), {
    type: getRoute,
    flags: 0x1,
    value: {
      ...header,
      destinationLength: 32,
      sourceLength: 32,
      headerTable: 0,
      protocol: 'unspec',
      type: 'unspec',
      flags: new Set(['lookup_table', 'fib_match'] as const),
      destination: '10.9.1.1',
      source: '10.1.2.3',
      mark: 5,
    },
  })
  t.end()
})

t.test('answers of the kernel', t => {
  const four = goldenReply(t, vector('routes-4-reply'), newRoute)
  const find = (destination: string | undefined) => four.find(route => route.destination === destination)
  t.match(find(undefined), { gateway: '10.1.2.1', protocol: 77, table: RT_TABLE_MAIN, outputIndex: 10 })
  t.match(find('10.8.0.0'), { via: 'fd00::9', destinationLength: 16 })
  t.match(find('10.9.0.0'), {
    table: 1000,
    metrics: { lock: 4, mtu: 1400, advmss: 1360 },
    multipath: [
      { gateway: '10.1.2.1', weight: 2, index: 10 },
      { via: 'fd00::9', weight: 1, index: 10 },
    ],
  })
  t.match(find('10.10.0.0'), { type: 'blackhole', priority: 5 })
  t.ok(
    four.some(({ type, scope, protocol }) => type === 'local' && scope === 'host' && protocol === 'kernel'),
  )
  const six = goldenReply(t, vector('routes-6-reply'), newRoute)
  t.match(
    six.find(route => route.destination === 'fd01::'),
    { gateway: 'fd00::9', preference: 'high', metrics: { mtu: 1300 }, cacheInfo: { error: 0 } },
  )
  const [found] = goldenReply(t, vector('route-get-reply'), newRoute)
  t.match(found, {
    destination: '10.9.1.1',
    destinationLength: 32,
    gateway: '10.1.2.1',
    preferredSource: '10.1.2.3',
  })
  t.end()
})

t.test('damaged bytes', t => {
  survivesDamage(vectors(import.meta.dirname, 'routes-4-reply', 'routes-6-reply', 'route-metrics'), newRoute)
  t.end()
})

t.test('routes of a real namespace', async t => {
  const { socket } = await scene(t)
  const index = await addPair(socket)
  const address = { family: AF_INET, index, prefixLength: 24, local: '10.1.2.3', address: '10.1.2.3' }
  await socket.request(newAddress, address, NEW)
  const base = { family: AF_INET, type: 'unicast', scope: 'universe', protocol: 77 } as const
  const wide = { ...base, destinationLength: 16, destination: '10.9.0.0', table: 1000 }
  await socket.request(newRoute, { ...base, gateway: '10.1.2.1', table: RT_TABLE_MAIN }, NEW)
  await socket.request(
    newRoute,
    {
      ...wide,
      metrics: { mtu: 1400, advmss: 1360 },
      multipath: [
        { index, gateway: '10.1.2.1', weight: 256 },
        { index, via: 'fe80::1', flags: new Set(['onlink'] as const) },
      ],
    },
    NEW,
  )

  const [multipath] = await socket.dump(getRoute, { family: AF_INET, table: 1000 }, newRoute)
  t.match(multipath, {
    protocol: 77,
    metrics: { mtu: 1400, advmss: 1360 },
    multipath: [
      { gateway: '10.1.2.1', weight: 256 },
      { via: 'fe80::1', weight: 1, flags: new Set(['onlink']) },
    ],
  })
  const found = await socket.get(
    getRoute,
    {
      family: AF_INET,
      destinationLength: 32,
      destination: '192.0.2.1',
      flags: new Set(['lookup_table'] as const),
    },
    newRoute,
  )
  t.match(found, { gateway: '10.1.2.1', outputIndex: index, table: RT_TABLE_MAIN })

  await t.rejects(socket.request(newRoute, { ...wide, outputIndex: index, scope: 'link' }, NEW), {
    code: 'EEXIST',
  })
  await socket.request(newRoute, { ...wide, outputIndex: index, scope: 'link' }, NLM_F_CREATE | NLM_F_REPLACE)
  const after = await socket.dump(getRoute, { family: AF_INET, table: 1000 }, newRoute)
  t.match(after, [{ scope: 'link', outputIndex: index }])
  t.equal(after.length, 1)
  const any = { ...wide, scope: 'nowhere', type: 'unspec', protocol: 'unspec' } as const
  await t.rejects(socket.request(deleteRoute, wide), { code: 'ESRCH' }, 'the scope is another one')
  await socket.request(deleteRoute, any)
  await t.rejects(socket.request(deleteRoute, any), { code: 'ESRCH', request: 'RTM_DELROUTE' })
})

t.test('a refusal names the attribute', async t => {
  const { socket } = await scene(t)
  const index = await addPair(socket)
  const base = { family: AF_INET, type: 'unicast', destinationLength: 16, destination: '10.9.0.0' } as const
  await t.rejects(
    socket.request(newRoute, { ...base, unknown: [{ type: 4, payload: Uint8Array.of(1) }] }, NEW),
    { code: 'ERANGE', request: 'RTM_NEWROUTE', attribute: 'outputIndex' },
  )
  await t.rejects(socket.request(newRoute, { ...base, outputIndex: index, gateway: '10.5.5.5' }, NEW), {
    code: 'ENETUNREACH',
    kernelMessage: 'Nexthop has invalid gateway',
  })
})
