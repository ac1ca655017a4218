// sbr as a runtime calls it: a container with two networks answers each by the one that it was asked by.
import { existsSync } from 'node:fs'
import t from 'tap'
import { isolated, makeNetns } from '../harness/namespaces.ts'
import { call, subjects, type Subject } from '../harness/plugins.ts'
import { refusals } from '../harness/refusals.ts'
import { ping } from '../harness/traffic.ts'
import { makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

/** The container has eth0, by which its default route leads, and net1, whose network is behind a router. */
async function scene(by: Subject) {
  const world = await makeWorld(by)
  const { host, sandbox } = world
  const far = await makeNetns('far')
  const link = async (name: string, inside: string, addresses: readonly string[]) => {
    await host.run(
      'ip',
      'link',
      'add',
      name,
      'up',
      'type',
      'veth',
      'peer',
      'name',
      inside,
      'netns',
      sandbox.name,
    )
    for (const address of addresses) {
      await host.run(
        'ip',
        'addr',
        'add',
        `${address}`.replace('.2/', '.1/').replace('::2/', '::1/'),
        'dev',
        name,
        ...nodad(address),
      )
      await sandbox.run('ip', 'addr', 'add', address, 'dev', inside, ...nodad(address))
    }
    await sandbox.run('ip', 'link', 'set', inside, 'up')
  }
  await link('outer0', 'eth0', ['10.0.0.2/24'])
  await link('outer1', 'net1', ['10.1.0.2/24', 'fd00:1::2/64'])
  await sandbox.run('ip', 'route', 'add', 'default', 'via', '10.0.0.1')
  // Beyond the router the answer of the wrong interface is not taken.
  await host.run(
    'sh',
    '-c',
    'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter',
  )
  await host.run(
    'ip',
    'link',
    'add',
    'beyond',
    'up',
    'type',
    'veth',
    'peer',
    'name',
    'beyond',
    'netns',
    far.name,
  )
  await host.run('ip', 'addr', 'add', '192.0.2.1/24', 'dev', 'beyond')
  await far.run('ip', 'addr', 'add', '192.0.2.2/24', 'dev', 'beyond')
  await far.run('ip', 'link', 'set', 'beyond', 'up')
  await far.run('ip', 'route', 'add', 'default', 'via', '192.0.2.1')
  const prevResult = {
    cniVersion: '1.0.0',
    interfaces: [{ name: 'net1', sandbox: sandbox.path }],
    ips: [
      { address: '10.1.0.2/24', gateway: '10.1.0.1', interface: 0 },
      { address: 'fd00:1::2/64', gateway: 'fd00:1::1', interface: 0 },
    ],
  }
  const config = (more: object = {}) => ({ ...world.config({ type: 'sbr', prevResult }), ...more })
  const request = { type: 'sbr', ifname: 'net1' }
  return {
    world,
    far,
    config,
    prevResult,
    call: (verb: 'ADD' | 'CHECK' | 'DEL', more: object = {}, netns = sandbox.path) =>
      world.call(verb, config(more), { ...request, netns }),
    rules: async () =>
      (await sandbox.run('sh', '-c', 'ip rule; ip -6 rule')).match(/from \S+ lookup \d+.*/g) ?? [],
    table: async (which: number | 'main') =>
      (await sandbox.run('sh', '-c', `ip route show table ${which} 2>/dev/null; true`))
        .trim()
        .split('\n')
        .map(each => each.replace(/ proto \d+/, '').trim()),
    async [Symbol.asyncDispose]() {
      await far[Symbol.asyncDispose]()
      await world[Symbol.asyncDispose]()
    },
  }
}

function nodad(address: string): string[] {
  return address.includes(':') ? ['nodad'] : []
}

for (const subject of subjects()) {
  t.test(`${subject.name}: rules, tables, answers by the right interface`, async t => {
    await using all = await scene(subject)
    const { world, far, rules, table } = all
    await world.host.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/outer0/rp_filter')
    t.notOk(await ping(far, '10.1.0.2', 600), 'before: the answer takes the wrong way')
    const added = await all.call('ADD')
    t.equal(added.code, 0, added.stdout)
    t.match(added.json, all.prevResult)
    t.ok(await ping(far, '10.1.0.2'))
    t.match(await rules(), [/^from 10\.1\.0\.2 lookup 100/, /^from fd00:1::2 lookup 101/])
    t.match(await table(100), [/^default via 10\.1\.0\.1 dev net1/, /^10\.1\.0\.0\/24 dev net1/])
    t.match(await table('main'), [/^default via 10\.0\.0\.1 dev eth0/, /^10\.0\.0\.0\/24 dev eth0/])
    t.equal((await all.call('CHECK')).code, 0)
    t.equal((await all.call('DEL')).code, 0)
    t.strictSame(await rules(), [])
  })

  t.test(`${subject.name}: addresses that name no interface are of this one`, async t => {
    await using all = await scene(subject)
    const ips = all.prevResult.ips.map(ip => ({ ...ip, interface: undefined }))
    const prevResult = { ...all.prevResult, ips }
    t.equal((await all.call('ADD', { prevResult })).code, 0)
    t.equal((await all.rules()).length, 2)
    t.equal((await all.call('CHECK', { prevResult })).code, 0)
    t.equal((await all.call('DEL', { prevResult })).code, 0)
    t.strictSame(await all.rules(), [])
  })
}

const ours = subjects().find(({ name }) => name === 'tnet')
if (ours !== undefined) {
  t.test('rules of the reference go by our DEL', async t => {
    const reference = subjects().find(({ name }) => name === 'reference')
    if (reference === undefined) return t.pass('there is no reference here')
    await using all = await scene(reference)
    t.equal((await all.call('ADD')).code, 0)
    t.equal((await all.rules()).length, 2)
    const config = all.config({ prevResult: undefined })
    const { host, sandbox } = all.world
    const request = { verb: 'DEL', config, host, netns: sandbox.path, ifname: 'net1' } as const
    t.equal((await call(ours.dir, 'sbr', request)).code, 0)
    t.strictSame(await all.rules(), [])
  })

  t.test('rules of others stay', async t => {
    await using all = await scene(ours)
    const { sandbox } = all.world
    await sandbox.run(
      'ip',
      'rule',
      'add',
      'from',
      '10.1.0.2',
      'lookup',
      '100',
      'protocol',
      '4',
      'priority',
      '50',
    )
    await sandbox.run('ip', 'route', 'add', '10.77.0.0/16', 'via', '10.0.0.1', 'table', '101')
    const before = await all.world.snapshot()
    t.equal((await all.call('ADD')).code, 0)
    t.match(await all.rules(), [
      /from 10\.1\.0\.2 lookup 102/,
      /lookup 100 proto static/,
      /from fd00:1::2 lookup 103/,
    ])
    t.equal((await all.call('DEL')).code, 0)
    t.equal(await all.world.snapshot(), before)
  })

  t.test('table: rules alone, gateways, source hints', async t => {
    await using all = await scene(ours)
    t.equal((await all.call('ADD', { table: 500 })).code, 0)
    t.match(await all.rules(), [/lookup 500/, /lookup 500/])
    t.equal((await all.call('CHECK', { table: 500 })).code, 0)
    t.equal((await all.call('CHECK', { table: 501 })).json?.['code'], 100)
    const other = { ...all.config({ table: 500, prevResult: undefined }), name: 'other' }
    t.equal((await all.world.call('DEL', other, { type: 'sbr', ifname: 'net2', containerId: 'c2' })).code, 0)
    t.equal((await all.rules()).length, 2, "an attachment without a link takes nobody else's rules")
    t.equal((await all.call('DEL', { table: 500 })).code, 0)
    const more = { gateways: ['10.1.0.9'], addSourceHints: true }
    await all.world.sandbox.run('ip', 'route', 'add', '10.8.0.0/16', 'via', '10.1.0.1')
    t.equal((await all.call('ADD', more)).code, 0)
    t.match((await all.table(100)).join('\n'), /^default via 10\.1\.0\.9 dev net1/)
    t.match((await all.table(100)).join('\n'), /10\.8\.0\.0\/16 via 10\.1\.0\.1 dev net1.*src 10\.1\.0\.2/)
    t.equal((await all.call('DEL', more)).code, 0)
  })

  t.test('DEL where there is no namespace any more makes nothing in its place', async t => {
    await using all = await scene(ours)
    t.equal((await all.call('DEL', {}, '/run/netns/nobody')).code, 0)
    t.notOk(existsSync('/run/netns/nobody'))
    t.equal((await all.call('DEL', {}, '')).code, 0)
  })
}

const withLink = async ({ sandbox }: World) =>
  sandbox.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'x')
const prevResult = { cniVersion: '1.0.0' }
refusals(
  t,
  [
    {
      name: 'two gateways of one family',
      onlyOurs: 'newer than 1.1.1',
      config: { gateways: ['10.0.0.1', '10.0.0.2'], prevResult },
      code: 7,
    },
    {
      name: 'a gateway that is no address',
      onlyOurs: 'newer than 1.1.1',
      config: { gateways: ['10.0.0'], prevResult },
      code: 7,
    },
    { name: 'table 0', onlyOurs: 'newer than 1.1.1', config: { table: 0, prevResult }, code: 7 },
    { name: 'no result of a plugin before', config: {}, code: 7 },
    {
      name: 'an interface that is not there',
      onlyOurs: 'the reference does not look',
      config: { prevResult },
      code: 7,
    },
  ].map(row => ({
    ...row,
    type: 'sbr',
    before: row.name === 'an interface that is not there' ? async () => {} : withLink,
  })),
)
