// GC removes exactly what is not in the list; STATUS tells the truth. The reference has neither.
import t from 'tap'
import { isolated, lacks, makeNetns, type Netns } from '../harness/namespaces.ts'
import { subjects, type Answer } from '../harness/plugins.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const subject = subjects().find(({ name }) => name === 'tnet')
const TYPES = ['bridge', 'host-local'] as const
const V4 = '10.1.0.0/24'
const VALID = 'cni.dev/valid-attachments'

interface Scene extends AsyncDisposable {
  readonly world: World
  readonly config: Record<string, unknown>
  readonly type: (typeof TYPES)[number]
  readonly containers: readonly { readonly containerId: string; readonly netns: Netns }[]
  gc(more: object): Promise<Answer>
}

/** Three containers attached by ADD. */
async function scene(type: Scene['type'], more: object = {}): Promise<Scene> {
  if (subject === undefined) throw new Error('GC and STATUS: no plugin directory of ours')
  const world = await makeWorld(subject)
  const shared = { isDefaultGateway: true, ipMasq: true, macspoofchk: true }
  const config = world.config({
    cniVersion: '1.1.0',
    ...shared,
    ipam: hostLocal([V4, 'fd00:1::/64']),
    ...more,
  })
  const containers: { containerId: string; netns: Netns }[] = []
  for (const containerId of ['one', 'two', 'three']) {
    const netns = await makeNetns(containerId)
    containers.push({ containerId, netns })
    const added = await world.call('ADD', config, { type, containerId, netns: netns.path })
    if (added.code !== 0) throw new Error(added.stdout)
  }
  return {
    world,
    config,
    type,
    containers,
    gc: keys => world.call('GC', { ...config, ...keys }, { type, containerId: '', netns: '', ifname: '' }),
    async [Symbol.asyncDispose]() {
      for (const { netns } of containers) await netns[Symbol.asyncDispose]()
      await world[Symbol.asyncDispose]()
    },
  }
}

function valid(...containers: string[]): object {
  return { [VALID]: containers.map(containerID => ({ containerID, ifname: 'eth0' })) }
}

for (const type of TYPES) {
  t.test(`GC of ${type}: what is not in the list goes, what is stays as it is`, async t => {
    await using all = await scene(type)
    const { world, containers, gc, config } = all
    const whole = await world.snapshot()
    t.equal((await gc(valid('one', 'two', 'three'))).code, 0)
    t.equal(await world.snapshot(), whole, 'all are valid')

    // What a DEL of the same container leaves is what GC has to leave.
    const third = containers[2]
    const answer = await gc(valid('one', 'two'))
    t.equal(answer.code, 0, answer.stdout)
    t.equal(answer.stdout, '', 'GC says nothing')
    const collected = await world.snapshot()
    t.not(collected, whole)
    t.notMatch(collected, /\b(10\.1\.0\.|fd00:1::)4\b/)
    t.equal(
      (await world.call('DEL', config, { type, containerId: 'three', netns: third?.netns.path })).code,
      0,
    )
    t.equal(await world.snapshot(), collected, 'nothing is left for DEL')
    const again = await world.call('ADD', config, { type, containerId: 'three', netns: third?.netns.path })
    t.equal(again.code, 0, `ADD after GC: ${again.stdout}`)
    t.equal((await gc({ [VALID]: [] })).code, 0, 'nothing is valid')
    t.strictSame((await world.facts()).ports, [])
    t.strictSame((await world.facts()).leases, [])
  })

  t.test(`GC of ${type}: null is an empty list, and an absent one removes nothing`, async t => {
    await using all = await scene(type)
    const before = await all.world.snapshot()
    await all.gc({})
    t.equal(await all.world.snapshot(), before)
    t.equal((await all.gc({ [VALID]: null })).code, 0)
    t.strictSame((await all.world.facts()).leases, [])
  })

  t.test(`GC of ${type}: of namespaces that are gone`, async t => {
    await using all = await scene(type)
    for (const { netns } of all.containers) await netns.remove()
    t.equal((await all.gc(valid('one'))).code, 0)
    const { leases, ruleset } = await all.world.facts()
    t.strictSame(leases, ['10.1.0.2', 'fd00:1::2'])
    t.notMatch(ruleset, /10\.1\.0\.[34]\b/)
  })

  t.test(`GC of ${type}: another interface of a valid container goes`, async t => {
    await using all = await scene(type)
    const { world, config } = all
    const before = await world.snapshot()
    const netns = all.containers[0]?.netns.path
    t.equal((await world.call('ADD', config, { type, containerId: 'one', netns, ifname: 'eth1' })).code, 0)
    t.equal((await all.gc(valid('one', 'two', 'three'))).code, 0)
    t.equal(await world.snapshot(), before)
  })

  t.test(`GC of ${type}: another network is not touched`, async t => {
    await using all = await scene(type)
    const { world, config } = all
    const other = { ...config, name: 'other', bridge: 'other0', ipam: hostLocal(['10.9.0.0/24']) }
    const netns = all.containers[0]?.netns.path
    const before = await world.snapshot()
    t.equal((await world.call('ADD', other, { type, containerId: 'one', netns, ifname: 'eth1' })).code, 0)
    t.not(await world.snapshot(), before)
    const both = await world.snapshot()
    t.equal((await all.gc(valid('one', 'two', 'three'))).code, 0)
    t.equal(await world.snapshot(), both)
  })

  t.test(`GC of ${type}: a list of nonsense is refused and removes nothing`, async t => {
    await using all = await scene(type)
    const before = await all.world.snapshot()
    for (const nonsense of [
      'all',
      5,
      {},
      [5],
      [{}],
      [{ containerID: 'one' }],
      [{ containerID: 5, ifname: 'eth0' }],
    ]) {
      const { code, json } = await all.gc({ [VALID]: nonsense })
      t.equal(code, 1, JSON.stringify(nonsense))
      t.equal(json?.['code'], 7)
    }
    t.equal(await all.world.snapshot(), before)
  })

  t.test(`STATUS of ${type}: ready, and exhausted with the count of what is free`, async t => {
    // Three addresses are taken of the five that a /29 has.
    await using all = await scene(type, { ipam: hostLocal(['10.1.0.0/29']) })
    const { world, config } = all
    const status = () => world.call('STATUS', config, { type, containerId: '', netns: '', ifname: '' })
    const ready = await status()
    t.equal(ready.code, 0, ready.stdout)
    t.equal(ready.stdout, '', 'STATUS says nothing when all is well')
    for (const containerId of ['four', 'five']) {
      await using netns = await makeNetns(containerId)
      t.equal(
        (await world.call('ADD', config, { type: 'host-local', containerId, netns: netns.path })).code,
        0,
      )
    }
    const before = await world.snapshot()
    const full = await status()
    t.equal(full.code, 1)
    t.equal(full.json?.['code'], 50)
    t.match(
      `${String(full.json?.['msg'])} ${String(full.json?.['details'])}`,
      /\b0\b/,
      'it counts what is free',
    )
    t.equal(await world.snapshot(), before)
    t.equal((await world.call('DEL', config, { type: 'host-local', containerId: 'four' })).code, 0)
    t.equal((await status()).code, 0, 'ready again')
  })
}

t.test('STATUS of bridge: a name that is another kind of link', async t => {
  await using all = await scene('bridge', { bridge: 'br0' })
  await all.world.host.run('ip', 'link', 'add', 'veth9', 'type', 'veth', 'peer', 'name', 'peer9')
  const { code, json } = await all.world.call(
    'STATUS',
    { ...all.config, bridge: 'veth9' },
    { containerId: '', netns: '', ifname: '' },
  )
  t.equal(code, 1)
  t.equal(json?.['code'], 7)
})

t.test('STATUS of bridge: a chain of another program that drops was not told of', async t => {
  await using all = await scene('bridge', { bridge: 'br0', ipam: hostLocal([V4]) })
  const { world, config } = all
  const nobody = { containerId: '', netns: '', ifname: '' }
  const told = async (more: object = {}) => {
    const { code, stdout, stderr } = await world.call('STATUS', { ...config, ...more }, nobody)
    t.equal(code, 0, stdout)
    return stderr
  }
  const { host } = world
  t.equal(await told(), '')
  await host.run('ip6tables-nft', '-P', 'FORWARD', 'DROP')
  t.equal(await told(), '', 'of a family that the bridge has not')
  await host.run('iptables-nft', '-P', 'FORWARD', 'DROP')
  t.match(await told(), /^tnet bridge: ip filter FORWARD .*br0.*\n$/)
  t.equal(await told({ isDefaultGateway: false, isGateway: false }), '', 'the host does not route for it')
  const early = await told({ bridge: 'br1' })
  for (const chain of ['ip filter FORWARD', 'ip6 filter FORWARD']) t.match(early, chain, 'not yet made')
  await host.run('iptables-nft', '-A', 'FORWARD', '-i', 'br0', '-j', 'ACCEPT')
  t.equal(await told(), '', 'the administrator has thought of it')
  await host.run('nft', 'flush', 'ruleset')
  await host.run('nft', 'add table inet mine; add chain inet mine f { type filter hook forward priority 0; }')
  t.equal(await told(), '')
  await host.run('nft', 'add rule inet mine f reject')
  t.match(await told(), 'inet mine f')
})

const legacy = { skip: lacks('legacy iptables') }
t.test('STATUS of bridge: legacy iptables cannot be seen, and that is told', legacy, async t => {
  await using all = await scene('bridge', { ipam: hostLocal([V4]) })
  const { world, config } = all
  await world.host.run('iptables-legacy', '-P', 'FORWARD', 'DROP')
  const { code, stderr } = await world.call('STATUS', config, { containerId: '', netns: '', ifname: '' })
  t.equal(code, 0)
  t.match(stderr, 'iptables-legacy -S FORWARD')
})
