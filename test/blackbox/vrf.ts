// vrf as a runtime calls it, and as packets see it: two networks with the same addresses in one container.
import t from 'tap'
import { type Chain, chain } from '../harness/chain.ts'
import { isolated, lacks } from '../harness/namespaces.ts'
import { subjects, type Subject } from '../harness/plugins.ts'
import { refusals } from '../harness/refusals.ts'
import { linksOf } from '../harness/snapshot.ts'
import { makeWorld, hostLocal, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(900_000)

const VERSION = { cniVersion: '1.0.0' }

interface Scene extends AsyncDisposable {
  readonly world: World
  readonly one: Chain
  readonly two: Chain
}

/** eth0 and eth1 are on bridges of their own, with the same subnet, in two VRFs. */
async function scene(by: Subject): Promise<Scene> {
  const world = await makeWorld(by)
  const ipam = (folder: string) => hostLocal(['10.1.0.0/24'], { dataDir: `/var/lib/cni/${folder}` })
  const list = (name: string, ifname: string, more: object = {}) =>
    chain(
      world,
      {
        type: 'vrf',
        config: { ...VERSION, vrfname: name, ...more },
        after: [
          {
            type: 'bridge',
            ...VERSION,
            bridge: `br-${name}`,
            isDefaultGateway: true,
            ipam: ipam(name),
          } as never,
        ],
        ifname,
      },
      { containerId: 'c1', netns: world.sandbox.path },
    )
  return {
    world,
    one: list('blue', 'eth0'),
    two: list('red', 'eth1', { table: 1001 }),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}

for (const subject of subjects()) {
  t.test(subject.name, { skip: lacks('vrf') }, async t => {
    await using all = await scene(subject)
    const { world, one, two } = all
    const { sandbox } = world
    await one.add()
    await two.add()
    const vrfs = JSON.parse(await sandbox.run('ip', '-j', '-d', 'link', 'show', 'type', 'vrf')) as {
      ifname: string
      linkinfo: { info_data: { table: number } }
    }[]
    vrfs.sort((a, b) => a.ifname.localeCompare(b.ifname))
    t.match(vrfs, [
      { ifname: 'blue', linkinfo: { info_data: { table: 1 } } },
      { ifname: 'red', linkinfo: { info_data: { table: 1001 } } },
    ])
    // Both bridges lead the host to a 10.1.0.2: it has to answer by the one that it was asked by.
    await world.host.run('ip', 'link', 'add', 'host-red', 'up', 'type', 'vrf', 'table', '2001')
    await world.host.run('ip', 'link', 'set', 'br-red', 'master', 'host-red')
    for (const name of ['blue', 'red']) {
      // That of the reference loses the default route on the way.
      const route = subject.name === 'tnet' ? /default via 10\.1\.0\.1/ : /10\.1\.0\.0\/24/
      t.match(await sandbox.run('ip', 'route', 'show', 'vrf', name), route, `routes of ${name}`)
      t.match(await sandbox.run('ping', '-c', '1', '-W', '5', '-I', name, '10.1.0.1'), / 0% packet loss/)
    }
    if (subject.name === 'tnet') {
      for (const { code, stdout } of [...(await one.check()), ...(await two.check())])
        t.equal(code, 0, stdout)
    }
    for (const { code, stdout } of [...(await one.del()), ...(await two.del())]) t.equal(code, 0, stdout)
    t.equal(await sandbox.run('ip', 'link', 'show', 'type', 'vrf'), '')
  })
}

const ours = subjects().find(({ name }) => name === 'tnet')
t.test('DEL where the interface is gone, and with two members', { skip: lacks('vrf') }, async t => {
  if (ours === undefined) return
  await using all = await scene(ours)
  const { world, one } = all
  await one.add()
  await world.sandbox.run('ip', 'link', 'add', 'more', 'type', 'veth', 'peer', 'name', 'x')
  await world.sandbox.run('ip', 'link', 'set', 'more', 'master', 'blue')
  for (const { code, stdout } of await one.del()) t.equal(code, 0, stdout)
  t.match(await world.sandbox.run('ip', 'link', 'show', 'type', 'vrf'), /blue/, 'another is in it')
  await world.sandbox.run('ip', 'link', 'del', 'more')
  await one.add()
  await world.sandbox.run('ip', 'link', 'del', 'eth0')
  for (const { code, stdout } of await one.del()) t.equal(code, 0, stdout)
  t.equal(await world.sandbox.run('ip', 'link', 'show', 'type', 'vrf'), '')
})

t.test('a VRF that was there before stays', { skip: lacks('vrf') }, async t => {
  if (ours === undefined) return
  await using all = await scene(ours)
  const { world, two } = all
  await world.sandbox.run('ip', 'link', 'add', 'red', 'up', 'type', 'vrf', 'table', '1001')
  const before = await linksOf(world.sandbox.name)
  await two.add()
  t.match(await world.sandbox.run('ip', 'route', 'show', 'vrf', 'red'), /default via 10\.1\.0\.1/)
  for (const { code, stdout } of await two.del()) t.equal(code, 0, stdout)
  t.equal(await linksOf(world.sandbox.name), before)
})

const withLink = async ({ sandbox }: World) =>
  sandbox.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'x')
const prevResult = { cniVersion: '1.0.0' }
refusals(
  t,
  [
    { name: 'no vrfname', config: { prevResult }, code: 7 },
    {
      name: 'a name that no link can have',
      onlyOurs: 'it says 999 to all',
      config: { vrfname: 'a/b', prevResult },
      code: 7,
    },
    { name: 'a table that is a text', config: { vrfname: 'blue', table: 'x', prevResult }, code: 7 },
    { name: 'the name of another link', config: { vrfname: 'x', prevResult }, code: 7 },
    { name: 'no result of a plugin before', config: { vrfname: 'blue' }, code: 7 },
    {
      name: 'a version before',
      config: { ...VERSION, cniVersion: '0.3.0', vrfname: 'blue' },
      code: 1,
      referenceCode: 1,
    },
  ].map(row => ({ ...row, type: 'vrf', before: withLink })),
)
