// What the plugin asks of firewalld over D-Bus.
import t from 'tap'
import { Firewalld, isRunning } from '../../src/net/firewalld/firewalld.ts'
import { Containers } from '../../src/net/firewall/containers.ts'
import { LateSocket } from '../../src/net/firewall/owned.ts'
import { NETLINK_NETFILTER, NetlinkSocket } from '../../src/netlink/socket.ts'
import { ownBus, ownFirewalld } from '../harness/firewalld.ts'
import { isolated } from '../harness/namespaces.ts'
import { run } from '../harness/run.ts'

isolated(import.meta)
t.setTimeout(120_000)

const owner = (containerId: string) => ({ network: 'web', containerId, ifname: 'eth0' })
const admission = (containerId: string, ...addresses: string[]) => ({
  owner: owner(containerId),
  addresses,
  isolation: undefined,
})

t.test('firewalld', async t => {
  using late = new LateSocket(() => new NetlinkSocket(NETLINK_NETFILTER))
  await using bus = await ownBus()
  const gate = new Firewalld(new Containers(late), { bus: bus.bus, zone: 'trusted' })
  const nobody = new Firewalld(new Containers(late), { bus: 'unix:path=/run/no-bus', zone: 'trusted' })
  const one = admission('c1', '10.1.0.5/24', 'fd00:1::5/64')

  await t.test('where it does not run', async t => {
    t.equal(await isRunning(bus.bus), false)
    t.equal(await isRunning('unix:path=/run/no-bus'), false)
    for (const each of [gate, nobody]) {
      await t.rejects(each.admit(one), { code: 'UNAVAILABLE' })
      await each.dismiss(one.owner, one.addresses)
      await each.gc('web', [])
    }
    t.notMatch(await run('nft', ['list', 'ruleset']), '10.1.0.5')
  })

  await using firewalld = await ownFirewalld(bus.bus)
  const sources = async () => (await firewalld.command('--zone=trusted', '--list-sources')).split(' ').sort()
  t.equal(await isRunning(bus.bus), true)

  await t.test('addresses are sources, until their owner leaves', async t => {
    await gate.admit(one)
    await gate.admit(one)
    t.strictSame(await sources(), ['10.1.0.5/32', 'fd00:1::5/128'])
    await gate.check(one)
    await gate.dismiss(owner('other'), one.addresses)
    t.strictSame(await sources(), ['10.1.0.5/32', 'fd00:1::5/128'], "another's stay")
    await gate.dismiss(one.owner, [])
    t.strictSame(await sources(), [''])
    await gate.dismiss(one.owner, one.addresses)
  })

  await t.test('after a reload CHECK misses them, the next ADD brings all back', async t => {
    await gate.admit(one)
    await firewalld.command('--reload')
    t.strictSame(await sources(), [''])
    await t.rejects(gate.check(one), { code: 'CHECK_FAILED' })
    const two = admission('c2', '10.1.0.6/24')
    await gate.admit(two)
    t.strictSame(await sources(), ['10.1.0.5/32', '10.1.0.6/32', 'fd00:1::5/128'])
    await gate.check(one)
    await firewalld.command('--reload')
    await gate.gc('web', [two.owner])
    t.strictSame(await sources(), ['10.1.0.6/32'], 'GC brings back what is valid')
    await gate.gc('elsewhere', [])
    t.strictSame(await sources(), ['10.1.0.6/32'], "another network's GC")
    await gate.gc('web', [])
    t.strictSame(await sources(), [''])
  })

  await t.test('what the reference left goes by its address', async t => {
    await firewalld.command('--zone=trusted', '--add-source=10.1.0.9/32')
    await gate.dismiss(owner('c9'), ['10.1.0.9/24'])
    t.strictSame(await sources(), [''])
  })

  await t.test('refusals', async t => {
    const nowhere = new Firewalld(new Containers(late), { bus: bus.bus, zone: 'nowhere' })
    await t.rejects(nowhere.admit(one), { code: 'BAD_CONFIG' })
    await nowhere.dismiss(one.owner, one.addresses)
    await firewalld.command('--zone=public', '--add-source=10.1.0.5/32')
    await t.rejects(gate.admit(one), { code: 'KERNEL' })
    await gate.dismiss(one.owner, one.addresses)
    t.equal(
      await firewalld.command('--zone=public', '--list-sources'),
      '10.1.0.5/32',
      'another zone keeps it',
    )
  })
})
