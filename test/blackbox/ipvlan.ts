// The ipvlan plugin: what it answers and makes, alone and after another; what it refuses; traffic; CHECK, DEL, GC, STATUS.
import t, { type Test } from 'tap'
import { type Row, table } from '../harness/lifecycle.ts'
import { isolated, lacks, makeNetns, type Netns } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { type Refusal, refusals } from '../harness/refusals.ts'
import { ping } from '../harness/traffic.ts'
import { neighbour, onInner, uplink } from '../harness/uplink.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(1_200_000)

const ipam = hostLocal(['10.1.0.0/24'])
const plain = { type: 'ipvlan', master: 'eth0', ipam }
const ip4 = { interface: 0, address: '10.1.0.2/24', gateway: '10.1.0.1' }
const answer = (more: object = {}) => ({
  cniVersion: '1.0.0',
  interfaces: [{ name: 'eth0', mac: 'MAC', sandbox: 'SANDBOX' }],
  ...more,
})
const missing = lacks('ipvlan')
const skip = missing

/** What a plugin before would have answered that makes no link of its own but names one of the host's. */
const before = {
  cniVersion: '1.0.0',
  interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:0a' }],
  ips: [{ interface: 0, address: '10.1.0.7/24', gateway: '10.1.0.1' }],
  routes: [{ dst: '0.0.0.0/0' }],
  dns: { nameservers: ['192.0.2.53'] },
}

function row(name: string, more: Partial<Row> & { readonly config?: object } = {}): Row {
  return {
    before: uplink,
    result: answer({ ips: [ip4] }),
    ...more,
    name,
    config: { ...plain, ...more.config },
  }
}

const mode = (name: string) =>
  row(`mode ${name}`, {
    config: { mode: name },
    also: async (t, { sandbox }) =>
      t.match(await sandbox.run('ip', '-d', 'link', 'show', 'eth0'), new RegExp(`ipvlan +mode ${name} `)),
  })

const rows: Row[] = [
  row('an address', {
    facts: {
      sandbox: { eth0: { up: true, addresses: ['10.1.0.2/24'], mtu: 1500, mac: '02:00:00:00:00:0a' } },
      leases: ['10.1.0.2'],
    },
    also: async (t, { sandbox }) =>
      t.match(await sandbox.run('ip', '-d', 'link', 'show', 'eth0'), /ipvlan +mode l2 /),
  }),
  ...['l2', 'l3', 'l3s'].map(mode),
  row('on a link of the container', onInner),
  row('mtu', { config: { mtu: 1400 }, facts: { sandbox: { eth0: { mtu: 1400 } } } }),
  row('the master is that of the default route', {
    before: async world => {
      await uplink(world)
      await world.host.run('ip', 'route', 'add', 'default', 'via', '10.1.0.1')
    },
    config: { master: undefined },
    noReferenceCheck: 'it looks for a link without a name',
  }),
]

function refused(name: string, code: number, more: Partial<Refusal> & { readonly config?: object }): Refusal {
  return { before: uplink, ...more, name, code, type: 'ipvlan', config: { ...plain, ...more.config } }
}

const bad: Refusal[] = [
  refused('an unknown mode', 7, { config: { mode: 'l4' } }),
  refused('an mtu above that of the master', 7, {
    config: { mtu: 1501 },
    onlyOurs: 'it leaves that to the kernel',
  }),
  refused('a master that is missing', 7, { config: { master: 'eth9' } }),
  refused('no master and no default route', 7, { config: { master: undefined } }),
  refused('no ipam and no result', 7, { config: { ipam: undefined } }),
  refused('a result without addresses', 7, {
    config: { ipam: undefined, prevResult: { ...before, ips: [] } },
  }),
  refused('a result with two interfaces, and no master', 7, {
    config: {
      master: undefined,
      ipam: undefined,
      prevResult: { ...before, interfaces: [...before.interfaces, { name: 'eth1' }] },
    },
  }),
]

if (missing === false) {
  table(t, rows)
  refusals(t, bad)
} else {
  // What is refused before the kernel is asked, is refused on every kernel.
  refusals(
    t,
    bad.map(each => ({ ...each, onlyOurs: 'this kernel has no such links' })),
  )
}

for (const subject of subjects()) {
  t.test(`${subject.name}: after another plugin: on its interface, with its addresses`, { skip }, async t => {
    await using world = await makeWorld(subject)
    await uplink(world)
    const config = world.config({ type: 'ipvlan', prevResult: before })
    const { code, stdout, json } = await world.call('ADD', config)
    t.equal(code, 0, stdout)
    t.match(json, { interfaces: [{ name: 'eth0', sandbox: world.sandbox.path }], routes: before.routes })
    t.strictSame(json?.['ips'], [{ interface: 0, address: '10.1.0.7/24', gateway: '10.1.0.1' }])
    if (subject.name === 'tnet') t.strictSame(json?.['dns'], before.dns)
    t.match(await world.sandbox.run('ip', 'route'), 'default via 10.1.0.1')
    const end = world.config({ type: 'ipvlan', prevResult: json })
    if (subject.name === 'tnet') t.equal((await world.call('CHECK', end)).code, 0)
    t.equal((await world.call('DEL', end)).code, 0)
    t.notMatch(await world.sandbox.run('ip', '-br', 'link'), 'eth0')
  })

  for (const mode of ['l2', 'l3', 'l3s']) {
    t.test(`${subject.name}: ${mode}: each other and the network`, { skip }, async t => {
      await using world = await makeWorld(subject)
      await using outside = await neighbour(world)
      await using two = await makeNetns('second')
      const config = world.config({ ...plain, mode })
      for (const netns of [world.sandbox, two]) await added(t, world, config, netns)
      t.ok(await ping(world.sandbox, '10.1.0.3'), 'its neighbour')
      // Of layer 3, no broadcast gets in or out: the network outside has to know the way.
      if (mode !== 'l2') {
        await outside.run('ip', 'neigh', 'replace', '10.1.0.2', 'lladdr', '02:00:00:00:00:0a', 'dev', 'eth0')
      }
      t.ok(await ping(world.sandbox, '10.1.0.200'), 'the network')
      t.ok(await ping(outside, '10.1.0.2'), 'from the network')
    })
  }
}

async function added(t: Test, world: World, config: object, { name, path }: Netns): Promise<void> {
  const { code, stdout } = await world.call('ADD', config, { containerId: name, netns: path })
  t.equal(code, 0, stdout)
}

const subject = subjects().find(({ name }) => name === 'tnet')
const request = { containerId: '', netns: '', ifname: '' }

async function prepared(): Promise<World> {
  if (subject === undefined) throw new Error('no plugin directory of ours')
  const world = await makeWorld(subject)
  await uplink(world)
  return world
}

t.test('DEL without a default route that could name the master', { skip }, async t => {
  await using world = await prepared()
  const config = world.config({ type: 'ipvlan', ipam })
  t.equal((await world.call('ADD', { ...config, master: 'eth0' })).code, 0)
  t.equal((await world.call('DEL', config)).code, 0)
  t.notMatch(await world.sandbox.run('ip', '-br', 'link'), 'eth0')
})

t.test("DEL of another implementation's, where the path leads to another's by now", { skip }, async t => {
  const reference = subjects().find(({ name }) => name === 'reference')
  if (reference === undefined) return t.pass('there is no reference')
  await using world = await prepared()
  await using other = await makeWorld(reference)
  const config = { ...world.config(plain), cniVersion: '1.0.0' }
  const place = { host: world.host, netns: world.sandbox.path }
  const { json } = await other.call('ADD', config, { ...place, containerId: 'c1' })
  await world.sandbox.run('ip', 'link', 'del', 'eth0')
  t.equal((await other.call('ADD', config, { ...place, containerId: 'c2' })).code, 0)
  t.equal((await world.call('DEL', { ...config, prevResult: json }, { containerId: 'c1' })).code, 0)
  t.match(await world.sandbox.run('ip', '-br', 'addr'), /eth0.*10\.1\.0\.3/, 'the MAC address is shared')
  t.equal((await world.call('DEL', config, { containerId: 'c2' })).code, 0)
  t.notMatch(await world.sandbox.run('ip', '-br', 'link'), 'eth0')
})

const damages = {
  'the interface is gone': 'ip link del eth0',
  'the interface is down': 'ip link set eth0 down',
  'the mode is another': 'ip link set eth0 type ipvlan mode l3',
  'an address is gone': 'ip addr del 10.1.0.2/24 dev eth0',
}

for (const [name, deed] of Object.entries(damages)) {
  t.test(`CHECK: ${name}`, { skip }, async t => {
    await using world = await prepared()
    const config = world.config(plain)
    const { json } = await world.call('ADD', config)
    t.equal((await world.call('CHECK', { ...config, prevResult: json })).code, 0)
    await world.sandbox.run('sh', '-ec', deed)
    t.equal((await world.call('CHECK', { ...config, prevResult: json })).json?.['code'], 100)
  })
}

t.test('GC and STATUS', { skip }, async t => {
  await using world = await prepared()
  const config = world.config({ ...plain, cniVersion: '1.1.0' })
  t.equal((await world.call('ADD', config)).code, 0)
  t.equal((await world.call('GC', { ...config, 'cni.dev/valid-attachments': [] }, request)).code, 0)
  t.notMatch(await world.sandbox.run('ip', '-br', 'link'), 'eth0')
  t.equal((await world.call('STATUS', config, request)).code, 0)
  t.equal((await world.call('STATUS', { ...config, master: 'eth9' }, request)).json?.['code'], 50)
})
