// loopback as users of the reference know it: lo is up, what others have answered is passed on, nobody else's lo goes down.
import t from 'tap'
import { isolated } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { refusals } from '../harness/refusals.ts'
import { ping } from '../harness/traffic.ts'
import { makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const isUp = async ({ sandbox }: World): Promise<boolean> =>
  /[<,]UP[,>]/.test(await sandbox.run('ip', 'link', 'show', 'lo'))

for (const subject of subjects()) {
  const isOurs = subject.name === 'tnet'

  t.test(`${subject.name}: up and down`, async t => {
    await using world = await makeWorld(subject)
    await world.sandbox.run('ip', 'link', 'set', 'lo', 'down')
    const before = await world.snapshot()
    for (const ifname of ['lo', 'eth0']) {
      const config = world.config({ type: 'loopback' })
      const added = await world.call('ADD', config, { ifname })
      t.equal(added.code, 0, added.stdout)
      t.match(added.json, {
        interfaces: [{ name: 'lo', mac: '00:00:00:00:00:00', sandbox: world.sandbox.path }],
        ips: [
          { interface: 0, address: '127.0.0.1/8' },
          { interface: 0, address: '::1/128' },
        ],
      })
      for (const address of ['127.0.0.1', '::1']) t.ok(await ping(world.sandbox, address), address)
      const withResult = { ...config, prevResult: added.json }
      t.equal((await world.call('CHECK', withResult, { ifname })).code, 0)
      await world.sandbox.run('ip', 'link', 'set', 'lo', 'down')
      const checked = await world.call('CHECK', withResult, { ifname })
      t.equal(checked.code, 1, 'CHECK sees that it is down')
      if (isOurs) t.equal(checked.json?.['code'], 100)
      await world.sandbox.run('ip', 'link', 'set', 'lo', 'up')
      for (const time of ['once', 'twice'])
        t.equal((await world.call('DEL', withResult, { ifname })).code, 0, time)
      t.notOk(await isUp(world), 'down')
      t.equal(await world.snapshot(), before)
    }
  })

  t.test(`${subject.name}: the result of the plugins before is passed on`, async t => {
    await using world = await makeWorld(subject)
    const prevResult = {
      cniVersion: '1.0.0',
      interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:01', sandbox: world.sandbox.path }],
      ips: [{ interface: 0, address: '10.1.0.5/24', gateway: '10.1.0.1' }],
      routes: [{ dst: '0.0.0.0/0' }],
    }
    const { code, json } = await world.call('ADD', world.config({ type: 'loopback', prevResult }))
    t.equal(code, 0)
    t.match(json, prevResult)
  })

  t.test(`${subject.name}: so is that of old versions, which names no interfaces`, async t => {
    await using world = await makeWorld(subject)
    for (const cniVersion of ['0.1.0', '0.2.0']) {
      const ip4 = { ip: '10.1.0.5/24', gateway: '10.1.0.1', routes: [{ dst: '0.0.0.0/0' }] }
      const prevResult = { cniVersion, ip4 }
      const config = world.config({ cniVersion, type: 'loopback', prevResult })
      const { code, json, stdout } = await world.call('ADD', config)
      t.equal(code, 0, stdout)
      t.match(json, prevResult)
      t.equal((await world.call('DEL', config)).code, 0)
    }
  })

  if (!isOurs) continue

  t.test('answers of older versions, which the reference forgets', async t => {
    await using world = await makeWorld(subject)
    const old = await world.call('ADD', world.config({ type: 'loopback', cniVersion: '0.2.0' }))
    t.match(old.json, { ip4: { ip: '127.0.0.1/8' }, ip6: { ip: '::1/128' } })
    const newer = await world.call('ADD', world.config({ type: 'loopback', cniVersion: '0.4.0' }))
    t.match(newer.json, { ips: [{ version: '4', address: '127.0.0.1/8' }, { version: '6' }] })
  })

  t.test('DEL without the namespace, in one that is a file, and of what was never added', async t => {
    await using world = await makeWorld(subject)
    const config = world.config({ type: 'loopback' })
    await world.host.run('touch', '/run/a-file')
    for (const netns of ['', '/run/netns/none', '/run/a-file', world.sandbox.path])
      t.equal((await world.call('DEL', config, { netns, ifname: 'lo' })).code, 0, netns)
    t.ok(await isUp(world), 'what was up stays up')
  })

  t.test("DEL never sets another container's lo down", async t => {
    await using world = await makeWorld(subject)
    await world.sandbox.run('ip', 'link', 'set', 'lo', 'down')
    const config = world.config({ type: 'loopback' })
    t.equal((await world.call('ADD', config, { containerId: 'successor', ifname: 'lo' })).code, 0)
    t.equal((await world.call('DEL', config, { containerId: 'c1', ifname: 'lo' })).code, 0)
    t.ok(await isUp(world))
    t.equal((await world.call('DEL', config, { containerId: 'successor', ifname: 'lo' })).code, 0)
    t.notOk(await isUp(world))
  })
}

const foreign = ({ sandbox }: World) => sandbox.run('ip', 'addr', 'add', '192.0.2.1/32', 'dev', 'lo')

refusals(
  t,
  [
    {
      name: 'lo with an address that others can be asked under',
      before: foreign,
      code: 7,
    },
    {
      name: 'the same after another plugin',
      config: { prevResult: { cniVersion: '1.0.0', interfaces: [{ name: 'eth0' }] } },
      before: foreign,
      code: 7,
    },
    { name: 'a namespace that is missing', request: { netns: '/run/netns/none' }, code: 8 },
    {
      name: "the host's own namespace",
      onlyOurs: 'the reference looks only when it is done',
      request: ({ host }: World) => ({ netns: host.path }),
      code: 8,
    },
  ].map(row => ({ type: 'loopback', ...row })),
)
