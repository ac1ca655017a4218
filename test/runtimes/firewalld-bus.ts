// What the plugin asks of firewalld over D-Bus, and who brings it back.
import t from 'tap'
import { keepFirewalld } from '../../src/engine/keep-firewalld.ts'
import type { Backend } from '../../src/net/gates.ts'
import { Host } from '../../src/net/host.ts'
import { ownBus, ownFirewalld } from '../harness/firewalld.ts'
import { isolated } from '../harness/namespaces.ts'
import { run, until } from '../harness/run.ts'

isolated(import.meta)
const RUN = '/run/tnet'
t.setTimeout(120_000)

const owner = (containerId: string) => ({ network: 'web', containerId, ifname: 'eth0' })
const admission = (containerId: string, ...addresses: string[]) => ({
  owner: owner(containerId),
  addresses,
  isolation: undefined,
})

t.test('firewalld', async t => {
  await using bus = await ownBus()
  using host = new Host({ runDir: RUN, systemBus: bus.bus })
  using elsewhere = new Host({ runDir: RUN, systemBus: 'unix:path=/run/no-bus' })
  const gateOf = async (of: Host, zone = 'trusted', backend: Backend = 'firewalld') =>
    (await of.gates()).gate(backend, { zone, adminChain: 'CNI-ADMIN' })
  const isRunning = async (of: Host) => (await of.gates()).hasFirewalld()
  const gate = await gateOf(host)
  const nobody = await gateOf(elsewhere)
  const one = admission('c1', '10.1.0.5/24', 'fd00:1::5/64')

  await t.test('where it does not run', async t => {
    t.equal(await isRunning(host), false)
    t.equal(await isRunning(elsewhere), false)
    for (const each of [gate, nobody]) {
      await t.rejects(each.admit(one), { code: 'UNAVAILABLE' })
      await each.dismiss(one.owner, one.addresses)
      await each.gc('web', [])
    }
    t.notMatch(await run('nft', ['list', 'ruleset']), '10.1.0.5')
  })

  await using firewalld = await ownFirewalld(bus.bus)
  const sources = async (zone = 'trusted') =>
    (await firewalld.command(`--zone=${zone}`, '--list-sources')).split(' ').sort()
  t.equal(await isRunning(host), true)

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

  await t.test('they are brought back at once, each to its zone, where somebody keeps them', async t => {
    const two = admission('c2', '10.1.0.6/24')
    const other = { network: 'other', containerId: 'c3', ifname: 'eth0' }
    const plain = { ...admission('c3', '10.1.0.7/24'), owner: other }
    const internal = await gateOf(host, 'internal')
    await gate.admit(one)
    await internal.admit(two)
    await (await gateOf(host, 'trusted', 'nftables')).admit(plain)
    const lines: string[] = []
    const end = new AbortController()
    t.teardown(() => end.abort())
    const log = (line: string) => void lines.push(line)
    const kept = keepFirewalld({ runDir: RUN, systemBus: bus.bus, log, signal: end.signal })
    const areBack = () =>
      until('they are back', async () => {
        const both = [await sources(), await sources('internal')]
        return both.join(';') === '10.1.0.5/32,fd00:1::5/128;10.1.0.6/32'
      })
    await firewalld.command('--reload')
    await areBack()
    await gate.check(one)
    await internal.check(two)
    await t.rejects(gate.check(two), { code: 'CHECK_FAILED' }, 'of another zone')

    await firewalld.command('--zone=trusted', '--remove-source=10.1.0.5/32')
    await firewalld.command('--permanent', '--zone=public', '--add-source=10.1.0.5/32')
    await firewalld.command('--reload')
    await until('the rest is back', async () => (await sources()).join() === 'fd00:1::5/128')
    t.strictSame(await sources('public'), ['10.1.0.5/32'], "the administrator's stays where it is")
    await firewalld.command('--permanent', '--zone=public', '--remove-source=10.1.0.5/32')
    await firewalld.command('--reload')
    await areBack()

    await gate.dismiss(one.owner, [])
    await gate.dismiss(two.owner, [])
    t.strictSame([await sources(), await sources('internal')], [[''], ['']], 'DEL knows the zone')
    await firewalld.command('--reload')
    await gate.admit(one)
    await until('that is not forgotten', async () => (await sources()).join() === '10.1.0.5/32,fd00:1::5/128')
    await gate.dismiss(one.owner, [])
    end.abort()
    await kept
    t.ok(lines.length >= 3, lines.join('; '))
    for (const line of lines) t.match(line, /^firewalld had forgotten \d addresses of containers/)
    await gate.gc('web', [])
    await gate.gc('other', [])
  })

  await t.test('CHECK notices that the zone is gone', async t => {
    await firewalld.command('--permanent', '--new-zone=mine')
    await firewalld.command('--reload')
    const mine = await gateOf(host, 'mine')
    await mine.admit(one)
    await mine.check(one)
    await firewalld.command('--permanent', '--delete-zone=mine')
    await firewalld.command('--reload')
    await t.rejects(mine.check(one), { code: 'CHECK_FAILED' })
    await mine.dismiss(one.owner, one.addresses)
  })

  await t.test('what is on record without a zone comes back with ADD and GC of its network', async t => {
    await (await gateOf(host, 'trusted', 'nftables')).admit(one)
    await gate.admit(admission('c2', '10.1.0.6/24'))
    t.strictSame(await sources(), ['10.1.0.5/32', '10.1.0.6/32', 'fd00:1::5/128'])
    await gate.gc('web', [])
    t.strictSame(await sources(), [''])
  })

  await t.test('what the reference left goes by its address', async t => {
    await firewalld.command('--zone=trusted', '--add-source=10.1.0.9/32')
    await gate.dismiss(owner('c9'), ['10.1.0.9/24'])
    t.strictSame(await sources(), [''])
  })

  await t.test('refusals', async t => {
    const nowhere = await gateOf(host, 'nowhere')
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

  await t.test('it starts anew', async t => {
    const end = new AbortController()
    t.teardown(() => end.abort())
    await gate.admit(admission('c4', '10.1.0.8/24'))
    await firewalld.stop()
    const kept = keepFirewalld({ runDir: RUN, systemBus: bus.bus, log: () => {}, signal: end.signal })
    await using again = await ownFirewalld(bus.bus)
    const list = () => again.command('--zone=trusted', '--list-sources')
    await until('they are back', async () => (await list()) === '10.1.0.8/32')
    end.abort()
    await kept
    await gate.gc('web', [])
    t.equal(await list(), '', 'GC takes them')
  })
})
