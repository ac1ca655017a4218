// CHECK of the bridge plugin: silent while all is as ADD made it, an error for each thing that is not.
import t, { type Test } from 'tap'
import { isolated } from '../harness/namespaces.ts'
import { subjects, type Subject } from '../harness/plugins.ts'
import { settled } from '../harness/refusals.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

interface Damage {
  readonly name: string
  readonly onlyOurs?: string
  readonly deed: (world: World, port: string) => Promise<unknown>
}

const config = {
  cniVersion: '1.0.0',
  isDefaultGateway: true,
  ipMasq: true,
  hairpinMode: true,
  mtu: 1400,
  macspoofchk: true,
  ipam: hostLocal(['10.1.0.0/24', 'fd00:1::/64'], {
    routes: [
      { dst: '198.51.100.0/24', mtu: 1300, advmss: 1200, priority: 50, table: 7 },
      { dst: '203.0.113.0/24', gw: '0.0.0.0' },
    ],
  }),
}
const ROUTE = '198.51.100.0/24 table 7'

const damages: Damage[] = [
  { name: 'the interface is gone', deed: ({ sandbox }) => sandbox.run('ip', 'link', 'del', 'eth0') },
  {
    name: 'the IPv4 address is gone',
    deed: ({ sandbox }) => sandbox.run('ip', 'addr', 'del', '10.1.0.2/24', 'dev', 'eth0'),
  },
  {
    name: 'the IPv6 address is gone',
    deed: ({ sandbox }) => sandbox.run('ip', 'addr', 'del', 'fd00:1::2/64', 'dev', 'eth0'),
  },
  { name: 'the default route is gone', deed: ({ sandbox }) => sandbox.run('ip', 'route', 'del', 'default') },
  {
    name: 'a route that had none has a gateway',
    onlyOurs: 'it finds no route by 0.0.0.0',
    deed: ({ sandbox }) => sandbox.run('ip', 'route', 'replace', '203.0.113.0/24', 'via', '10.1.0.9'),
  },
  ...Object.entries({
    'the default route leads elsewhere': 'replace default via 10.1.0.9',
    'the default route is by another link':
      'del default; ip link add other up type bridge; ip address add 192.0.2.1/24 dev other; ip route add default via 192.0.2.9',
    'a route is in another table': `del ${ROUTE}; ip route add 198.51.100.0/24 via 10.1.0.1 metric 50`,
    'a route has another gateway': `replace ${ROUTE} via 10.1.0.9 metric 50 mtu 1300 advmss 1200`,
    'a route has another metric': `del ${ROUTE}; ip route add ${ROUTE} via 10.1.0.1 mtu 1300 advmss 1200`,
    'a route has lost its mtu': `replace ${ROUTE} via 10.1.0.1 metric 50 advmss 1200`,
    'a route has lost its advmss': `replace ${ROUTE} via 10.1.0.1 metric 50 mtu 1300`,
  }).map(([name, words]) => ({
    name,
    deed: ({ sandbox }: World) => sandbox.run('sh', '-ec', `ip route ${words}`),
    onlyOurs: 'it looks at the gateway of routes that are no default ones, and sets no attributes',
  })),
  {
    name: 'the host does not forward',
    deed: ({ host }) => host.run('sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward'),
    onlyOurs: 'it does not look',
  },
  {
    name: 'the hardware address is another',
    deed: ({ sandbox }) => sandbox.run('ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:00:99'),
  },
  {
    name: 'the port is in no bridge',
    deed: ({ host }, port) => host.run('ip', 'link', 'set', port, 'nomaster'),
  },
  { name: 'the bridge is gone', deed: ({ host }) => host.run('ip', 'link', 'del', 'cni0') },
  {
    name: 'the lease is gone',
    deed: ({ host, leaseFolder }) => host.run('sh', '-c', `rm ${leaseFolder}/10.* ${leaseFolder}/fd*`),
  },
  {
    name: 'hairpin mode is off',
    deed: ({ host }, port) => host.run('bridge', 'link', 'set', 'dev', port, 'hairpin', 'off'),
    onlyOurs: 'it does not look',
  },
  {
    name: 'the masquerade is gone',
    deed: ({ host }) => host.run('nft', 'flush', 'ruleset'),
    onlyOurs: 'it does not look',
  },
  {
    name: 'the port is down',
    deed: ({ host }, port) => host.run('ip', 'link', 'set', port, 'down'),
    onlyOurs: 'it does not look',
  },
]

/** What others in the chain, or the container, may rightly have changed since. */
const harmless: Damage[] = [
  {
    name: 'another address',
    deed: ({ sandbox }) => sandbox.run('ip', 'addr', 'add', '192.0.2.1/24', 'dev', 'eth0'),
  },
  {
    name: 'another route',
    deed: ({ sandbox }) => sandbox.run('ip', 'route', 'add', '192.0.2.0/24', 'via', '10.1.0.9'),
  },
  {
    name: 'another address of the bridge',
    deed: ({ host }) => host.run('ip', 'addr', 'add', '192.0.2.1/24', 'dev', 'cni0'),
  },
  {
    name: 'another default route of IPv6, which the kernel shows as one with ours',
    deed: ({ sandbox }) =>
      sandbox.run(
        'sh',
        '-ec',
        `ip link add other up type bridge; ip address add fd00:9::2/64 dev other nodad
        ip -6 route append default via fd00:9::1 dev other; ip -6 route show default | grep -q nexthop`,
      ),
  },
  { name: 'another table', deed: ({ host }) => host.run('nft', 'add', 'table', 'inet', 'foreign') },
]

async function check(t: Test, subject: Subject, { name, deed }: Damage, isDamage: boolean): Promise<void> {
  await t.test(name, async t => {
    await using world = await makeWorld(subject)
    // The reference calls nft for the spoof check; that is not what this is about.
    // It does not know attributes of routes.
    const ipam = hostLocal(['10.1.0.0/24', 'fd00:1::/64'])
    const full = world.config(subject.name === 'tnet' ? config : { ...config, ipam, macspoofchk: false })
    const added = await world.call('ADD', full)
    t.equal(added.code, 0, added.stdout)
    const interfaces = (added.json?.['interfaces'] ?? []) as { name: string }[]
    const port = interfaces[1]?.name ?? ''
    const withResult = { ...full, prevResult: added.json }
    t.equal((await world.call('CHECK', withResult)).code, 0, 'all is well')
    await deed(world, port)
    const before = await world.snapshot()
    const { code, json, stdout } = await world.call('CHECK', withResult)
    t.equal(code, isDamage ? 1 : 0, stdout)
    if (isDamage && subject.name === 'tnet') t.equal(json?.['code'], 100)
    t.equal(settled(await world.snapshot()), settled(before), 'CHECK changes nothing but its index')
    // The reference's DEL stumbles over addresses that it did not give.
    if (subject.name === 'tnet') t.equal((await world.call('DEL', withResult)).code, 0, 'and DEL still works')
  })
}

for (const subject of subjects()) {
  t.test(subject.name, { timeout: 600_000 }, async t => {
    for (const damage of damages) {
      if (subject.name === 'tnet' || damage.onlyOurs === undefined) await check(t, subject, damage, true)
    }
    for (const change of harmless) await check(t, subject, change, false)
    await t.test('without prevResult', async t => {
      await using world = await makeWorld(subject)
      const { code, json } = await world.call('CHECK', world.config(config))
      t.equal(code, 1)
      if (subject.name === 'tnet') t.equal(json?.['code'], 7)
    })
  })
}
