// Packets between macvlan containers, the network outside, and the host.
import t, { type Test } from 'tap'
import { isolated, lacks, makeNetns, type Netns } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { ask, ping, serve } from '../harness/traffic.ts'
import { neighbour } from '../harness/uplink.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const ipam = hostLocal(['10.1.0.0/24', 'fd00:1::/64'])
const FIRST = ['10.1.0.2', 'fd00:1::2']
const SECOND = ['10.1.0.3', 'fd00:1::3']
const HOST = ['10.1.0.100', 'fd00:1::64']
const OUTSIDE = ['10.1.0.200', 'fd00:1::c8']
const SHORT = 400

/** Two containers of the network: the world's sandbox and one more. */
async function pair(world: World, more: object): Promise<{ config: Record<string, unknown>; two: Netns }> {
  const config = world.config({ type: 'macvlan', master: 'eth0', ipam, ...more })
  const two = await makeNetns('second')
  for (const netns of [world.sandbox, two]) {
    const added = await world.call('ADD', config, { containerId: netns.name, netns: netns.path })
    if (added.code !== 0) throw new Error(added.stdout)
  }
  return { config, two }
}

async function reaches(t: Test, from: Netns, to: readonly string[], what: string): Promise<void> {
  for (const address of to) t.ok(await ping(from, address), `${what}: ${address}`)
}

async function misses(t: Test, from: Netns, to: readonly string[], what: string): Promise<void> {
  for (const address of to) t.notOk(await ping(from, address, SHORT), `${what}: ${address}`)
}

for (const subject of subjects()) {
  t.test(`${subject.name}: bridge: each other and the network, not the host`, async t => {
    await using world = await makeWorld(subject)
    await using outside = await neighbour(world)
    const { two } = await pair(world, {})
    await using _two = two
    await reaches(t, world.sandbox, SECOND, 'its neighbour')
    await reaches(t, world.sandbox, OUTSIDE, 'the network')
    await reaches(t, outside, FIRST, 'from the network')
    await misses(t, world.sandbox, HOST, 'the host')
    await misses(t, world.host, FIRST, 'from the host')
    await using _server = await serve(outside, 'tcp', 80)
    for (const [index, address] of OUTSIDE.entries()) {
      t.equal(await ask(world.sandbox, 'tcp', address, 80), FIRST[index], 'TCP, seen under its own address')
    }
  })

  for (const mode of ['private', 'vepa']) {
    t.test(`${subject.name}: ${mode}: the network alone`, async t => {
      await using world = await makeWorld(subject)
      await using _outside = await neighbour(world)
      const { two } = await pair(world, { mode })
      await using _two = two
      // In vepa the switch would have to send frames back; this one does not.
      await misses(t, world.sandbox, SECOND, 'its neighbour')
      await reaches(t, world.sandbox, OUTSIDE, 'the network')
    })
  }

  t.test(`${subject.name}: passthru: the network, under the address of the master`, async t => {
    await using world = await makeWorld(subject)
    await using outside = await neighbour(world)
    const config = world.config({ type: 'macvlan', master: 'eth0', mode: 'passthru', ipam })
    t.equal((await world.call('ADD', config)).code, 0)
    await reaches(t, world.sandbox, OUTSIDE, 'the network')
    t.match(await outside.run('ip', 'neigh'), /10\.1\.0\.2 .*02:00:00:00:00:0a/)
  })

  if (subject.name === 'reference') continue

  t.test('hostAccess: the host and its containers reach each other', async t => {
    await using world = await makeWorld(subject)
    await using outside = await neighbour(world)
    const before = await world.host.run('ip', '-br', 'link')
    const { two, config } = await pair(world, { hostAccess: true })
    await using _two = two
    await reaches(t, world.host, [...FIRST, ...SECOND], 'from the host')
    await reaches(t, world.sandbox, HOST, 'the host')
    await reaches(t, two, HOST, 'the host')
    await using _host = await serve(world.host, 'tcp', 80)
    await using _inner = await serve(world.sandbox, 'udp', 80)
    for (const [index, address] of HOST.entries()) {
      t.equal(await ask(two, 'tcp', address, 80), SECOND[index], 'TCP to the host')
      t.equal(await ask(world.host, 'udp', FIRST[index] ?? '', 80), address, 'UDP from the host')
    }
    await reaches(t, outside, [...HOST, ...FIRST], 'the network reaches both as before')
    t.match(await outside.run('ip', 'neigh'), /10\.1\.0\.100 .*02:00:00:00:00:0a/, "by the host's own link")

    t.equal((await world.call('DEL', config, { containerId: two.name, netns: two.path })).code, 0)
    await reaches(t, world.host, FIRST, 'from the host, after the other is gone')
    t.equal((await world.call('DEL', config, { containerId: world.sandbox.name })).code, 0)
    t.equal(await world.host.run('ip', '-br', 'link'), before, 'the link of the host goes with the last')
    t.equal(await world.host.run('ip', 'route', 'show', 'proto', '116'), '')
  })

  t.test('hostAccess: an address of the host that passes is no fault', async t => {
    await using world = await makeWorld(subject)
    await using _outside = await neighbour(world)
    const config = world.config({ type: 'macvlan', master: 'eth0', hostAccess: true, ipam })
    const { json: prevResult } = await world.call('ADD', config)
    const check = () => world.call('CHECK', { ...config, prevResult })
    const add = (...words: string[]) => world.host.run('ip', 'addr', 'add', ...words, 'dev', 'eth0', 'nodad')
    await add('2001:db8::5/64', 'valid_lft', '600', 'preferred_lft', '600')
    t.equal((await check()).code, 0)
    await add('2001:db8::6/64')
    t.match((await check()).json?.['msg'], /2001:db8::6\/128/, 'one that stays has to be reached')
    t.equal((await world.call('DEL', config)).code, 0)
  })

  t.test('hostAccess: with strict reverse path filters', async t => {
    await using world = await makeWorld(subject)
    await using outside = await neighbour(world)
    await world.host.run('sh', '-c', 'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 1 > $f; done')
    const { two } = await pair(world, { hostAccess: true })
    await using _two = two
    await reaches(t, world.host, FIRST, 'from the host')
    await reaches(t, world.sandbox, HOST, 'the host')
    await reaches(t, outside, HOST, 'the host, from the network')
  })

  t.test('a VLAN as master: tagged on the wire', { skip: lacks('vlan') }, async t => {
    await using world = await makeWorld(subject)
    await using outside = await neighbour(world)
    const script = `ip link add link eth0 name vlan10 type vlan id 10; ip link set vlan10 up
      ip addr add 10.1.0.210/24 dev vlan10; ip addr flush dev eth0; ip addr add 192.0.2.1/24 dev eth0`
    await outside.run('sh', '-ec', script)
    const before = await world.host.run('ip', '-br', 'link')
    const { two, config } = await pair(world, { master: 'eth0.10' })
    await using _two = two
    await reaches(t, world.sandbox, ['10.1.0.210', SECOND[0] ?? ''], 'the VLAN')
    t.match(await world.host.run('ip', '-d', 'link', 'show', 'eth0.10'), /vlan protocol 802\.1Q id 10 /)
    t.equal((await world.call('DEL', config, { containerId: two.name, netns: two.path })).code, 0)
    await reaches(t, world.sandbox, ['10.1.0.210'], 'the VLAN, after the other is gone')
    t.equal((await world.call('DEL', config, { containerId: world.sandbox.name, netns: '' })).code, 0)
    t.equal(await world.host.run('ip', '-br', 'link'), before, 'the VLAN goes with the last')
  })
}
