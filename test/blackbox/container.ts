// container: the namespace of another container, found by its id or by the name of a sandbox, told and never changed.
import { mkdirSync } from 'node:fs'
import t from 'tap'
import { isolated, makeNetns } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { refusals } from '../harness/refusals.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

// The reference has no plugin of this name.
const subject = subjects().find(({ name }) => name === 'tnet')
const LONG = `d${'0123456789abcdef'.repeat(5)}`
const ipam = hostLocal(['10.1.0.0/24', 'fd00:1::/64'])

async function attached(world: World, containerId: string): Promise<Record<string, unknown>> {
  const config = world.config({ isGateway: true, ipam })
  const { code, stdout } = await world.call('ADD', config, { containerId })
  if (code !== 0) throw new Error(stdout)
  return config
}

const donors: Record<string, (world: World) => string> = {
  'by its id': () => 'donor',
  'by an id that is longer than a tag has room for': () => LONG,
  'by the name of its namespace': ({ sandbox }) => sandbox.name,
}

for (const [name, donorOf] of Object.entries(donors)) {
  t.test(`a donor ${name}`, async t => {
    if (subject === undefined) return t.pass('the reference alone was asked for')
    await using world = await makeWorld(subject)
    const id = name === 'by the name of its namespace' ? 'c9' : donorOf(world)
    const donor = await attached(world, id)
    const before = await world.snapshot()
    const config = world.config({ type: 'container', container: donorOf(world), name: 'shared' })
    const guest = { containerId: 'guest' }
    const added = await world.call('ADD', config, guest)
    t.equal(added.code, 0, added.stdout)
    t.match(added.json, {
      interfaces: [{ name: 'eth0', sandbox: world.sandbox.path }],
      ips: [
        { address: '10.1.0.2/24', interface: 0 },
        { address: 'fd00:1::2/64', interface: 0 },
      ],
    })
    const withResult = { ...config, prevResult: added.json }
    t.equal((await world.call('CHECK', withResult, guest)).code, 0)
    for (const netns of [world.sandbox.path, '', '/run/netns/gone'])
      t.equal((await world.call('DEL', withResult, { ...guest, netns })).code, 0)
    await using other = await makeNetns('other')
    const wrong = await world.call('ADD', config, { ...guest, netns: other.path })
    t.equal(wrong.json?.['code'], 8, 'it is in another namespace')
    await other.remove()
    t.equal(await world.snapshot(), before, 'nothing is changed')
    t.equal((await world.call('DEL', donor, { containerId: id })).code, 0)
    const gone = await world.call('CHECK', withResult, guest)
    t.equal(gone.json?.['code'], 100, 'the donor is gone, although its namespace lives on')
    t.equal((await world.call('DEL', withResult, guest)).code, 0)
  })
}

const inside: Record<string, readonly string[]> = {
  'has no end on the host': ['set', 'eth0', 'alias', 'tnet net donor eth0'],
  'is a device of the host': ['property', 'add', 'dev', 'eth0', 'altname', 'tnet+net+donor+eth0'],
}

for (const [name, mark] of Object.entries(inside)) {
  t.test(`a donor whose link ${name}`, async t => {
    if (subject === undefined) return t.pass('the reference alone was asked for')
    await using world = await makeWorld(subject)
    await world.sandbox.run('ip', 'link', 'add', 'eth0', 'up', 'type', 'bridge')
    await world.sandbox.run('ip', 'link', ...mark)
    const config = world.config({ type: 'container', container: 'donor' })
    t.equal((await world.call('ADD', config, { containerId: 'guest' })).code, 0)
    await using other = await makeNetns('other')
    const wrong = await world.call('ADD', config, { containerId: 'guest', netns: other.path })
    t.equal(wrong.json?.['code'], 8, 'the namespace of somebody else')
  })
}

t.test('a sandbox of tnet', async t => {
  if (subject === undefined) return t.pass('the reference alone was asked for')
  await using world = await makeWorld(subject)
  await attached(world, 'c9')
  mkdirSync('/run/tnet/netns', { recursive: true })
  await world.host.run(
    'sh',
    '-c',
    `touch /run/tnet/netns/web; mount --bind ${world.sandbox.path} /run/tnet/netns/web`,
  )
  const config = world.config({ type: 'container', container: 'web' })
  const added = await world.call('ADD', config, { containerId: 'guest' })
  t.equal(added.code, 0, added.stdout)
  await world.host.run('umount', '/run/tnet/netns/web')
})

refusals(
  t,
  [
    { name: 'a donor that does not exist', config: { container: 'nobody' }, code: 7 },
    { name: 'no donor', code: 7 },
    { name: 'a donor with a path', config: { container: '../x' }, code: 7 },
    { name: 'a donor that is no text', config: { container: 5 }, code: 7 },
    {
      name: 'a donor that is attached to nothing',
      config: ({ sandbox }: World) => ({ container: sandbox.name }),
      code: 7,
    },
    {
      name: 'ports to publish',
      before: (world: World) => attached(world, 'donor'),
      config: {
        container: 'donor',
        runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] },
      },
      code: 7,
    },
  ].map(row => ({ type: 'container', onlyOurs: 'it has no such plugin', ...row })),
)
