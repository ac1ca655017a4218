// CHECK, DEL, GC and STATUS of macvlan: what is special to it beside the matrices over all plugins.
import t from 'tap'
import { isolated, lacks, makeNetns } from '../harness/namespaces.ts'
import { subjects, type Subject } from '../harness/plugins.ts'
import { uplink } from '../harness/uplink.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const ipam = hostLocal(['10.1.0.0/24', 'fd00:1::/64'])
const plain = { cniVersion: '1.1.0', type: 'macvlan', master: 'eth0', mtu: 1400, enabledad: false, ipam }
const [ours] = subjects().filter(({ name }) => name === 'tnet')
const reference = subjects().find(({ name }) => name === 'reference')

async function prepared(subject: Subject | undefined): Promise<World> {
  if (subject === undefined) throw new Error('no plugin directory of ours')
  const world = await makeWorld(subject)
  await uplink(world)
  return world
}

const shim = "$(ip -br link | sed -n 's/^\\(tnet[0-9a-f]*\\)@.*/\\1/p')"
const host = (script: string) => (world: World) => world.host.run('sh', '-ec', script)
const sandbox = (script: string) => (world: World) => world.sandbox.run('sh', '-ec', script)

const damages: Record<string, (world: World) => Promise<unknown>> = {
  'the interface is gone': sandbox('ip link del eth0'),
  'the interface is down': sandbox('ip link set eth0 down'),
  'the interface is of another kind': sandbox(
    'mac=$(ip -br link show eth0 | awk "{print \\$3}"); ip link del eth0; ip link add eth0 address $mac type veth peer name x',
  ),
  'the mode is another': sandbox('ip link set eth0 type macvlan mode private'),
  'the mtu is another': sandbox('ip link set eth0 mtu 1300'),
  'the hardware address is another': sandbox('ip link set eth0 address 02:00:00:00:00:77'),
  'an address is gone': sandbox('ip addr del 10.1.0.2/24 dev eth0'),
  'the master has another name': host(
    'ip link set eth0 down; ip link set eth0 name eth1; ip link set eth1 up',
  ),
  'the master is gone': host('ip link del eth0'),
  'the shim is gone': host(`ip link del ${shim}`),
  'the shim is down': host(`ip link set ${shim} down`),
  "the host's route is gone": host('ip route flush proto 116'),
  "the host's route of IPv6 is gone": host('ip -6 route flush proto 116'),
  'the way back is gone': sandbox('ip -6 route del fd00:1::64'),
}

for (const [name, deed] of Object.entries(damages)) {
  t.test(`CHECK: ${name}`, async t => {
    await using world = await prepared(ours)
    const config = world.config({ ...plain, hostAccess: true })
    const { json } = await world.call('ADD', config)
    const asked = { ...config, prevResult: json }
    t.equal((await world.call('CHECK', asked)).code, 0)
    await deed(world)
    const answer = await world.call('CHECK', asked)
    t.equal(answer.json?.['code'], 100, answer.stdout)
    t.equal((await world.call('DEL', asked)).code, 0)
    t.notMatch(await world.host.run('ip', '-br', 'link'), /^tnet/m)
  })
}

t.test('DEL without a default route that could name the master', async t => {
  await using world = await prepared(ours)
  await world.host.run('ip', 'route', 'add', 'default', 'via', '10.1.0.1')
  const before = await world.snapshot()
  const config = world.config({ ...plain, master: undefined, hostAccess: true })
  t.equal((await world.call('ADD', config)).code, 0)
  t.equal((await world.call('DEL', config)).code, 0)
  t.equal((await world.call('ADD', config)).code, 0)
  await world.host.run('ip', 'route', 'del', 'default')
  t.equal((await world.call('DEL', { ...config, mode: 'nonsense', mtu: -1 })).code, 0)
  await world.host.run('ip', 'route', 'add', 'default', 'via', '10.1.0.1')
  t.equal(without(await world.snapshot(), 'files'), without(before, 'files'))
})

t.test(
  "DEL of another implementation's attachment, where the path leads to another container by now",
  async t => {
    if (reference === undefined) return t.pass('there is no reference')
    await using world = await prepared(reference)
    const config = { ...world.config(plain), cniVersion: '1.0.0' }
    const other = await makeWorld(ours as Subject)
    await using _other = other
    const { json } = await world.call('ADD', config)
    await world.sandbox.run('ip', 'link', 'del', 'eth0')
    t.equal((await world.call('ADD', config, { containerId: 'c2' })).code, 0)
    const successor = await world.sandbox.run('ip', 'addr')
    const asked = { host: world.host, netns: world.sandbox.path, containerId: 'c1' }
    t.equal((await other.call('DEL', { ...config, prevResult: json }, asked)).code, 0)
    t.equal(await world.sandbox.run('ip', 'addr'), successor, 'the successor keeps its link')
    t.equal((await other.call('DEL', config, { ...asked, containerId: 'c2' })).code, 0)
    t.notMatch(await world.sandbox.run('ip', 'addr'), 'eth0', "the reference's is removed")
  },
)

t.test('GC: of two networks on one master only its own, with the link, the routes and the shim', async t => {
  await using world = await prepared(ours)
  await using two = await makeNetns('second')
  const one = world.config({ ...plain, hostAccess: true })
  const other = { ...one, name: `${world.network}-other`, ipam: hostLocal(['10.1.0.128/25']) }
  t.equal((await world.call('ADD', one)).code, 0)
  t.equal((await world.call('ADD', other, { netns: two.path, containerId: 'c2' })).code, 0)
  const request = { containerId: '', netns: '', ifname: '' }
  const gc = (valid: object[]) => world.call('GC', { ...one, 'cni.dev/valid-attachments': valid }, request)
  const whole = await world.snapshot()
  t.equal((await gc([{ containerID: 'c1', ifname: 'eth0' }])).code, 0)
  t.equal(await world.snapshot(), whole, 'what is valid stays')
  t.equal((await gc([])).code, 0)
  t.notMatch(await world.sandbox.run('ip', '-br', 'link'), 'eth0')
  t.match(await two.run('ip', '-br', 'link'), 'eth0')
  t.notMatch(await world.host.run('ip', 'route'), '10.1.0.2 ')
  t.match(await world.host.run('ip', 'route'), '10.1.0.130 ')
  t.equal((await world.call('DEL', other, { netns: two.path, containerId: 'c2' })).code, 0)
})

t.test('STATUS', async t => {
  await using world = await prepared(ours)
  const request = { containerId: '', netns: '', ifname: '' }
  const status = async (more: object) =>
    (await world.call('STATUS', world.config({ ...plain, ...more }), request)).json?.['code']
  t.equal(await status({}), undefined)
  t.equal(await status({ master: 'eth9' }), 50)
  t.equal(await status({ master: undefined }), 50)
  t.equal(await status({ mtu: 9000 }), 50)
  t.equal(await status({ master: 'eth0.10' }), undefined, 'it would be made')
  t.equal(await status({ master: 'eth9.10' }), 50)
  t.equal(await status({ linkInContainer: true, master: 'inner' }), undefined)
  t.notMatch(await world.host.run('ip', '-br', 'link'), 'tnet')
})

t.test('linkInContainer', async t => {
  await using world = await prepared(ours)
  const inner = 'ip link add inner type veth peer name peer; ip link set inner up; ip link set peer up'
  await world.sandbox.run('sh', '-ec', inner)
  const config = world.config({ ...plain, master: 'inner', linkInContainer: true })
  const before = await world.sandbox.run('ip', '-br', 'link')
  const { code, stdout, json } = await world.call('ADD', config)
  t.equal(code, 0, stdout)
  t.match(await world.sandbox.run('ip', 'link', 'show', 'eth0'), 'eth0@inner')
  t.equal((await world.call('CHECK', { ...config, prevResult: json })).code, 0)
  const onHost = { ...config, master: 'eth0', linkInContainer: false, prevResult: json }
  t.equal((await world.call('CHECK', onHost)).json?.['code'], 100)
  t.equal((await world.call('DEL', config)).code, 0)
  t.equal(await world.sandbox.run('ip', '-br', 'link'), before)
})

for (const [name, more, feature] of [
  ['a VLAN', { master: 'eth0.10' }, 'vlan'],
  ['a shim', { hostAccess: true }, 'macvlan'],
] as const) {
  t.test(`many at once: ${name} is there while one of them uses it`, { skip: lacks(feature) }, async t => {
    await using world = await prepared(ours)
    const config = world.config({ ...plain, mtu: 0, ...more })
    const before = await world.host.run('ip', '-br', 'link')
    await using pool = new AsyncDisposableStack()
    const all = []
    for (let n = 0; n < 4; n++) all.push(pool.use(await makeNetns('many')))
    const round = async ({ name, path }: { name: string; path: string }) => {
      for (const verb of ['ADD', 'DEL', 'ADD', 'DEL'] as const) {
        const request = { containerId: name, netns: path, timeout: 120_000 }
        const { code, stdout } = await world.call(verb, config, request)
        t.equal(code, 0, `${verb} ${stdout}`)
        if (verb === 'ADD') t.match(await world.host.run('ip', '-br', 'link'), /^(eth0\.10|tnet)/m)
      }
    }
    await Promise.all(all.map(round))
    t.equal(await world.host.run('ip', '-br', 'link'), before)
  })
}

t.test('VLANs as masters', { skip: lacks('vlan') }, async t => {
  await t.test('one that is there already is used, and stays', async t => {
    await using world = await prepared(ours)
    await world.host.run(
      'sh',
      '-ec',
      'ip link add link eth0 name eth0.10 type vlan id 10; ip link set eth0.10 up',
    )
    const before = await world.host.run('ip', '-d', '-br', 'link')
    const config = world.config({ ...plain, master: 'eth0.10' })
    for (const verb of ['ADD', 'DEL'] as const) t.equal((await world.call(verb, config)).code, 0)
    t.equal(await world.host.run('ip', '-d', '-br', 'link'), before)
  })

  await t.test('GC and STATUS', async t => {
    await using world = await prepared(ours)
    const config = world.config({ ...plain, mtu: 0, master: 'eth0.10' })
    const request = { containerId: '', netns: '', ifname: '' }
    t.equal((await world.call('ADD', config)).code, 0)
    await world.sandbox.remove()
    const gc = (valid: object[]) =>
      world.call('GC', { ...config, 'cni.dev/valid-attachments': valid }, request)
    t.equal((await gc([{ containerID: 'c1', ifname: 'eth0' }])).code, 0)
    t.match(await world.host.run('ip', '-br', 'link'), 'eth0.10')
    t.equal((await gc([])).code, 0)
    t.notMatch(await world.host.run('ip', '-br', 'link'), 'eth0.10')
    t.equal((await world.call('STATUS', config, request)).code, 0)
    await world.host.run('ip', 'link', 'set', 'eth0', 'down')
    t.equal((await world.call('STATUS', config, request)).json?.['code'], 50)
  })
})

/** The snapshot without one of its parts, as leases are kept after a broken DEL. */
function without(text: string, part: string): string {
  return text.split(`\n${part}\n`)[0] ?? ''
}
