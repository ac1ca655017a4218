import t from 'tap'
import {
  deleteLink,
  deleteLinkProperty,
  getLink,
  newLink,
  newLinkProperty,
} from '../../../src/netlink/route/link.ts'
import { goldenReply, goldenRequest, survivesDamage, vectors } from '../../harness/golden.ts'
import { isolated, lacks } from '../../harness/namespaces.ts'
import { addBridge, addPair, linkOf, NEW, scene, UP } from '../../harness/netlink.ts'

isolated(import.meta)

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
const none = new Set<never>()
const header = { family: 0, type: 0, index: 0, flags: none, change: none }
/** IFLA_LINKINFO, IFLA_INFO_KIND: ip sends it without NUL. */
const unterminated = [[18, 1]]

t.test('requests that make links', t => {
  const made: Record<string, Partial<ReturnType<typeof newLink.decode>>> = {
    'link-bridge': {
      name: 'br0',
      linkInfo: {
        kind: 'bridge',
        data: {
          forwardDelay: 400,
          stpState: 1,
          priority: 100,
          vlanFiltering: true,
          vlanDefaultPvid: 0,
          groupForwardMask: 8,
          groupAddress: '01:80:c2:00:00:05',
          multicastSnooping: false,
          multicastQuerierInterval: 100n,
          nfCallIptables: true,
        },
      },
    },
    'link-veth': {
      mtu: 1400,
      address: '02:00:00:00:00:0a',
      txQueueLength: 5,
      name: 'va',
      linkInfo: { kind: 'veth', data: { peer: { ...header, mtu: 1400, netnsPid: 1, name: 'vb' } } },
    },
    'link-macvlan': {
      link: 10,
      name: 'x',
      linkInfo: {
        kind: 'macvlan',
        data: { broadcastQueueLength: 2000, mode: 'passthru', flags: new Set(['nopromisc']) },
      },
    },
    'link-macvlan-source': {
      link: 10,
      name: 'x',
      linkInfo: {
        kind: 'macvlan',
        data: {
          macAddressMode: 'set',
          macAddresses: { macAddress: ['02:00:00:00:00:01', '02:00:00:00:00:02'] },
          mode: 'source',
        },
      },
    },
    'link-ipvlan': {
      link: 10,
      name: 'x',
      linkInfo: { kind: 'ipvlan', data: { mode: 'l3s', flags: new Set(['vepa']) } },
    },
    'link-vlan': {
      link: 10,
      name: 'x',
      linkInfo: {
        kind: 'vlan',
        data: {
          protocol: 0x88a8,
          id: 100,
          egressQos: {
            mappings: [
              { from: 1, to: 2 },
              { from: 3, to: 4 },
            ],
          },
          flags: { flags: new Set(['gvrp']), mask: new Set(['gvrp', 'loose_binding']) },
        },
      },
    },
    'link-vxlan': {
      name: 'x',
      linkInfo: {
        kind: 'vxlan',
        data: {
          link: 10,
          ttl: 9,
          portRange: { low: 1000, high: 2000 },
          ageing: 100,
          udpChecksum: true,
          id: 42,
          local: '10.0.0.1',
          group: '10.0.0.2',
          learning: false,
          port: 4789,
        },
      },
    },
    'link-vxlan-6': {
      name: 'x',
      linkInfo: {
        kind: 'vxlan',
        data: {
          link: 10,
          gbp: true,
          id: 42,
          local6: 'fd00::1',
          group6: 'ff05::1',
          learning: true,
          port: 4789,
        },
      },
    },
    'link-vrf': { name: 'x', linkInfo: { kind: 'vrf', data: { table: 1000 } } },
    'link-dummy': { name: 'x', linkInfo: { kind: 'dummy' } },
    'link-ifb': { name: 'x', linkInfo: { kind: 'ifb' } },
  }
  for (const [name, value] of Object.entries(made)) {
    goldenRequest(t, vector(name), {
      type: newLink,
      flags: 0x605,
      value: { ...header, ...value },
      unterminated,
    })
  }
  t.end()
})

t.test('requests that change links', t => {
  const changed: Record<string, Partial<ReturnType<typeof newLink.decode>>> = {
    'link-set': {
      index: 10,
      flags: new Set(['up', 'noarp']),
      change: new Set(['up', 'noarp']),
      mtu: 1300,
      alias: 'ours',
      group: 5,
    },
    'link-master': { index: 11, master: 20 },
    'link-netns': { index: 10, netnsPid: 1 },
    'link-addrgenmode': { index: 10, afSpec: { inet6: { addressGenerationMode: 'none' } } },
    'link-port': {
      index: 10,
      linkInfo: {
        kind: 'bridge_slave',
        // Without IFLA_INFO_SLAVE_KIND: the kernel knows what the link is a port of.
        unknown: [
          {
            type: 5,
            payload: Uint8Array.from(
              [
                [5, 0, 33, 0, 1, 0, 0, 0],
                [5, 0, 4, 0, 1, 0, 0, 0],
                [5, 0, 8, 0, 0, 0, 0, 0],
                [8, 0, 3, 0, 7, 0, 0, 0],
              ].flat(),
            ),
          },
        ],
      },
    },
  }
  for (const [name, value] of Object.entries(changed)) {
    goldenRequest(t, vector(name), {
      type: newLink,
      flags: 0x5,
      value: { ...header, ...value },
      unterminated: [...unterminated, [20]],
    })
  }
  goldenRequest(t, vector('link-delete'), { type: deleteLink, flags: 0x5, value: { ...header, index: 10 } })
  goldenRequest(t, vector('link-altname'), {
    type: newLinkProperty,
    flags: 0xe05,
    value: { ...header, index: 10, alternativeNames: { names: ['first-long-name', 'second-long-name'] } },
  })
  t.end()
})

t.test('answers of the kernel', t => {
  const all = [
    ...goldenReply(t, vector('links-reply'), newLink),
    ...goldenReply(t, vector('links-more-reply'), newLink),
  ]
  const find = (name: string) => all.find(link => link.name === name)
  t.match(find('va'), {
    index: 10,
    address: '02:00:00:00:00:0a',
    alias: 'ours',
    alternativeNames: { names: ['a-name-of-more-than-15-characters'] },
    flags: new Set(['up', 'lower_up']),
    operstate: 'up',
    link: 11,
    master: 20,
    linkInfo: { kind: 'veth', portKind: 'bridge', portData: { state: 3 } },
    afSpec: { inet6: { addressGenerationMode: 'eui64' } },
    stats64: { rxErrors: 0n },
  })
  t.match(find('br0'), { linkInfo: { kind: 'bridge', data: { ageingTime: 30000, priority: 0x8000 } } })
  t.match(find('vx'), {
    linkInfo: { kind: 'vxlan', data: { id: 42, port: 4789, local: '10.0.0.1', ttlInherit: true } },
  })
  t.match(find('i0'), { linkInfo: { kind: 'ifb' } })
  t.match(find('mv'), {
    linkInfo: { data: { mode: 'source', macAddresses: { macAddress: ['02:00:00:00:00:01'] } } },
  })
  t.match(find('t0'), { linkInfo: { kind: 'tun', data: { type: 'tap', persist: true } } })
  t.match(find('d0'), { linkInfo: { kind: 'dummy' } })
  t.match(find('r0'), { linkInfo: { kind: 'vrf', data: { table: 1000 } } })
  t.match(find('vl'), {
    link: 10,
    linkInfo: { data: { id: 7, protocol: 0x8100, egressQos: { mappings: [{ from: 1, to: 2 }] } } },
  })
  t.match(find('iv'), { link: 10, linkInfo: { kind: 'ipvlan', data: { mode: 'l3' } } })
  t.match(
    all.find(({ linkInfo }) => linkInfo?.portKind === 'vrf'),
    { name: 'vb', linkInfo: { portData: { table: 1000 } } },
  )
  t.same(
    all.filter(link => 'unknown' in link).map(({ name }) => name),
    [],
    'the tables know all that these kernels tell',
  )
  t.end()
})

t.test('damaged bytes', t => {
  survivesDamage(
    vectors(import.meta.dirname, 'links-reply', 'links-more-reply', 'link-veth', 'link-vlan'),
    newLink,
  )
  t.end()
})

t.test('real links', async t => {
  const here = await scene(t)
  const there = await scene(t)
  const { socket } = here
  await addBridge(socket)
  const peer = { name: 'eth0', address: '02:00:00:00:00:0b', mtu: 1400, netnsFd: there.fd }
  const pair = { name: 'va', mtu: 1400, linkInfo: { kind: 'veth', data: { peer } } }
  await socket.request(newLink, pair, NEW)
  await t.rejects(socket.request(newLink, pair, NEW), { code: 'EEXIST', request: 'RTM_NEWLINK' })
  t.match(await linkOf(there.socket, 'eth0'), { address: peer.address, mtu: 1400 })

  const { index } = await linkOf(socket, 'va')
  const master = (await linkOf(socket, 'br0')).index
  await socket.request(newLink, { index, master, alias: 'ours', flags: UP, change: UP })
  await socket.request(newLink, {
    index,
    linkInfo: { portKind: 'bridge', portData: { hairpin: true, isolated: true } },
  })
  await socket.request(newLink, { index, afSpec: { inet6: { addressGenerationMode: 'none' } } })
  const long = 'a-name-of-more-than-fifteen-characters'
  await socket.request(newLinkProperty, { index, alternativeNames: { names: [long, 'short'] } }, NEW)
  const found = await socket.get(getLink, { alternativeName: long }, newLink)
  t.match(found, {
    index,
    master,
    alias: 'ours',
    flags: new Set(['up']),
    alternativeNames: { names: [long, 'short'] },
    linkInfo: { kind: 'veth', portKind: 'bridge', portData: { hairpin: true, isolated: true } },
    afSpec: { inet6: { addressGenerationMode: 'none' } },
  })
  await socket.request(deleteLinkProperty, { index, alternativeNames: { names: ['short'] } })
  t.same((await linkOf(socket, 'va')).alternativeNames, { names: [long] })

  const names = (links: readonly { name?: string | undefined }[]) => links.map(({ name }) => name).sort()
  t.same(names(await socket.dump(getLink, {}, newLink)), ['br0', 'lo', 'va'])
  t.same(names(await socket.dump(getLink, { master }, newLink)), ['va'], 'the kernel filters by the master')
  await socket.request(deleteLink, { index })
  await t.rejects(socket.request(deleteLink, { index }), { code: 'ENODEV', request: 'RTM_DELLINK' })
  await t.rejects(linkOf(there.socket, 'eth0'), { code: 'ENODEV' })
})

t.test('every option of a bridge that can be set reads back', async t => {
  const { socket } = await scene(t)
  const data = {
    forwardDelay: 400,
    helloTime: 300,
    maxAge: 1000,
    ageingTime: 5000,
    stpState: 1,
    priority: 100,
    groupForwardMask: 8,
    groupAddress: '01:80:c2:00:00:05',
    multicastRouter: 2,
    multicastSnooping: false,
    multicastQueryUseIfaddr: true,
    multicastQuerier: true,
    multicastHashMax: 1024,
    multicastLastMemberCount: 5,
    multicastStartupQueryCount: 6,
    multicastLastMemberInterval: 1000n,
    multicastMembershipInterval: 2000n,
    multicastQuerierInterval: 3000n,
    multicastQueryInterval: 4000n,
    multicastQueryResponseInterval: 500n,
    multicastStartupQueryInterval: 6000n,
    nfCallIptables: true,
    nfCallIp6tables: true,
    nfCallArptables: true,
    multicastStatistics: true,
    multicastIgmpVersion: 3,
    multicastMldVersion: 2,
    fdbMaxLearned: 77,
  } as const
  await socket.request(newLink, { name: 'br0', linkInfo: { kind: 'bridge', data } }, NEW)
  const mask = new Set(['no_ll_learn'] as const)
  const booleanOptions = { value: mask, mask }
  await socket.request(newLink, {
    name: 'br0',
    linkInfo: { kind: 'bridge', data: { booleanOptions, fdbFlush: true } },
  })
  const { linkInfo } = await linkOf(socket, 'br0')
  const { fdbMaxLearned, ...old } = data
  t.match(linkInfo, { kind: 'bridge', data: { ...old, booleanOptions: { value: mask } } })
  if (linkInfo?.data !== undefined && 'fdbMaxLearned' in linkInfo.data)
    t.equal(linkInfo.data.fdbMaxLearned, fdbMaxLearned)
})

t.test('every option of a port that can be set reads back', async t => {
  const { socket } = await scene(t)
  const bridge = await addBridge(socket)
  const index = await addPair(socket)
  await socket.request(newLink, { index, master: bridge })
  const portData = {
    priority: 7,
    cost: 9,
    hairpin: true,
    guard: true,
    protect: true,
    fastLeave: true,
    learning: false,
    unicastFlood: false,
    proxyArp: true,
    proxyArpWifi: true,
    multicastRouter: 2,
    multicastFlood: false,
    multicastToUnicast: true,
    vlanTunnel: true,
    broadcastFlood: false,
    groupForwardMask: 8,
    neighbourSuppression: true,
    isolated: true,
    multicastEhtHostsLimit: 5,
    locked: true,
  }
  await socket.request(newLink, { index, linkInfo: { portKind: 'bridge', portData } })
  t.match((await linkOf(socket, 'va')).linkInfo?.portData, portData)
})

const kinds = {
  macvlan: { mode: 'bridge' },
  ipvlan: { mode: 'l3', flags: new Set(['private'] as const) },
  vlan: { id: 7, protocol: 0x8100 },
  vxlan: { id: 42, port: 4789, learning: false },
  vrf: { table: 1000 },
  dummy: undefined,
  ifb: undefined,
} as const
for (const [kind, data] of Object.entries(kinds)) {
  t.test(`a real ${kind}`, { skip: lacks(kind as keyof typeof kinds) }, async t => {
    const { socket } = await scene(t)
    const lower = await addPair(socket)
    const link = ['macvlan', 'ipvlan', 'vlan'].includes(kind) ? { link: lower } : {}
    await socket.request(newLink, { name: 'x', ...link, linkInfo: { kind, data } }, NEW)
    const found = await linkOf(socket, 'x')
    t.match(found, { ...link, linkInfo: { kind } })
    if (data !== undefined) t.match(found.linkInfo?.data, data)
  })
}

t.test('a refusal names the attribute by its path', { skip: lacks('vxlan') }, async t => {
  const { socket } = await scene(t)
  const linkInfo = { kind: 'vxlan', data: { port: 4789, id: 1 << 24 } }
  await t.rejects(socket.request(newLink, { name: 'x', linkInfo }, NEW), {
    request: 'RTM_NEWLINK',
    code: 'ERANGE',
    attribute: 'linkInfo.data.id',
  })
})
