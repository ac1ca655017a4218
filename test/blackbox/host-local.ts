// host-local as users of the reference know it: what it answers, and the files that it keeps.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { leases } from '../harness/facts.ts'
import { isolated } from '../harness/namespaces.ts'
import { subjects, type Call } from '../harness/plugins.ts'
import { makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const subnet = '10.2.0.0/24'
const host = { type: 'host-local' }

interface Case {
  readonly name: string
  readonly onlyOurs?: string
  readonly ipam: object
  readonly config?: object
  readonly args?: string
  readonly before?: (world: World) => void
  readonly result: object
  readonly leases: readonly string[]
}

const first = { address: '10.2.0.2/24', gateway: '10.2.0.1' }

const cases: Case[] = [
  { name: 'a subnet', ipam: { subnet }, result: { ips: [first] }, leases: ['10.2.0.2'] },
  { name: 'ranges', ipam: { ranges: [[{ subnet }]] }, result: { ips: [first] }, leases: ['10.2.0.2'] },
  {
    name: 'two families, routes',
    ipam: {
      ranges: [[{ subnet }], [{ subnet: 'fd00:2::/64' }]],
      routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0', gw: 'fd00:2::9' }],
    },
    result: {
      ips: [first, { address: 'fd00:2::2/64', gateway: 'fd00:2::1' }],
      routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0', gw: 'fd00:2::9' }],
    },
    leases: ['10.2.0.2', 'fd00:2::2'],
  },
  {
    name: 'the older form goes before ranges',
    ipam: { subnet, ranges: [[{ subnet: 'fd00:2::/64' }]] },
    result: { ips: [first, { address: 'fd00:2::2/64', gateway: 'fd00:2::1' }] },
    leases: ['10.2.0.2', 'fd00:2::2'],
  },
  {
    name: 'rangeStart and rangeEnd',
    ipam: { subnet, rangeStart: '10.2.0.100', rangeEnd: '10.2.0.101' },
    result: { ips: [{ address: '10.2.0.100/24', gateway: '10.2.0.1' }] },
    leases: ['10.2.0.100'],
  },
  {
    name: 'a gateway of the configuration is not given away',
    ipam: { subnet, gateway: '10.2.0.2', rangeStart: '10.2.0.2' },
    result: { ips: [{ address: '10.2.0.3/24', gateway: '10.2.0.2' }] },
    leases: ['10.2.0.3'],
  },
  {
    name: 'several ranges in a set are one pool, in order',
    ipam: {
      ranges: [
        [
          { subnet, rangeStart: '10.2.0.8', rangeEnd: '10.2.0.8' },
          { subnet: '10.2.1.0/24', rangeStart: '10.2.1.4' },
        ],
      ],
    },
    before: ({ leaseFolder }) => lease(leaseFolder, '10.2.0.8', 'other\r\neth0'),
    result: { ips: [{ address: '10.2.1.4/24', gateway: '10.2.1.1' }] },
    leases: ['10.2.0.8', '10.2.1.4'],
  },
  {
    name: 'runtimeConfig.ipRanges goes before the ranges',
    ipam: { ranges: [[{ subnet: 'fd00:2::/64' }]] },
    config: { runtimeConfig: { ipRanges: [[{ subnet }]] } },
    result: { ips: [first, { address: 'fd00:2::2/64', gateway: 'fd00:2::1' }] },
    leases: ['10.2.0.2', 'fd00:2::2'],
  },
  {
    name: 'an address that CNI_ARGS asks for',
    ipam: { subnet },
    args: 'IP=10.2.0.50',
    result: { ips: [{ address: '10.2.0.50/24', gateway: '10.2.0.1' }] },
    leases: ['10.2.0.50'],
  },
  {
    name: 'an address with a prefix length that CNI_ARGS asks for',
    ipam: { subnet },
    args: 'IgnoreUnknown=1;K8S_POD_NAME=x;IP=10.2.0.50/24',
    result: { ips: [{ address: '10.2.0.50/24', gateway: '10.2.0.1' }] },
    leases: ['10.2.0.50'],
  },
  {
    name: 'an address that args.cni asks for',
    ipam: { subnet },
    config: { args: { cni: { ips: ['10.2.0.51'] } } },
    result: { ips: [{ address: '10.2.0.51/24', gateway: '10.2.0.1' }] },
    leases: ['10.2.0.51'],
  },
  {
    name: 'addresses that runtimeConfig asks for, one of each range',
    ipam: { ranges: [[{ subnet }], [{ subnet: 'fd00:2::/64' }]] },
    config: { runtimeConfig: { ips: ['fd00:2::abc', '10.2.0.52'] } },
    result: {
      ips: [
        { address: '10.2.0.52/24', gateway: '10.2.0.1' },
        { address: 'fd00:2::abc/64', gateway: 'fd00:2::1' },
      ],
    },
    leases: ['10.2.0.52', 'fd00:2::abc'],
  },
  {
    name: 'resolvConf',
    ipam: { subnet, resolvConf: '/run/resolv.conf' },
    before: () =>
      writeFileSync(
        '/run/resolv.conf',
        '# text\nnameserver 192.0.2.53\nnameserver 192.0.2.54\ndomain example.org\nsearch a.example b.example\noptions ndots:5\n',
      ),
    result: {
      ips: [first],
      dns: {
        nameservers: ['192.0.2.53', '192.0.2.54'],
        domain: 'example.org',
        search: ['a.example', 'b.example'],
        options: ['ndots:5'],
      },
    },
    leases: ['10.2.0.2'],
  },
  {
    name: 'the next address is the one after the last',
    ipam: { subnet },
    before: ({ leaseFolder }) => lease(leaseFolder, 'last_reserved_ip.0', '10.2.0.77'),
    result: { ips: [{ address: '10.2.0.78/24', gateway: '10.2.0.1' }] },
    leases: ['10.2.0.78'],
  },
  {
    name: 'after the end it starts again',
    ipam: { subnet },
    before: ({ leaseFolder }) => {
      lease(leaseFolder, 'last_reserved_ip.0', '10.2.0.254')
      lease(leaseFolder, '10.2.0.2', 'other\r\neth0')
    },
    result: { ips: [{ address: '10.2.0.3/24', gateway: '10.2.0.1' }] },
    leases: ['10.2.0.2', '10.2.0.3'],
  },
  {
    name: 'a note of the last address that is torn or outside counts for nothing',
    ipam: { subnet },
    before: ({ leaseFolder }) => lease(leaseFolder, 'last_reserved_ip.0', '10.2.'),
    result: { ips: [first] },
    leases: ['10.2.0.2'],
  },
  {
    name: 'leases of others are honoured, whatever they hold',
    ipam: { subnet },
    before: ({ leaseFolder }) => {
      lease(leaseFolder, '10.2.0.2', 'older-form')
      lease(leaseFolder, '10.2.0.3', 'other\r\neth0')
    },
    result: { ips: [{ address: '10.2.0.4/24', gateway: '10.2.0.1' }] },
    leases: ['10.2.0.2', '10.2.0.3', '10.2.0.4'],
  },
  {
    name: 'an empty file of a crash blocks no address',
    onlyOurs: 'plugins#498',
    ipam: { subnet, rangeStart: '10.2.0.2', rangeEnd: '10.2.0.2' },
    before: ({ leaseFolder }) => lease(leaseFolder, '10.2.0.2', ''),
    result: { ips: [first] },
    leases: ['10.2.0.2'],
  },
  {
    name: 'a /16',
    ipam: { subnet: '10.3.0.0/16', rangeStart: '10.3.255.254' },
    result: { ips: [{ address: '10.3.255.254/16', gateway: '10.3.0.1' }] },
    leases: ['10.3.255.254'],
  },
  {
    name: 'a /30',
    ipam: { subnet: '10.2.0.0/30' },
    result: { ips: [{ address: '10.2.0.2/30', gateway: '10.2.0.1' }] },
    leases: ['10.2.0.2'],
  },
]

function lease(folder: string, name: string, content: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), content)
}

for (const subject of subjects()) {
  t.test(subject.name, async t => {
    for (const row of cases) {
      if (subject.name === 'reference' && row.onlyOurs !== undefined) continue
      await t.test(row.name, async t => {
        await using world = await makeWorld(subject)
        row.before?.(world)
        const others = leases(world.leaseFolder)
        const config = world.config({ ipam: { ...host, ...row.ipam }, ...row.config })
        const request: Partial<Call> & { type: string } = { type: 'host-local', args: row.args }
        const added = await world.call('ADD', config, request)
        t.equal(added.code, 0, added.stdout)
        const text = added.stdout.trimEnd().replace(/,\n *"dns": \{\}/, '')
        t.equal(text, JSON.stringify({ cniVersion: '1.0.0', ...row.result }, null, 4))
        t.strictSame(leases(world.leaseFolder), row.leases)
        const own = row.leases.filter(name => !others.includes(name) || row.onlyOurs !== undefined)
        for (const name of own)
          t.equal(readFileSync(join(world.leaseFolder, name), 'utf8'), 'c1\r\neth0', `whose ${name} is`)
        t.equal((await world.call('CHECK', { ...config, prevResult: added.json }, request)).code, 0, 'CHECK')
        for (const time of ['once', 'twice'])
          t.equal((await world.call('DEL', config, request)).code, 0, time)
        t.strictSame(
          leases(world.leaseFolder),
          others.filter(name => !own.includes(name)),
        )
        t.equal(
          (await world.call('CHECK', { ...config, prevResult: added.json }, request)).code,
          1,
          'CHECK of what is gone',
        )
      })
    }

    await t.test('an address is given again only when the others had their turn', async t => {
      await using world = await makeWorld(subject)
      const config = world.config({ ipam: { ...host, subnet: '10.2.0.0/29' } })
      const given: unknown[] = []
      for (let turn = 0; turn < 7; turn++) {
        const { json } = await world.call('ADD', config, { type: 'host-local' })
        given.push((json?.['ips'] as { address: string }[] | undefined)?.[0]?.address)
        await world.call('DEL', config, { type: 'host-local' })
      }
      t.strictSame(
        given,
        [2, 3, 4, 5, 6, 2, 3].map(n => `10.2.0.${n}/29`),
      )
    })

    await t.test('one container, two interfaces', async t => {
      await using world = await makeWorld(subject)
      const config = world.config({ ipam: { ...host, subnet } })
      const call = (verb: 'ADD' | 'DEL', ifname: string) =>
        world.call(verb, config, { type: 'host-local', ifname })
      t.equal((await call('ADD', 'eth0')).code, 0)
      t.equal((await call('ADD', 'eth1')).code, 0)
      t.equal((await call('DEL', 'eth0')).code, 0)
      t.strictSame(leases(world.leaseFolder), ['10.2.0.3'])
      t.equal((await call('DEL', 'eth1')).code, 0)
      t.strictSame(leases(world.leaseFolder), [])
    })

    await t.test('dataDir', async t => {
      await using world = await makeWorld(subject)
      const config = world.config({ ipam: { ...host, subnet, dataDir: '/run/leases' } })
      t.equal((await world.call('ADD', config, { type: 'host-local' })).code, 0)
      t.strictSame(leases(`/run/leases/${world.network}`), ['10.2.0.2'])
      t.equal((await world.call('DEL', config, { type: 'host-local' })).code, 0)
      t.strictSame(leases(`/run/leases/${world.network}`), [])
    })

    await t.test('a folder of leases that the administrator has moved, and left a link to', async t => {
      await using world = await makeWorld(subject)
      mkdirSync(`/run/disk-${subject.name}`)
      mkdirSync(join(world.leaseFolder, '..'), { recursive: true })
      symlinkSync(`/run/disk-${subject.name}`, world.leaseFolder)
      const config = world.config({ ipam: { ...host, subnet } })
      const added = await world.call('ADD', config, { type: 'host-local' })
      t.equal(added.code, 0, added.stdout)
      t.strictSame(leases(`/run/disk-${subject.name}`), ['10.2.0.2'])
      // The reference makes leases there, and finds none again: its walk through a directory does not follow a link.
      if (subject.name === 'reference') return
      const check = { ...config, prevResult: added.json }
      t.equal((await world.call('CHECK', check, { type: 'host-local' })).code, 0)
      t.equal((await world.call('DEL', config, { type: 'host-local' })).code, 0)
      t.strictSame(leases(`/run/disk-${subject.name}`), [])
    })

    await t.test('a lease in the older form, of the container alone', async t => {
      await using world = await makeWorld(subject)
      lease(world.leaseFolder, '10.2.0.9', 'c1')
      const config = world.config({ ipam: { ...host, subnet } })
      t.equal((await world.call('DEL', config, { type: 'host-local' })).code, 0)
      t.strictSame(leases(world.leaseFolder), [])
    })
  })
}

const all = subjects()
for (const [from, to] of all.flatMap(from => all.filter(to => to !== from).map(to => [from, to] as const))) {
  t.test(`from ${from.name} to ${to.name}, with containers running`, async t => {
    await using old = await makeWorld(from)
    const config = old.config({ ipam: { ...host, ranges: [[{ subnet }], [{ subnet: 'fd00:2::/64' }]] } })
    await using next = await makeWorld(to)
    const call = (world: World, verb: 'ADD' | 'DEL' | 'CHECK', containerId: string, prevResult?: unknown) =>
      world.call(verb, prevResult === undefined ? config : { ...config, prevResult }, {
        type: 'host-local',
        containerId,
      })
    const one = await call(old, 'ADD', 'one')
    t.equal((await call(old, 'ADD', 'two')).code, 0)
    t.equal((await call(next, 'CHECK', 'one', one.json)).code, 0, 'it knows the lease')
    const three = await call(next, 'ADD', 'three')
    t.match(
      three.json?.['ips'],
      [{ address: '10.2.0.4/24' }, { address: 'fd00:2::4/64' }],
      'it gives the next address',
    )
    t.equal((await call(next, 'DEL', 'one')).code, 0)
    t.strictSame(leases(old.leaseFolder), ['10.2.0.3', '10.2.0.4', 'fd00:2::3', 'fd00:2::4'])
    t.equal((await call(old, 'CHECK', 'three', three.json)).code, 0, 'and back')
    const four = await call(old, 'ADD', 'four')
    t.match(four.json?.['ips'], [{ address: '10.2.0.5/24' }, { address: 'fd00:2::5/64' }])
    for (const containerId of ['three', 'two']) t.equal((await call(old, 'DEL', containerId)).code, 0)
    t.equal((await call(next, 'DEL', 'four')).code, 0, 'it finds what the other made meanwhile')
    t.strictSame(leases(old.leaseFolder), [])
  })
}
