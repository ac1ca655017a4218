// What the firewall plugin promises, shown by packets: through a host that drops, and between bridges and neighbours.
import t, { type Test } from 'tap'
import { chain, type Chain } from '../harness/chain.ts'
import { isolated, lacks, makeNetns, type Netns } from '../harness/namespaces.ts'
import { makeOutside, OUTSIDE } from '../harness/outside.ts'
import { type Answer, type Subject, subjects } from '../harness/plugins.ts'
import { ask, ping, serve } from '../harness/traffic.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

/** Long enough for a packet to come here, short enough to wait for one that does not. */
const SHORT = 400
const ROUTES = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }]

interface Inside extends Chain {
  readonly place: Netns
  readonly addresses: readonly string[]
  /** firewall alone. */
  firewall(verb: 'ADD' | 'DEL'): Promise<Answer>
}

/** A container at 10.1.<bridge>.<number> and fd00:<bridge>::<number>. */
async function inside(
  world: World,
  place: Netns,
  at: { readonly bridge: number; readonly number: number },
  firewall: object,
): Promise<Inside> {
  const { bridge, number } = at
  const addresses = [`10.1.${bridge}.${number}`, `fd00:${bridge}::${number}`]
  const ranges = [`10.1.${bridge}.0/24`, `fd00:${bridge}::/64`]
  const under = {
    cniVersion: '1.0.0',
    bridge: `cni${bridge}`,
    isGateway: true,
    ipam: hostLocal(ranges, { routes: ROUTES }),
    args: { cni: { ips: addresses } },
  }
  const sample = {
    type: 'firewall',
    config: { cniVersion: '1.0.0', ...firewall },
    after: [{ type: 'bridge', ...under }],
  }
  const one = chain(world, sample, { containerId: place.name, netns: place.path })
  await one.add()
  const own = { ...world.config({ cniVersion: '1.0.0' }), type: 'firewall', ...firewall }
  return {
    ...one,
    place,
    addresses,
    firewall: verb =>
      world.call(verb, { ...own, prevResult: one.result() }, { containerId: place.name, netns: place.path }),
  }
}

const BEYOND = Object.values(OUTSIDE)
const BRIDGES = ['10.1.0.0/16', 'fd00::/16']

async function reaches(t: Test, from: Netns, addresses: readonly string[], what: string): Promise<void> {
  for (const address of addresses) t.ok(await ping(from, address), `${what}: ${address}`)
}

async function misses(t: Test, from: Netns, addresses: readonly string[], what: string): Promise<void> {
  for (const address of addresses) t.notOk(await ping(from, address, SHORT), `${what}: ${address}`)
}

for (const subject of subjects()) {
  t.test(`${subject.name}: through a host that drops what it does not accept`, async t => {
    await using world = await makeWorld(subject)
    await using outside = await makeOutside(world.host, ...BRIDGES)
    for (const program of ['iptables', 'ip6tables']) await world.host.run(program, '-P', 'FORWARD', 'DROP')
    const one = await inside(world, world.sandbox, { bridge: 1, number: 5 }, { backend: 'iptables' })
    await reaches(t, one.place, BEYOND, 'asked, and answered')
    await misses(t, outside, one.addresses, 'nobody asked')
    await using _server = await serve(outside, 'tcp', 80)
    t.equal(await ask(one.place, 'tcp', '192.0.2.2', 80), '10.1.1.5', 'TCP')
    await world.host.run('iptables', '-A', 'CNI-ADMIN', '-s', '10.1.1.5', '-j', 'DROP')
    await misses(t, one.place, BEYOND.slice(0, 1), 'the administrator decides otherwise')
    await world.host.run('iptables', '-F', 'CNI-ADMIN')
    const alias = ['address', 'add', '10.1.1.9/24', 'dev', 'eth0'] as const
    await one.place.run('ip', ...alias)
    await one.place.run('ip', 'route', 'replace', 'default', 'via', '10.1.1.1', 'src', '10.1.1.9')
    await misses(t, one.place, BEYOND.slice(0, 1), 'from an address that is not its own')
  })

  for (const backend of subject.name === 'reference' ? ['iptables'] : ['iptables', 'nftables']) {
    t.test(`${subject.name}: ${backend}: same-bridge`, async t => {
      await using world = await makeWorld(subject)
      await using outside = await makeOutside(world.host, ...BRIDGES)
      await using neighbour = await makeNetns('neighbour')
      await using other = await makeNetns('other')
      await using open = await makeNetns('open')
      const apart = { backend, ingressPolicy: 'same-bridge' }
      const one = await inside(world, world.sandbox, { bridge: 1, number: 5 }, apart)
      const two = await inside(world, neighbour, { bridge: 1, number: 6 }, apart)
      const away = await inside(world, other, { bridge: 2, number: 5 }, apart)
      const free = await inside(world, open, { bridge: 3, number: 5 }, { backend })
      await reaches(t, one.place, two.addresses, 'on the same bridge')
      await reaches(t, two.place, one.addresses, 'on the same bridge, back')
      await misses(t, one.place, away.addresses, 'to another bridge')
      await misses(t, away.place, one.addresses, 'from another bridge')
      await reaches(t, one.place, BEYOND, 'beyond the host')
      await reaches(t, outside, one.addresses, 'from beyond the host')
      await reaches(t, one.place, free.addresses, 'to a bridge without policy')
      for (const each of [one, two]) await each.del()
      if (subject.name === 'reference') return
      const again = await inside(world, world.sandbox, { bridge: 1, number: 5 }, { backend })
      await reaches(t, away.place, again.addresses, 'when its last user is gone')
      await reaches(t, again.place, away.addresses, 'when its last user is gone, back')
    })
  }
}

const ours = subjects().find(({ name }) => name === 'tnet') as Subject

for (const policy of ['open', 'same-bridge', 'isolated'] as const) {
  t.test(`iptables-legacy: ${policy}`, { skip: lacks('legacy iptables') }, async t => {
    await using world = await makeWorld(ours)
    await using outside = await makeOutside(world.host, ...BRIDGES)
    await using neighbour = await makeNetns('neighbour')
    await using other = await makeNetns('other')
    for (const program of ['iptables-legacy', 'ip6tables-legacy']) {
      await world.host.run(program, '-P', 'FORWARD', 'DROP')
    }
    const apart = { ingressPolicy: policy }
    const one = await inside(world, world.sandbox, { bridge: 1, number: 5 }, apart)
    await reaches(t, one.place, BEYOND, 'asked, and answered')
    await misses(t, outside, one.addresses, 'nobody asked')
    const two = await inside(world, neighbour, { bridge: 1, number: 6 }, apart)
    const away = await inside(world, other, { bridge: 2, number: 5 }, apart)
    const [near, far] = [two.addresses, away.addresses]
    await (policy === 'isolated' ? misses : reaches)(t, one.place, near, 'its neighbour')
    await (policy === 'open' ? reaches : misses)(t, one.place, far, 'another bridge')
    await world.host.run('iptables-legacy', '-A', 'CNI-ADMIN', '-s', '10.1.1.5', '-j', 'DROP')
    await misses(t, one.place, BEYOND.slice(0, 1), 'the administrator decides otherwise')
    await world.host.run('iptables-legacy', '-F', 'CNI-ADMIN')
    await reaches(t, one.place, BEYOND, 'and again')
    // The bridge's plugin alone: it is attached as before, and nothing lets it through.
    const { code, stdout } = await one.firewall('DEL')
    t.equal(code, 0, stdout)
    await misses(t, one.place, BEYOND, 'after DEL')
    await reaches(t, away.place, BEYOND, 'others are let through')
  })
}

for (const backend of ['iptables', 'nftables']) {
  t.test(`${backend}: isolated`, async t => {
    await using world = await makeWorld(ours)
    // What a bridge passes on is not to be seen by rules about what is routed: not every kernel shows it to them.
    await world.host.run(
      'sh',
      '-c',
      'for f in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e $f ] || echo 0 >$f; done',
    )
    await using outside = await makeOutside(world.host, ...BRIDGES)
    await using neighbour = await makeNetns('neighbour')
    await using other = await makeNetns('other')
    const policy = { backend, ingressPolicy: 'isolated' }
    const one = await inside(world, world.sandbox, { bridge: 1, number: 5 }, policy)
    const two = await inside(world, neighbour, { bridge: 1, number: 6 }, policy)
    const away = await inside(world, other, { bridge: 2, number: 5 }, policy)
    await reaches(t, one.place, ['10.1.1.1', 'fd00:1::1', ...BEYOND], 'the gateway, and beyond the host')
    await reaches(t, outside, one.addresses, 'from beyond the host')
    await misses(t, one.place, [...two.addresses, ...away.addresses], 'its neighbours, and other bridges')
    await misses(t, two.place, one.addresses, 'from its neighbour')
    // Whoever sends to the gateway what is for a neighbour does not get it there either.
    for (const [from, to] of [
      [one, two],
      [two, one],
    ] as const) {
      await from.place.run('ip', 'route', 'add', `${to.addresses[0]}/32`, 'via', '10.1.1.1')
      await from.place.run('ip', 'route', 'add', `${to.addresses[1]}/128`, 'via', 'fd00:1::1')
    }
    await world.host.run('sh', '-c', 'for f in /proc/sys/net/ipv4/conf/*/send_redirects; do echo 0 >$f; done')
    await misses(t, one.place, two.addresses, 'by way of the gateway')
    for (const each of [one, two]) await each.del()
    const again = await inside(world, world.sandbox, { bridge: 1, number: 5 }, { backend })
    const friend = await inside(world, neighbour, { bridge: 1, number: 6 }, { backend })
    await reaches(t, again.place, friend.addresses, 'when its last user is gone')
  })
}
