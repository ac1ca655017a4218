// The vlan plugin: what it answers and makes, what it refuses, what is on the wire, CHECK, DEL, GC and STATUS.
import t from 'tap'
import { type Row, table } from '../harness/lifecycle.ts'
import { isolated, lacks } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { type Refusal, refusals } from '../harness/refusals.ts'
import { ping } from '../harness/traffic.ts'
import { neighbour, onInner, uplink } from '../harness/uplink.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(1_200_000)

const ipam = hostLocal(['10.1.0.0/24'])
const plain = { type: 'vlan', master: 'eth0', vlanId: 10, ipam }
const ip4 = { interface: 0, address: '10.1.0.2/24', gateway: '10.1.0.1' }
const answer = (more: object = {}) => ({
  cniVersion: '1.0.0',
  interfaces: [{ name: 'eth0', mac: 'MAC', sandbox: 'SANDBOX' }],
  ...more,
})
const missing = lacks('vlan')
const skip = missing

function row(name: string, more: Partial<Row> & { readonly config?: object } = {}): Row {
  return {
    before: uplink,
    result: answer({ ips: [ip4] }),
    ...more,
    name,
    config: { ...plain, ...more.config },
  }
}

const rows: Row[] = [
  row('an address', {
    facts: {
      sandbox: { eth0: { up: true, addresses: ['10.1.0.2/24'], mtu: 1500, mac: '02:00:00:00:00:0a' } },
      leases: ['10.1.0.2'],
    },
    also: async (t, { sandbox }) =>
      t.match(await sandbox.run('ip', '-d', 'link', 'show', 'eth0'), /vlan protocol 802\.1Q id 10 /),
  }),
  row('the highest VLAN', {
    config: { vlanId: 4094 },
    also: async (t, { sandbox }) =>
      t.match(await sandbox.run('ip', '-d', 'link', 'show', 'eth0'), / id 4094 /),
  }),
  row('on a link of the container', onInner),
  row('mtu', { config: { mtu: 1400 }, facts: { sandbox: { eth0: { mtu: 1400 } } } }),
  row('no ipam: layer 2 alone', {
    onlyOurs: 'the reference wants one',
    config: { ipam: {} },
    result: answer(),
    facts: { sandbox: { eth0: { up: true, addresses: [] } } },
  }),
  row('CNI_ARGS is for others', {
    onlyOurs: 'its IPAM plugin refuses it',
    config: { ipam: {} },
    request: { args: 'COLOUR=green' },
    result: answer(),
  }),
]

function refused(name: string, code: number, more: Partial<Refusal> & { readonly config?: object }): Refusal {
  return { before: uplink, ...more, name, code, type: 'vlan', config: { ...plain, ...more.config } }
}

const bad: Refusal[] = [
  refused('the VLAN 0', 7, { onlyOurs: 'it takes it', config: { vlanId: 0 } }),
  refused('the VLAN 4095', 7, { config: { vlanId: 4095 } }),
  refused('a negative VLAN', 7, { config: { vlanId: -1 } }),
  refused('no VLAN', 7, { onlyOurs: 'it takes 0', config: { vlanId: undefined } }),
  refused('no master', 7, { config: { master: undefined } }),
  refused('a master that is missing', 7, { config: { master: 'eth9' } }),
  refused('an mtu above that of the master', 7, { config: { mtu: 1501 } }),
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

const subject = subjects().find(({ name }) => name === 'tnet')
const request = { containerId: '', netns: '', ifname: '' }

async function prepared(): Promise<World> {
  if (subject === undefined) throw new Error('no plugin directory of ours')
  return makeWorld(subject)
}

t.test('tagged on the wire', { skip }, async t => {
  await using world = await prepared()
  await using outside = await neighbour(world)
  await outside.run('ip', 'addr', 'flush', 'dev', 'eth0')
  const peer = `ip link add link eth0 name tagged type vlan id 10; ip link set tagged up
    ip addr add 10.1.0.210/24 dev tagged`
  await outside.run('sh', '-ec', peer)
  t.equal((await world.call('ADD', world.config(plain))).code, 0)
  t.ok(await ping(world.sandbox, '10.1.0.210'), 'the VLAN of the other host')
  t.ok(await ping(outside, '10.1.0.2'), 'and back')
  await outside.run('sh', '-ec', 'ip addr flush dev tagged; ip addr add 10.1.0.210/24 dev eth0')
  t.notOk(await ping(world.sandbox, '10.1.0.210', 400), 'not without its tag')
})

t.test('DEL where the master is gone, renamed, or a key is wrong', { skip }, async t => {
  for (const deed of ['ip link del eth0', 'ip link set eth0 down; ip link set eth0 name eth1', 'true']) {
    await using world = await prepared()
    await uplink(world)
    const config = world.config(plain)
    t.equal((await world.call('ADD', config)).code, 0)
    await world.host.run('sh', '-ec', deed)
    const { code, stdout } = await world.call('DEL', { ...config, vlanId: 0 })
    t.equal(code, 0, `${deed}: ${stdout}`)
    t.notMatch(await world.sandbox.run('ip', '-br', 'link'), 'eth0')
    t.strictSame((await world.facts()).leases, [])
  }
})

const damages = {
  'the interface is gone': 'ip link del eth0',
  'the VLAN is another': 'ip link set eth0 down; ip link set eth0 name old; ip link add eth0 type bridge',
  'the interface is down': 'ip link set eth0 down',
  'the mtu is another': 'ip link set eth0 mtu 1300',
}

for (const [name, deed] of Object.entries(damages)) {
  t.test(`CHECK: ${name}`, { skip }, async t => {
    await using world = await prepared()
    await uplink(world)
    const config = world.config({ ...plain, cniVersion: '1.1.0', mtu: 1400 })
    const { json } = await world.call('ADD', config)
    t.equal((await world.call('CHECK', { ...config, prevResult: json })).code, 0)
    const other = { ...config, vlanId: 11, prevResult: json }
    t.equal((await world.call('CHECK', other)).json?.['code'], 100, 'another VLAN is wanted')
    await world.sandbox.run('sh', '-ec', deed)
    t.equal((await world.call('CHECK', { ...config, prevResult: json })).json?.['code'], 100)
  })
}

t.test('GC and STATUS', { skip }, async t => {
  await using world = await prepared()
  await uplink(world)
  const config = world.config({ ...plain, cniVersion: '1.1.0' })
  t.equal((await world.call('ADD', config)).code, 0)
  t.equal((await world.call('GC', { ...config, 'cni.dev/valid-attachments': [] }, request)).code, 0)
  t.notMatch(await world.sandbox.run('ip', '-br', 'link'), 'eth0')
  t.equal((await world.call('STATUS', config, request)).code, 0)
  await world.host.run('ip', 'link', 'set', 'eth0', 'down')
  t.equal((await world.call('STATUS', config, request)).json?.['code'], 50, 'its master is down')
  t.equal((await world.call('ADD', config)).json?.['code'], 50)
})
