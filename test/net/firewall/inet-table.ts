import t, { type Test } from 'tap'
import type { Firewall } from '../../../src/net/firewall.ts'
import { makeFort } from '../../harness/firewall.ts'
import { isolated, makeNetns, type Netns } from '../../harness/namespaces.ts'
import { makeOutside } from '../../harness/outside.ts'
import { ask, ping, serve } from '../../harness/traffic.ts'

isolated(import.meta)

const owner = { network: 'web', containerId: 'c1', ifname: 'eth0' }
/** Long enough for a packet to come here, short enough to wait for one that does not. */
const SHORT = 600

interface Stage {
  readonly firewall: Firewall
  readonly host: Netns
  /** Beyond the host, at 192.0.2.2 and 2001:db8::2; knows the way back to every container. */
  readonly outside: Netns
  /** A container at 10.1.<bridge>.<number> and fd00:<bridge>::<number>, on a bridge of the host. */
  container(bridge: number, number: number): Promise<Netns>
}

async function stage(t: Test): Promise<Stage> {
  const { firewall, host } = await makeFort(t)
  const outside = await makeOutside(host, '10.1.0.0/16', 'fd00::/16')
  t.teardown(() => outside.remove())
  await host.run(
    'sh',
    '-c',
    'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding',
  )
  const bridges = new Set<number>()
  return {
    firewall,
    host,
    outside,
    async container(bridge, number) {
      const name = `br${bridge}`
      if (!bridges.has(bridge)) {
        bridges.add(bridge)
        await host.run('ip', 'link', 'add', name, 'type', 'bridge')
        await addressed(host, name, `10.1.${bridge}.1/24`, `fd00:${bridge}::1/64`)
      }
      const inside = await namespace(t, 'c')
      const port = `v${bridge}-${number}`
      await host.run(
        'ip',
        'link',
        'add',
        port,
        'master',
        name,
        'up',
        'type',
        'veth',
        'peer',
        'name',
        'eth0',
        'netns',
        inside.name,
      )
      await addressed(inside, 'eth0', `10.1.${bridge}.${number}/24`, `fd00:${bridge}::${number}/64`)
      await inside.run('ip', 'route', 'add', 'default', 'via', `10.1.${bridge}.1`)
      await inside.run('ip', 'route', 'add', 'default', 'via', `fd00:${bridge}::1`)
      return inside
    },
  }
}

async function namespace(t: Test, prefix: string): Promise<Netns> {
  const netns = await makeNetns(prefix)
  t.teardown(() => netns.remove())
  return netns
}

async function addressed(netns: Netns, link: string, ...addresses: string[]): Promise<void> {
  for (const address of addresses) {
    await netns.run('ip', 'address', 'add', address, 'dev', link, ...(address.includes(':') ? ['nodad'] : []))
  }
  await netns.run('ip', 'link', 'set', link, 'up')
}

t.test('the world sees the address of the host, the own subnet that of the container', async t => {
  const { firewall, host, outside, container } = await stage(t)
  const inside = await container(1, 3)
  // one address of the subnet lies behind the host, so that packets to it are routed
  const away = await namespace(t, 'away')
  await host.run(
    'ip',
    'link',
    'add',
    'away0',
    'up',
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    away.name,
  )
  await addressed(away, 'eth0', '10.1.1.200/32', 'fd00:1::200/128')
  await addressed(host, 'away0', '198.51.100.1/32', '2001:db8:1::1/128')
  for (const [family, address, gateway] of [
    ['-4', '10.1.1.200', '10.1.1.1'],
    ['-6', 'fd00:1::200', 'fd00:1::1'],
  ] as const) {
    await host.run('ip', family, 'route', 'add', address, 'dev', 'away0')
    await inside.run('ip', family, 'route', 'add', address, 'via', gateway)
  }
  await away.run('ip', 'route', 'add', '198.51.100.1', 'dev', 'eth0')
  await away.run('ip', 'route', 'add', 'default', 'via', '198.51.100.1')
  await away.run('ip', '-6', 'route', 'add', '2001:db8:1::1', 'dev', 'eth0')
  await away.run('ip', '-6', 'route', 'add', 'default', 'via', '2001:db8:1::1')

  await using _outside = await serve(outside, 'tcp', 7000)
  await using _away = await serve(away, 'tcp', 7000)
  const seen = async () => [
    await ask(inside, 'tcp', '192.0.2.2', 7000),
    await ask(inside, 'tcp', '2001:db8::2', 7000),
    await ask(inside, 'tcp', '10.1.1.200', 7000),
    await ask(inside, 'tcp', 'fd00:1::200', 7000),
  ]
  const own = ['10.1.1.3', 'fd00:1::3']
  t.same(await seen(), [...own, ...own], 'before')
  await firewall.masquerade(owner, [{ address: '10.1.1.3/24' }, { address: 'fd00:1::3/64' }])
  t.same(await seen(), ['192.0.2.1', '2001:db8::1', ...own], 'masqueraded')
  await firewall.masquerade(owner, [{ address: '10.1.1.3/25' }, { address: 'fd00:1::3/120' }])
  t.same(await seen(), ['192.0.2.1', '2001:db8::1', '198.51.100.1', '2001:db8:1::1'], 'with a smaller subnet')
  await firewall.unmasquerade(owner)
  t.same(await seen(), [...own, ...own], 'no longer')
})

/** Prints the address that sends to a multicast group. */
const LISTENER = `
const [group, on] = process.argv.slice(1)
const socket = require('dgram').createSocket(group.includes(':') ? 'udp6' : 'udp4')
socket.on('message', (_, from) => { console.log(from.address); process.exit() })
socket.bind(7001, () => socket.addMembership(group, on))
setTimeout(() => process.exit(1), 10000)
`
const SENDER = `
const [group, from, on] = process.argv.slice(1)
const socket = require('dgram').createSocket(group.includes(':') ? 'udp6' : 'udp4')
socket.bind(0, from, () => {
  socket.setMulticastInterface(on)
  setInterval(() => socket.send('x', 7001, group), 50)
})
setTimeout(() => process.exit(), 1500)
`

t.test('multicast keeps its source', async t => {
  const { firewall, host, outside } = await stage(t)
  await addressed(host, 'lo', '10.1.9.3/32', 'fd00:9::3/128')
  await firewall.masquerade(owner, [{ address: '10.1.9.3/24' }, { address: 'fd00:9::3/64' }])
  await using _server = await serve(outside, 'udp', 7000)
  const node = (script: string, ...args: string[]) => [process.execPath, ['-e', script, ...args]] as const
  for (const { group, from, on, to } of [
    { group: '239.1.1.1', from: '10.1.9.3', on: '192.0.2.1', to: '192.0.2.2' },
    { group: 'ff15::1', from: 'fd00:9::3', on: '::%up0', to: '::%eth0' },
  ]) {
    const sender = host.attempt(...node(SENDER, group, from, on))
    const { stdout } = await outside.attempt(...node(LISTENER, group, to))
    t.equal(stdout.trim(), from, group)
    await sender
  }
})

t.test('isolated bridges hear from nobody unasked, and may ask', async t => {
  const { firewall, outside, container } = await stage(t)
  const [a, sibling, b] = [await container(1, 3), await container(1, 4), await container(2, 3)]
  t.ok(await ping(a, '10.1.2.3'), 'before: another bridge')
  t.ok(await ping(outside, '10.1.1.3'), 'before: from outside')
  await firewall.isolate('br1', { internal: false })
  await firewall.isolate('br2', { internal: false })
  t.ok(await ping(a, '10.1.1.4'), 'its own bridge')
  t.ok(await ping(sibling, 'fd00:1::3'))
  t.ok(await ping(a, '192.0.2.2'), 'outside')
  t.ok(await ping(a, '2001:db8::2'))
  t.ok(await ping(a, '10.1.1.1'), 'the gateway')
  t.notOk(await ping(a, '10.1.2.3', SHORT), 'another bridge')
  t.notOk(await ping(b, 'fd00:1::3', SHORT))
  t.notOk(await ping(outside, '10.1.1.3', SHORT), 'from outside')
  t.notOk(await ping(outside, 'fd00:1::3', SHORT))
  await using _server = await serve(outside, 'tcp', 7000)
  t.equal(await ask(a, 'tcp', '192.0.2.2', 7000), '10.1.1.3', 'a connection and its answers')

  await firewall.isolate('br1', { internal: true })
  t.notOk(await ping(a, '192.0.2.2', SHORT), 'internal: outside')
  t.notOk(await ping(a, '10.1.2.3', SHORT), 'internal: another bridge')
  t.ok(await ping(a, '10.1.1.4'), 'internal: its own bridge')
  t.ok(await ping(a, '10.1.1.1'), 'internal: the gateway')
  t.ok(await ping(b, '192.0.2.2'), 'the other is not internal')

  await firewall.unisolate('br1')
  await firewall.unisolate('br2')
  t.ok(await ping(a, '10.1.2.3'), 'after: another bridge')
  t.ok(await ping(outside, '10.1.1.3'), 'after: from outside')
})
