// bandwidth as a runtime calls it, behind a bridge and elsewhere: what it makes, what it refuses, and what packets see of it.
import { resolve } from 'node:path'
import t, { type Test } from 'tap'
import { type Chain, chain } from '../harness/chain.ts'
import { isolated, makeNetns } from '../harness/namespaces.ts'
import { call, subjects, type Subject } from '../harness/plugins.ts'
import { refusals } from '../harness/refusals.ts'
import { bridged, type Sample } from '../harness/samples.ts'
import { ask, ping, throughput } from '../harness/traffic.ts'
import { makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const MEGABIT = 1e6
const limits = {
  ingressRate: 10 * MEGABIT,
  ingressBurst: 0.4 * MEGABIT,
  egressRate: 20 * MEGABIT,
  egressBurst: 0.4 * MEGABIT,
}
/** Our directory, also where the reference's is the one to be tested. */
const ours: Subject = { name: 'tnet', dir: resolve(import.meta.dirname, '../../dist/bin') }

const sample = (config: object = limits, after: Sample['after'] = [bridged]): Sample => ({
  type: 'bandwidth',
  config,
  after,
})

/** Not more than the limit lets through, and more than a machine that is busy with others may make of it. */
function near(t: Test, found: number, wanted: number, name: string): void {
  const isShaped = found < 1.25 * wanted && found > 0.05 * wanted
  t.ok(isShaped, `${name}: ${(found / MEGABIT).toFixed(1)} Mbit/s`)
}

/** The address of the bridge, and that of the first container. */
const [GATEWAY, CONTAINER] = ['10.1.0.1', '10.1.0.2']
const TRACES = /qdisc (tbf|clsact|ingress)|bwp|mirred/

/** The reference's 1.1.1 knows no newer version. */
const VERSION = { cniVersion: '1.0.0' }

interface Scene extends AsyncDisposable {
  readonly world: World
  readonly one: Chain
  /** DEL of bandwidth alone, by our executable, without the result. */
  del(netns?: string): Promise<void>
}

/** A container that `by` has attached to a bridge, and limited. */
async function scene(t: Test, by: Subject, config: object = limits): Promise<Scene> {
  const world = await makeWorld(by)
  const list = sample({ ...VERSION, ...config }, [{ ...VERSION, ...bridged }])
  const one = chain(world, list, { containerId: 'c1', netns: world.sandbox.path })
  await one.add()
  return {
    world,
    one,
    async del(netns = world.sandbox.path) {
      const whole = { ...world.config(), ...VERSION, ...config, type: 'bandwidth' }
      const request = { verb: 'DEL', config: whole, netns, host: world.host } as const
      const { code, stdout } = await call(ours.dir, 'bandwidth', request)
      t.equal(code, 0, `DEL: ${stdout}`)
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}

for (const subject of subjects()) {
  t.test(`${subject.name}: rates in both directions`, async t => {
    await using all = await scene(t, subject)
    const { world, one } = all
    near(t, await throughput(world.host, world.sandbox, CONTAINER), 10 * MEGABIT, 'to the container')
    near(t, await throughput(world.sandbox, world.host, GATEWAY), 20 * MEGABIT, 'from the container')
    for (const { code, stdout } of await one.check()) t.equal(code, 0, `CHECK: ${stdout}`)
  })

  t.test(`${subject.name}: our CHECK and DEL, and then nothing holds up anything`, async t => {
    await using all = await scene(t, subject)
    const { world, del } = all
    t.match(await world.snapshot(), TRACES)
    await del()
    t.notMatch(await world.snapshot(), TRACES, 'no qdisc, no filter, no ifb')
    const rate = 30 * MEGABIT // more than either limit, and hundreds of times less than a machine that is not busy
    t.ok((await throughput(world.host, world.sandbox, CONTAINER)) > rate, 'to the container')
    t.ok((await throughput(world.sandbox, world.host, GATEWAY)) > rate, 'from the container')
  })
}

t.test('what the reference limited passes our CHECK', async t => {
  const by = subjects().find(({ name }) => name === 'reference')
  if (by === undefined) return t.pass('there is no reference here')
  await using all = await scene(t, by)
  const { world } = all
  const ips = [{ address: '10.1.0.2/24', interface: 0 }]
  const prevResult = { ...VERSION, interfaces: [{ name: 'eth0', sandbox: world.sandbox.path }], ips }
  const whole = { ...world.config(), ...VERSION, ...limits, type: 'bandwidth', prevResult }
  const check = (config: object) =>
    call(ours.dir, 'bandwidth', { verb: 'CHECK', config, netns: world.sandbox.path, host: world.host })
  const checked = await check(whole)
  t.equal(checked.code, 0, checked.stdout)
  t.equal((await check({ ...whole, egressRate: 21 * MEGABIT })).json?.['code'], 100, 'another rate')
  t.equal((await check({ ...whole, ingressBurst: 0.5 * MEGABIT })).json?.['code'], 100, 'another burst')
})

t.test('bursts smaller than a packet', async t => {
  const tiny = { ...limits, ingressBurst: 1, egressBurst: 8 }
  await using all = await scene(t, ours, tiny)
  const { world } = all
  near(t, await throughput(world.host, world.sandbox, CONTAINER), 10 * MEGABIT, 'to the container')
  near(t, await throughput(world.sandbox, world.host, GATEWAY), 20 * MEGABIT, 'from the container')
})

t.test('the answer has the ifb at its end', async t => {
  await using all = await scene(t, ours, {})
  const { world } = all
  const interfaces = [{ name: 'eth0', mac: '02:00:00:00:00:01', sandbox: world.sandbox.path }]
  const prevResult = { cniVersion: '1.1.0', interfaces, ips: [{ address: '10.1.0.2/24', interface: 0 }] }
  const config = { ...world.config({ cniVersion: '1.1.0', ...limits, prevResult }), name: 'net' }
  const { json, code, stdout } = await world.call('ADD', config, { type: 'bandwidth' })
  t.equal(code, 0, stdout)
  const told = json?.['interfaces'] as { name: string; mtu: number }[]
  t.match(told[0], interfaces[0])
  t.match(told[1], { name: /^bwp[0-9a-f]{12}$/, mtu: 1500 })
  t.match(json?.['ips'], [{ address: '10.1.0.2/24', interface: 0 }])
})

t.test('two interfaces of one container on one network', async t => {
  await using all = await scene(t, ours)
  const { world, del } = all
  const second = chain(
    world,
    { ...sample({ ...VERSION, ...limits }), ifname: 'eth1' },
    {
      containerId: 'c1',
      netns: world.sandbox.path,
    },
  )
  await second.add()
  await del()
  for (const { code, stdout } of await second.check()) t.equal(code, 0, `the other one: ${stdout}`)
  for (const { code, stdout } of await second.del()) t.equal(code, 0, stdout)
  t.notMatch(await world.snapshot(), TRACES)
})

/** Packets to port 7777 go to a link that is down. */
const DROP = 'u32 match ip dport 7777 0xffff action mirred egress redirect dev hole'.split(' ')

function makeHole({ host }: World): Promise<string> {
  return host.run('ip', 'link', 'add', 'hole', 'type', 'ifb')
}

t.test('beside others in a clsact qdisc', async t => {
  await using all = await scene(t, ours, {})
  const { world } = all
  const [veth = ''] = /veth\w+/.exec(await world.host.run('ip', '-o', 'link', 'show', 'type', 'veth')) ?? []
  const tc = (...args: string[]) => world.host.run('tc', ...args)
  await makeHole(world)
  await tc('qdisc', 'add', 'dev', veth, 'clsact')
  for (const side of ['ingress', 'egress']) {
    await tc('filter', 'add', 'dev', veth, side, 'pref', '10', 'protocol', 'ip', ...DROP)
  }
  const before = await world.snapshot()
  const config = { ...world.config({ ...limits }), type: 'bandwidth' }
  const prevResult = { cniVersion: '1.0.0' }
  const added = await world.call('ADD', { ...config, prevResult }, { type: 'bandwidth' })
  t.equal(added.code, 0, added.stdout)
  near(t, await throughput(world.sandbox, world.host, GATEWAY), 20 * MEGABIT, 'from the container')
  t.equal(await ask(world.sandbox, 'tcp', GATEWAY, 7777, 300), undefined, "the others' filter still drops")
  t.equal((await world.call('DEL', config, { type: 'bandwidth' })).code, 0)
  t.equal(await world.snapshot(), before, 'qdisc and filters of the others stay')
})

t.test('filters that others put into our qdisc stay', async t => {
  await using all = await scene(t, ours)
  const { world, del } = all
  const [veth = ''] = /veth\w+/.exec(await world.host.run('ip', '-o', 'link', 'show', 'type', 'veth')) ?? []
  await makeHole(world)
  await world.host.run('tc', 'filter', 'add', 'dev', veth, 'egress', 'protocol', 'ip', ...DROP)
  await del()
  t.match(await world.snapshot(), /qdisc clsact/)
  t.notMatch(await world.snapshot(), /tbf|bwp/)
})

t.test('a link that is no veth is limited in the sandbox', async t => {
  await using world = await makeWorld(ours)
  const { host, sandbox } = world
  const other = await makeNetns('other')
  await host.run(
    'ip',
    'link',
    'add',
    'uplink',
    'up',
    'type',
    'veth',
    'peer',
    'name',
    'far',
    'netns',
    other.name,
  )
  await host.run('ip', 'link', 'add', 'mv', 'link', 'uplink', 'type', 'macvlan')
  await host.run('ip', 'link', 'set', 'mv', 'netns', sandbox.name, 'name', 'eth0')
  for (const [place, link, address] of [
    [sandbox, 'eth0', '10.9.0.1/24'],
    [other, 'far', '10.9.0.2/24'],
  ] as const) {
    await place.run('ip', 'addr', 'add', address, 'dev', link)
    await place.run('ip', 'link', 'set', link, 'up')
  }
  t.ok(await ping(sandbox, '10.9.0.2'))
  const before = await world.snapshot()
  const config = { ...world.config({ cniVersion: '1.1.0', ...limits }), prevResult: { cniVersion: '1.1.0' } }
  const added = await world.call('ADD', config, { type: 'bandwidth' })
  t.equal(added.code, 0, added.stdout)
  t.match(added.json?.['interfaces'], [{ sandbox: sandbox.path }])
  near(t, await throughput(other, sandbox, '10.9.0.1'), 10 * MEGABIT, 'to the container')
  near(t, await throughput(sandbox, other, '10.9.0.2'), 20 * MEGABIT, 'from the container')
  const checked = await world.call('CHECK', { ...config, prevResult: added.json }, { type: 'bandwidth' })
  t.equal(checked.code, 0, checked.stdout)
  const valid = { 'cni.dev/valid-attachments': [] }
  const nobody = { type: 'bandwidth', containerId: '', netns: '', ifname: '' }
  t.equal((await world.call('GC', { ...config, ...valid }, nobody)).code, 0)
  t.equal(await world.snapshot(), before, 'GC finds it there')
  t.equal((await world.call('ADD', config, { type: 'bandwidth' })).code, 0)
  t.equal((await world.call('DEL', config, { type: 'bandwidth' })).code, 0)
  t.equal(await world.snapshot(), before)
  await other[Symbol.asyncDispose]()
})

t.test('STATUS', async t => {
  await using world = await makeWorld(ours)
  const before = await world.snapshot()
  const nobody = { type: 'bandwidth', containerId: '', netns: '', ifname: '' }
  const config = world.config({ cniVersion: '1.1.0', type: 'bandwidth', ...limits })
  const { code, stdout } = await world.call('STATUS', config, nobody)
  t.equal(code, 0, stdout)
  t.equal(await world.snapshot(), before, 'asking makes nothing')
})

const prevResult = { cniVersion: '1.0.0' }
const runtimeConfig = (bandwidth: object) => ({ runtimeConfig: { bandwidth }, prevResult })
refusals(
  t,
  [
    { name: 'a rate without burst', config: { ingressRate: 8e6, prevResult }, code: 7 },
    { name: 'a burst without rate', config: { egressBurst: 8e6, prevResult }, code: 7 },
    { name: 'a rate without burst, by the runtime', config: runtimeConfig({ egressRate: 8e6 }), code: 7 },
    { name: 'a burst of 4 GiB', config: { ingressRate: 8, ingressBurst: 2 ** 35, prevResult }, code: 7 },
    { name: 'a negative rate', config: { ingressRate: -8, ingressBurst: 8, prevResult }, code: 7 },
    { name: 'a rate that is a text', config: { ingressRate: '8', ingressBurst: 8, prevResult }, code: 7 },
    { name: 'no result of a plugin before', config: limits, code: 7 },
    {
      name: 'no result and no limits',
      onlyOurs: 'the reference crashes',
      config: {},
      code: 7,
    },
    {
      name: 'a version before interfaces',
      config: { ...limits, cniVersion: '0.2.0' },
      code: 1,
      referenceCode: 1,
    },
    { name: 'an interface that is not there', config: { ...limits, prevResult }, code: 7 },
    {
      name: 'CHECK without a result',
      verb: 'CHECK' as const,
      config: limits,
      code: 7,
    },
  ].map(row => ({ ...row, type: 'bandwidth' })),
)
