// DEL succeeds on anything that is gone, and still cleans the host: with a namespace, without one, with a wrong one.
import t, { type Test } from 'tap'
import { isolated, makeNetns } from '../harness/namespaces.ts'
import { subjects, type Call } from '../harness/plugins.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

interface Case {
  readonly name: string
  readonly onlyOurs?: string
  /** What happens between ADD and DEL. */
  readonly meanwhile?: (world: World) => Promise<unknown>
  readonly request?: Partial<Call>
  /** More of the configuration at DEL than at ADD. */
  readonly config?: object
  readonly withResult?: boolean
  /** What happens meanwhile changes more than the attachment. */
  readonly disturbs?: boolean
}

const MASQUERADE = 'plugins#810: without a namespace the reference leaves masquerade, spoof check and link'

const cases: Case[] = [
  { name: 'with the namespace' },
  { name: 'with the result', withResult: true },
  {
    name: 'the interface is gone',
    meanwhile: ({ sandbox }) => sandbox.run('ip', 'link', 'del', 'eth0'),
    onlyOurs: MASQUERADE,
  },
  { name: 'the namespace is deleted', meanwhile: ({ sandbox }) => sandbox.remove(), onlyOurs: MASQUERADE },
  {
    name: 'the namespace is deleted, with the result',
    meanwhile: ({ sandbox }) => sandbox.remove(),
    withResult: true,
    onlyOurs: MASQUERADE,
  },
  { name: 'CNI_NETNS is empty', request: { netns: '' }, onlyOurs: MASQUERADE },
  { name: 'CNI_NETNS is unset', request: { netns: undefined }, onlyOurs: MASQUERADE },
  {
    disturbs: true,
    name: 'the namespace has become a file',
    meanwhile: async ({ sandbox, host }) => {
      await sandbox.remove()
      await host.run('touch', sandbox.path)
    },
    onlyOurs: MASQUERADE,
  },
  {
    disturbs: true,
    name: 'the bridge is gone',
    meanwhile: ({ host }) => host.run('ip', 'link', 'del', 'cni0'),
  },
  {
    disturbs: true,
    name: 'the lease is gone',
    meanwhile: ({ host, leaseFolder }) => host.run('sh', '-c', `rm ${leaseFolder}/10.* ${leaseFolder}/fd*`),
  },
  {
    name: 'the addresses are gone',
    meanwhile: ({ sandbox }) => sandbox.run('ip', 'addr', 'flush', 'dev', 'eth0'),
    onlyOurs: MASQUERADE,
  },
  {
    disturbs: true,
    name: 'the ruleset was flushed',
    meanwhile: ({ host }) => host.run('nft', 'flush', 'ruleset'),
    onlyOurs: 'the reference has lost the chain',
  },
  { name: 'the link was renamed', meanwhile: renamed, onlyOurs: 'the reference looks for the name alone' },
  {
    name: 'prevResult of nonsense',
    config: {
      prevResult: { cniVersion: '1.0.0', interfaces: [{ name: '../x' }], ips: [{ address: '1.2.3.4/33' }] },
    },
    onlyOurs: 'the reference refuses it',
  },
  { name: 'prevResult null', config: { prevResult: null } },
]

async function renamed({ sandbox }: World): Promise<void> {
  await sandbox.run('ip', 'link', 'set', 'eth0', 'down')
  await sandbox.run('ip', 'link', 'set', 'eth0', 'name', 'other0')
}

for (const subject of subjects()) {
  t.test(subject.name, { timeout: 600_000 }, async t => {
    for (const row of cases) {
      if (subject.name === 'reference' && row.onlyOurs !== undefined) continue
      await t.test(row.name, async t => {
        await using world = await makeWorld(subject)
        await teardown(t, world, row)
      })
    }
    await t.test('of what was never added', async t => {
      await using world = await makeWorld(subject)
      const before = await world.snapshot()
      const answer = await world.call('DEL', world.config({ ipMasq: true, ipam: hostLocal(['10.1.0.0/24']) }))
      t.equal(answer.code, 0, answer.stdout)
      if (subject.name === 'tnet') t.equal(await world.snapshot(), before)
    })
    await t.test('without ipam, twice', async t => {
      await using world = await makeWorld(subject)
      t.equal((await world.call('ADD', world.config())).code, 0)
      for (const time of ['once', 'twice']) t.equal((await world.call('DEL', world.config())).code, 0, time)
      t.strictSame((await world.facts()).ports, [])
    })
    if (subject.name === 'reference') return
    await t.test('in a namespace that another container has by now', async t => {
      await using world = await makeWorld(subject)
      const config = world.config({ isGateway: true, ipMasq: true, ipam: hostLocal(['10.1.0.0/24']) })
      t.equal((await world.call('ADD', config, { containerId: 'successor' })).code, 0)
      const before = await world.snapshot()
      t.equal((await world.call('DEL', config, { containerId: 'c1' })).code, 0)
      t.equal(await world.snapshot(), before)
    })
  })
}

async function teardown(t: Test, world: World, row: Case): Promise<void> {
  const config = world.config({
    isDefaultGateway: true,
    ipMasq: true,
    ipam: hostLocal(['10.1.0.0/24', 'fd00:1::/64']),
  })
  // A neighbour that has to stay as it is.
  await using other = await makeNetns('neighbour')
  const neighbour = { containerId: 'neighbour', netns: other.path }
  t.equal((await world.call('ADD', config, neighbour)).code, 0)
  const before = await rest(world)
  const added = await world.call('ADD', config)
  t.equal(added.code, 0, added.stdout)
  await row.meanwhile?.(world)
  const withResult = row.withResult === true ? { ...config, prevResult: added.json } : config
  for (const time of ['once', 'twice']) {
    const deleted = await world.call('DEL', { ...withResult, ...row.config }, row.request)
    t.equal(deleted.code, 0, `${time}: ${deleted.stdout}`)
    t.equal(deleted.stdout, '')
  }
  const after = await rest(world)
  t.notMatch(after, /\b(10\.1\.0\.|fd00:1::)3\b/, 'nothing has its addresses')
  if (row.disturbs !== true) t.equal(after, before, 'as before')
  const inside = await world.sandbox.attempt('ip', ['-br', 'link'])
  if (inside.code === 0) t.notMatch(inside.stdout, /eth0|other0/, 'nothing is left in the sandbox')
}

/** Everything but the sandbox itself, which may be gone. */
async function rest(world: World): Promise<string> {
  const sections = (await world.snapshot()).split(/^(?=namespace |files$)/m)
  return sections.filter(section => !section.startsWith(`namespace ${world.sandbox.name}\n`)).join('')
}
