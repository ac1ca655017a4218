// ptp as users of the reference know it: what it answers and makes, refusals, DEL, packets.
import t from 'tap'
import { sysctl } from '../harness/facts.ts'
import { table, type Row } from '../harness/lifecycle.ts'
import { isolated, makeNetns } from '../harness/namespaces.ts'
import { makeOutside } from '../harness/outside.ts'
import { subjects } from '../harness/plugins.ts'
import { refusals, type Refusal } from '../harness/refusals.ts'
import { ask, ping, serve } from '../harness/traffic.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const V4 = '10.1.0.0/24'
const V6 = 'fd00:1::/64'
const ip4 = { interface: 1, address: '10.1.0.2/24', gateway: '10.1.0.1' }
const ip6 = { interface: 1, address: 'fd00:1::2/64', gateway: 'fd00:1::1' }
const routes = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }]
/** By routers of the subnets that are not their gateways. */
const byOthers = [
  { dst: '10.88.0.0/16', gw: '10.1.0.77' },
  { dst: 'fd00:88::/64', gw: 'fd00:1::77' },
]

function answer(more: object = {}, cniVersion = '1.0.0'): object {
  const interfaces = [
    { name: 'VETH', mac: 'MAC' },
    { name: 'eth0', mac: 'MAC', sandbox: 'SANDBOX' },
  ]
  return { cniVersion, interfaces, ...more }
}

/** What the host's end has. */
async function hostEnd({ host }: World): Promise<{ addresses: string[]; routes: string[] }> {
  const links = JSON.parse(await host.run('ip', '-j', 'addr')) as {
    ifname: string
    addr_info: { local: string; prefixlen: number; scope: string }[]
  }[]
  const link = links.find(({ ifname }) => ifname.startsWith('veth'))
  const addresses = (link?.addr_info ?? []).filter(({ scope }) => scope === 'global')
  const found = await host.run('sh', '-c', 'ip -4 route; ip -6 route')
  return {
    addresses: addresses.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    routes: [...found.matchAll(/^(\S*[:.]\S*2) dev veth/gm)].map(([, dst = '']) => dst),
  }
}

const rows: Row[] = [
  {
    name: 'IPv4: all goes by the gateway, which the host has',
    config: { type: 'ptp', ipam: hostLocal([V4], { routes: [{ dst: '0.0.0.0/0' }] }) },
    result: answer({ ips: [ip4], routes: [{ dst: '0.0.0.0/0' }] }),
    facts: {
      sandbox: { eth0: { up: true, addresses: ['10.1.0.2/24'], mtu: 1500 } },
      routes: ['10.1.0.0/24 via 10.1.0.1', '10.1.0.1', 'default via 10.1.0.1'],
      forwarding: { ipv4: true, ipv6: false },
      leases: ['10.1.0.2'],
    },
    also: async (t, world) => {
      t.strictSame(await hostEnd(world), { addresses: ['10.1.0.1/32'], routes: ['10.1.0.2'] })
      const text = await world.sandbox.run('ip', 'route')
      t.match(text, /10\.1\.0\.1 dev eth0 .*scope link .*src 10\.1\.0\.2/)
      t.match(text, /10\.1\.0\.0\/24 via 10\.1\.0\.1 .*src 10\.1\.0\.2/)
      t.notMatch(text, /10\.1\.0\.0\/24 dev/, 'no connected route')
    },
  },
  {
    name: 'dual stack',
    config: { type: 'ptp', ipam: hostLocal([V4, V6], { routes }) },
    result: answer({ ips: [ip4, ip6], routes }),
    facts: {
      sandbox: { eth0: { up: true, addresses: ['10.1.0.2/24', 'fd00:1::2/64'] } },
      routes: [
        '10.1.0.0/24 via 10.1.0.1',
        '10.1.0.1',
        'default via 10.1.0.1',
        'default via fd00:1::1',
        'fd00:1::/64 via fd00:1::1',
        'fd00:1::1',
      ],
      forwarding: { ipv4: true, ipv6: true },
    },
    also: async (t, world) => {
      t.strictSame(await hostEnd(world), {
        addresses: ['10.1.0.1/32', 'fd00:1::1/128'],
        routes: ['10.1.0.2', 'fd00:1::2'],
      })
      const name = /\d: (veth\w+)@/.exec(await world.host.run('ip', '-o', 'link'))?.[1]
      t.equal(await sysctl(world.host, `net/ipv6/conf/${name}/accept_ra`), '0')
    },
  },
  {
    name: 'routes by other gateways of the subnets',
    config: { type: 'ptp', ipam: hostLocal([V4, V6], { routes: byOthers }) },
    result: answer({ ips: [ip4, ip6], routes: byOthers }),
    facts: {
      routes: [
        '10.1.0.0/24 via 10.1.0.1',
        '10.1.0.1',
        '10.88.0.0/16 via 10.1.0.77',
        'fd00:1::/64 via fd00:1::1',
        'fd00:1::1',
        'fd00:88::/64 via fd00:1::77',
      ],
    },
  },
  {
    name: 'mtu',
    config: { type: 'ptp', mtu: 1400, ipam: hostLocal([V4]) },
    result: answer({ ips: [ip4] }),
    facts: { sandbox: { eth0: { mtu: 1400 } } },
  },
  {
    name: 'ipMasq',
    config: { type: 'ptp', ipMasq: true, ipam: hostLocal([V4, V6]) },
    result: answer({ ips: [ip4, ip6] }),
    also: async (t, world) => {
      const { ruleset } = await world.facts()
      t.match(ruleset, /10\.1\.0\.(2|0\/24)/)
      t.match(ruleset, /fd00:1::(2|\/64)/)
    },
  },
  {
    name: 'dns of the configuration goes before that of the IPAM',
    config: { type: 'ptp', dns: { nameservers: ['192.0.2.53'] }, ipam: hostLocal([V4]) },
    result: answer({ ips: [ip4], dns: { nameservers: ['192.0.2.53'] } }),
  },
  {
    name: 'CNI_ARGS is for the IPAM plugin',
    config: { type: 'ptp', ipam: hostLocal([V4]) },
    request: { args: 'IP=10.1.0.77' },
    result: answer({ ips: [{ ...ip4, address: '10.1.0.77/24' }] }),
  },
  {
    name: 'a gateway of the configuration',
    config: { type: 'ptp', ipam: { type: 'host-local', subnet: V4, gateway: '10.1.0.254' } },
    result: answer({ ips: [{ interface: 1, address: '10.1.0.1/24', gateway: '10.1.0.254' }] }),
    facts: { routes: ['10.1.0.0/24 via 10.1.0.254', '10.1.0.254'] },
  },
  {
    name: 'no gateway: the first address of the subnet',
    onlyOurs: 'the reference needs one',
    config: { type: 'ptp', ipam: { type: 'static', addresses: [{ address: '10.1.0.2/24' }] } },
    result: answer({ ips: [ip4] }),
    facts: { routes: ['10.1.0.0/24 via 10.1.0.1', '10.1.0.1'] },
  },
  {
    name: 'no ipam: a link alone',
    onlyOurs: 'plugins#987',
    config: { type: 'ptp' },
    result: answer(),
    facts: { sandbox: { eth0: { up: true, addresses: [] } } },
  },
  {
    name: 'answer of 0.2.0',
    config: { type: 'ptp', cniVersion: '0.2.0', ipam: hostLocal([V4], { routes: [{ dst: '0.0.0.0/0' }] }) },
    result: {
      cniVersion: '0.2.0',
      ip4: { ip: '10.1.0.2/24', gateway: '10.1.0.1', routes: [{ dst: '0.0.0.0/0' }] },
    },
    noCheck: true,
  },
  {
    name: 'answer of 1.1.0: mtu of the interfaces',
    onlyOurs: 'newer than 1.1.1',
    config: { type: 'ptp', cniVersion: '1.1.0', ipam: hostLocal([V4]) },
    result: {
      cniVersion: '1.1.0',
      interfaces: [
        { name: 'VETH', mac: 'MAC', mtu: 1500 },
        { name: 'eth0', mac: 'MAC', mtu: 1500, sandbox: 'SANDBOX' },
      ],
      ips: [ip4],
    },
  },
]

table(t, rows)

const refused: Refusal[] = [
  {
    name: 'an interface that exists in the sandbox',
    before: ({ sandbox }) => sandbox.run('ip', 'link', 'add', 'eth0', 'type', 'bridge'),
    config: { type: 'ptp', ipMasq: true, ipam: hostLocal([V4]) },
    code: 7,
  },
  {
    name: 'an mtu below what the kernel takes',
    config: { type: 'ptp', mtu: 40, ipam: hostLocal([V4]) },
    code: 999,
  },
  {
    name: 'a negative mtu',
    config: { type: 'ptp', mtu: -1, ipam: hostLocal([V4]) },
    code: 7,
    onlyOurs: 'the reference takes it for none',
  },
  { name: 'an mtu that is a text', config: { type: 'ptp', mtu: '1500', ipam: hostLocal([V4]) }, code: 7 },
  {
    name: 'an unknown ipMasqBackend',
    config: { type: 'ptp', ipMasqBackend: 'ebtables', ipam: hostLocal([V4]) },
    code: 7,
    onlyOurs: 'newer than 1.1.1',
  },
  {
    name: 'a route by a gateway that is in no subnet',
    config: {
      type: 'ptp',
      ipam: hostLocal([V4], { routes: [{ dst: '10.88.0.0/16', gw: '10.2.0.77' }] }),
    },
    code: 999,
  },
  {
    name: 'an address whose subnet has no room for a gateway',
    config: { type: 'ptp', ipam: { type: 'static', addresses: [{ address: '10.1.0.2/32' }] } },
    code: 7,
  },
  {
    name: "the host's own namespace",
    onlyOurs: 'the reference looks only when it is done',
    config: { type: 'ptp', ipam: hostLocal([V4]) },
    request: ({ host }) => ({ netns: host.path }),
    code: 8,
  },
  {
    name: 'an unknown argument, for host-local',
    config: { type: 'ptp', ipam: hostLocal([V4]) },
    request: { args: 'COLOUR=green' },
    code: 999,
  },
  {
    name: 'IPv6 where the host has it off',
    before: ({ host }) => host.run('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1'),
    config: { ipam: hostLocal([V6]) },
    code: 999,
  },
]

t.test('refusals', async t =>
  refusals(
    t,
    refused.map(row => ({ type: 'ptp', ...row })),
  ),
)

for (const subject of subjects()) {
  t.test(`${subject.name}: packets to the host, to a neighbour, and masqueraded beyond`, async t => {
    await using world = await makeWorld(subject)
    await using outside = await makeOutside(world.host)
    await using second = await makeNetns('second')
    const config = world.config({ type: 'ptp', ipMasq: true, ipam: hostLocal([V4, V6], { routes }) })
    for (const { path, name } of [world.sandbox, second]) {
      const added = await world.call('ADD', config, { containerId: name, netns: path })
      t.equal(added.code, 0, added.stdout)
    }
    for (const address of ['10.1.0.1', 'fd00:1::1'])
      t.ok(await ping(world.sandbox, address), `gateway ${address}`)
    for (const address of ['10.1.0.3', 'fd00:1::3']) {
      t.ok(await ping(world.sandbox, address), `neighbour ${address}`)
      t.ok(await ping(world.host, address), `from the host: ${address}`)
    }
    await using _ = await serve(outside, 'tcp', 8080)
    t.match(await ask(world.sandbox, 'tcp', '192.0.2.2', 8080), /192\.0\.2\.1/, 'by the address of the host')
    t.match(await ask(world.sandbox, 'tcp', '2001:db8::2', 8080), /2001:db8::1/)
    for (const { path, name } of [world.sandbox, second]) {
      t.equal((await world.call('DEL', config, { containerId: name, netns: path })).code, 0)
    }
    t.notOk(await ping(world.host, '10.1.0.3', 300))
    t.notMatch(JSON.stringify((await world.facts()).others), /veth/)
  })
}

const ours = subjects().find(({ name }) => name === 'tnet')

t.test('DEL', async t => {
  if (ours === undefined) return t.pass('the reference alone was asked for')
  const meanwhile: Record<string, (world: World) => Promise<unknown>> = {
    'the namespace is gone': ({ sandbox }) => sandbox.remove(),
    'the interface is gone': ({ sandbox }) => sandbox.run('ip', 'link', 'del', 'eth0'),
    'the interface was renamed': async ({ sandbox }) => {
      await sandbox.run('ip', 'link', 'set', 'eth0', 'down')
      await sandbox.run('ip', 'link', 'set', 'eth0', 'name', 'other0')
    },
  }
  for (const [name, deed] of Object.entries(meanwhile)) {
    await t.test(name, async t => {
      await using world = await makeWorld(ours)
      const config = world.config({ type: 'ptp', ipMasq: true, ipam: hostLocal([V4, V6]) })
      t.equal((await world.call('ADD', config)).code, 0)
      await deed(world)
      for (const time of ['once', 'twice']) t.equal((await world.call('DEL', config)).code, 0, time)
      const { others, leases, ruleset } = await world.facts().catch(async () => {
        await world.host.run('ip', 'netns', 'add', world.sandbox.name)
        return world.facts()
      })
      t.strictSame({ others, leases }, { others: {}, leases: [] })
      t.notMatch(ruleset, /10\.1\.0\.2|fd00:1::2/)
    })
  }

  await t.test('in a namespace that another container has by now', async t => {
    await using world = await makeWorld(ours)
    const config = world.config({ type: 'ptp', ipMasq: true, ipam: hostLocal([V4]) })
    t.equal((await world.call('ADD', config, { containerId: 'successor' })).code, 0)
    const before = await world.snapshot()
    t.equal((await world.call('DEL', config, { containerId: 'c1' })).code, 0)
    t.equal(await world.snapshot(), before)
  })
})

t.test('CHECK', async t => {
  if (ours === undefined) return t.pass('the reference alone was asked for')
  const damages: Record<string, (world: World, port: string) => Promise<unknown>> = {
    'the gateway address is gone': ({ host }, port) =>
      host.run('ip', 'addr', 'del', '10.1.0.1/32', 'dev', port),
    'the route to the sandbox is gone': ({ host }) => host.run('ip', 'route', 'del', '10.1.0.2'),
    'the IPv6 route to the sandbox is gone': ({ host }) => host.run('ip', '-6', 'route', 'del', 'fd00:1::2'),
    "the host's end is down": ({ host }, port) => host.run('ip', 'link', 'set', port, 'down'),
    'the route to the subnet is gone': ({ sandbox }) => sandbox.run('ip', 'route', 'del', V4),
    'the route by another gateway is gone': ({ sandbox }) =>
      sandbox.run('ip', 'route', 'del', '10.88.0.0/16'),
    'the IPv6 route by another gateway is gone': ({ sandbox }) =>
      sandbox.run('ip', '-6', 'route', 'del', 'fd00:88::/64'),
    'the default route is gone': ({ sandbox }) => sandbox.run('ip', 'route', 'del', 'default'),
    'the address is gone': ({ sandbox }) => sandbox.run('ip', 'addr', 'del', '10.1.0.2/24', 'dev', 'eth0'),
    'the masquerade is gone': ({ host }) => host.run('nft', 'flush', 'ruleset'),
    'the host does not forward': ({ host }) => host.run('sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward'),
    'the mtu is another': ({ host }, port) => host.run('ip', 'link', 'set', port, 'mtu', '1300'),
  }
  for (const [name, damage] of Object.entries(damages)) {
    await t.test(name, async t => {
      await using world = await makeWorld(ours)
      const config = world.config({
        type: 'ptp',
        ipMasq: true,
        mtu: 1400,
        ipam: hostLocal([V4, V6], { routes: [...routes, ...byOthers] }),
      })
      const { json } = await world.call('ADD', config)
      const port = (json?.['interfaces'] as { name: string }[] | undefined)?.[0]?.name ?? ''
      const withResult = { ...config, prevResult: json }
      t.equal((await world.call('CHECK', withResult)).code, 0, 'all is well')
      await damage(world, port)
      const { code, json: error, stdout } = await world.call('CHECK', withResult)
      t.equal(code, 1, stdout)
      t.equal(error?.['code'], 100)
      t.equal((await world.call('DEL', withResult)).code, 0, 'and DEL still works')
    })
  }
})

t.test('what the reference has made is checked and removed', async t => {
  const reference = subjects().find(({ name }) => name === 'reference')
  if (ours === undefined || reference === undefined) return t.pass('one of them is not there')
  await using world = await makeWorld(ours)
  await using before = await makeWorld(reference)
  const place = { host: world.host, netns: world.sandbox.path }
  const config = world.config({ type: 'ptp', ipMasq: true, ipam: hostLocal([V4, V6], { routes }) })
  const added = await before.call('ADD', config, place)
  t.equal(added.code, 0, added.stdout)
  const checked = await world.call('CHECK', { ...config, prevResult: added.json })
  t.equal(checked.code, 0, checked.stdout)
  t.match((await world.facts()).ruleset, /MASQUERADE|masquerade/i)
  t.equal((await world.call('DEL', { ...config, prevResult: added.json })).code, 0)
  const { others, sandbox, leases, ruleset } = await world.facts()
  t.strictSame({ others, sandbox, leases }, { others: {}, sandbox: {}, leases: [] })
  t.notMatch(ruleset, /masquerade/i, 'the chains of its masquerade are gone')
})
