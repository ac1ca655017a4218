// The firewall plugin on a host that runs firewalld: found by itself, and what it lets through, by packets.
import t from 'tap'
import { ownBus, ownFirewalld } from '../harness/firewalld.ts'
import { isolated } from '../harness/namespaces.ts'
import { makeOutside, OUTSIDE } from '../harness/outside.ts'
import { subjects, type Verb } from '../harness/plugins.ts'
import { until } from '../harness/run.ts'
import { standbyOf } from '../harness/standby.ts'
import { ping } from '../harness/traffic.ts'
import { hostLocal, makeWorld } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(300_000)

for (const subject of subjects()) {
  t.test(`${subject.name}: sources of a zone`, { timeout: 120_000 }, async t => {
    await using world = await makeWorld(subject)
    const { host, sandbox } = world
    await using _outside = await makeOutside(host, '10.1.0.0/24')
    await using bus = await ownBus()
    await using firewalld = await ownFirewalld(bus.bus, host)
    await firewalld.command('--zone=public', '--remove-forward')
    const sources = () => firewalld.command('--zone=trusted', '--list-sources')

    const env = { DBUS_SYSTEM_BUS_ADDRESS: bus.bus }
    const bridge = world.config({ isDefaultGateway: true, ipam: hostLocal(['10.1.0.0/24']) })
    const { json: prevResult } = await world.call('ADD', bridge)
    const firewall = (verb: Verb, more: object = { prevResult }) =>
      world.call(verb, { ...world.config(more), type: 'firewall' }, { type: 'firewall', env })

    t.notOk(await ping(sandbox, OUTSIDE[4], 400), 'before')
    const added = await firewall('ADD')
    t.equal(added.code, 0, added.stdout)
    t.equal(await sources(), '10.1.0.2/32')
    t.ok(await ping(sandbox, OUTSIDE[4]), 'let through')
    t.equal((await firewall('CHECK')).code, 0)
    if (subject.name === 'tnet') {
      await firewalld.command('--reload')
      t.equal((await firewall('CHECK')).json?.['code'], 100, 'forgotten')
      const gc = { cniVersion: '1.1.0', 'cni.dev/valid-attachments': [{ containerID: 'c1', ifname: 'eth0' }] }
      t.equal((await firewall('GC', gc)).code, 0)
      t.equal((await firewall('CHECK')).code, 0, 'GC brings it back')
      await using _own = await standbyOf(subject.dir, 1, host, env)
      // It may have been looking for the first time; the second one it hears of.
      for (const time of ['once', 'again']) {
        await firewalld.command('--reload')
        await until(`tnet standby brings it back ${time}`, async () => (await sources()) === '10.1.0.2/32')
      }
      t.equal((await firewall('CHECK')).code, 0)
      t.equal((await firewall('STATUS', { cniVersion: '1.1.0', backend: 'firewalld' })).stderr, '')
      t.match(
        (await firewall('STATUS', { cniVersion: '1.1.0', backend: 'nftables' })).stderr,
        'inet firewalld',
      )
    }
    t.equal((await firewall('DEL', subject.name === 'tnet' ? {} : { prevResult })).code, 0)
    t.equal(await sources(), '')
    const zoned = { prevResult, firewalldZone: 'internal' }
    for (const [verb, wanted] of [
      ['ADD', '10.1.0.2/32'],
      ['CHECK', '10.1.0.2/32'],
      ['DEL', ''],
    ] as const) {
      const { code, stdout } = await firewall(verb, zoned)
      t.equal(code, 0, `${verb} in another zone: ${stdout}`)
      t.equal(await firewalld.command('--zone=internal', '--list-sources'), wanted, verb)
    }
    if (subject.name === 'reference') return
    await firewalld.stop()
    t.equal((await firewall('STATUS', { cniVersion: '1.1.0', backend: 'firewalld' })).json?.['code'], 50)
    t.equal((await firewall('ADD', { backend: 'firewalld', prevResult })).json?.['code'], 50)
    t.equal((await firewall('DEL', { backend: 'firewalld', prevResult })).code, 0)
  })
}
