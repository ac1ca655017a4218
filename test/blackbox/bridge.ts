// What ADD of the bridge plugin answers and makes, as users of the reference plugin know it.
import t from 'tap'
import { sysctl } from '../harness/facts.ts'
import { table, type Row } from '../harness/lifecycle.ts'
import { isolated } from '../harness/namespaces.ts'
import { hostLocal, type World } from '../harness/world.ts'

isolated(import.meta)

const V4 = '10.1.0.0/24'
const V6 = 'fd00:1::/64'
const ip4 = { interface: 2, address: '10.1.0.2/24', gateway: '10.1.0.1' }
const ip6 = { interface: 2, address: 'fd00:1::2/64', gateway: 'fd00:1::1' }

/** The answer to an ADD on the bridge cni0. */
function answer(more: object = {}, mac = 'MAC', cniVersion = '1.0.0'): object {
  const host = [
    { name: 'cni0', mac: 'MAC' },
    { name: 'VETH', mac: 'MAC' },
  ]
  return { cniVersion, interfaces: [...host, { name: 'eth0', mac, sandbox: 'SANDBOX' }], ...more }
}

const onHost =
  (...command: string[]) =>
  ({ host }: World) =>
    host.run('ip', ...command)

/** A row about where the sandbox's hardware address comes from. */
function macRow(name: string, wanted: string, row: Partial<Row>): Row {
  return {
    name,
    config: {},
    result: answer(),
    facts: { sandbox: { eth0: { mac: wanted } } },
    noReferenceCheck: 'it asks for an ipam',
    ...row,
  }
}

const rows: Row[] = [
  {
    name: 'an address, no gateway on the bridge',
    config: { ipam: hostLocal([V4]) },
    result: answer({ ips: [ip4] }),
    facts: {
      bridges: { cni0: { up: true, promisc: false, addresses: [], mtu: 1500 } },
      ports: [{ master: 'cni0', up: true, hairpin: false, isolated: false, addresses: [], mtu: 1500 }],
      sandbox: { eth0: { up: true, addresses: ['10.1.0.2/24'], mtu: 1500 } },
      routes: [],
      forwarding: { ipv4: false, ipv6: false },
      leases: ['10.1.0.2'],
    },
  },
  {
    name: 'isGateway: the gateway is on the bridge, and the host forwards',
    config: { isGateway: true, ipam: hostLocal([V4]) },
    result: answer({ ips: [ip4] }),
    facts: {
      bridges: { cni0: { addresses: ['10.1.0.1/24'], broadcasts: ['10.1.0.255'] } },
      sandbox: { eth0: { addresses: ['10.1.0.2/24'], broadcasts: ['10.1.0.255'] } },
      routes: [],
      forwarding: { ipv4: true, ipv6: false },
    },
  },
  {
    name: 'isGateway with a gateway of the configuration',
    config: { isGateway: true, ipam: { type: 'host-local', subnet: V4, gateway: '10.1.0.254' } },
    result: answer({ ips: [{ interface: 2, address: '10.1.0.1/24', gateway: '10.1.0.254' }] }),
    facts: { bridges: { cni0: { addresses: ['10.1.0.254/24'] } } },
  },
  {
    name: 'isDefaultGateway',
    config: { isDefaultGateway: true, ipam: hostLocal([V4]) },
    result: answer({ ips: [ip4], routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }] }),
    facts: { bridges: { cni0: { addresses: ['10.1.0.1/24'] } }, routes: ['default via 10.1.0.1'] },
  },
  {
    name: 'isDefaultGateway leaves a default route that has a gateway',
    config: {
      isDefaultGateway: true,
      ipam: hostLocal([V4], { routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.9' }] }),
    },
    result: answer({ ips: [ip4], routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.9' }] }),
    facts: { routes: ['default via 10.1.0.9'] },
  },
  {
    name: 'attributes of routes',
    onlyOurs: 'it tells of them, and sets none',
    config: {
      isGateway: true,
      ipam: hostLocal([V4], {
        routes: [
          { dst: '198.51.100.0/24', mtu: 1300, advmss: 1200, priority: 50 },
          { dst: '198.51.100.0/24', table: 7 },
          { dst: '203.0.113.0/24', scope: 253 },
        ],
      }),
    },
    result: answer({
      ips: [ip4],
      routes: [
        { dst: '198.51.100.0/24', mtu: 1300, advmss: 1200, priority: 50 },
        { dst: '198.51.100.0/24', table: 7 },
        { dst: '203.0.113.0/24', scope: 253 },
      ],
    }),
    facts: { routes: ['198.51.100.0/24 via 10.1.0.1', '203.0.113.0/24'] },
    also: async (t, { sandbox }) => {
      const routes = await sandbox.run('ip', 'route', 'show', 'table', 'all', 'proto', '116')
      t.match(routes, /^198\.51\.100\.0\/24 via 10\.1\.0\.1 dev eth0 metric 50 mtu 1300 advmss 1200 $/m)
      t.match(routes, /^198\.51\.100\.0\/24 via 10\.1\.0\.1 dev eth0 table 7 $/m)
      t.match(routes, /^203\.0\.113\.0\/24 dev eth0 scope link $/m, 'on the link, not by the gateway')
    },
  },
  {
    name: 'routes of the IPAM section',
    config: {
      isGateway: true,
      ipam: hostLocal([V4], { routes: [{ dst: '0.0.0.0/0' }, { dst: '192.0.2.0/24', gw: '10.1.0.9' }] }),
    },
    result: answer({ ips: [ip4], routes: [{ dst: '0.0.0.0/0' }, { dst: '192.0.2.0/24', gw: '10.1.0.9' }] }),
    facts: { routes: ['192.0.2.0/24 via 10.1.0.9', 'default via 10.1.0.1'] },
  },
  {
    name: 'a route without a gateway, by 0.0.0.0',
    noReferenceCheck: 'it finds no route by 0.0.0.0',
    config: { isGateway: true, ipam: hostLocal([V4], { routes: [{ dst: '10.88.0.0/16', gw: '0.0.0.0' }] }) },
    result: answer({ ips: [ip4], routes: [{ dst: '10.88.0.0/16', gw: '0.0.0.0' }] }),
    facts: { routes: ['10.88.0.0/16'] },
  },
  {
    name: 'dual stack, default gateway',
    config: { isDefaultGateway: true, ipam: hostLocal([V4, V6]) },
    result: answer({
      ips: [ip4, ip6],
      routes: [
        { dst: '0.0.0.0/0', gw: '10.1.0.1' },
        { dst: '::/0', gw: 'fd00:1::1' },
      ],
    }),
    facts: {
      bridges: { cni0: { addresses: ['10.1.0.1/24', 'fd00:1::1/64'] } },
      sandbox: { eth0: { addresses: ['10.1.0.2/24', 'fd00:1::2/64'] } },
      routes: ['default via 10.1.0.1', 'default via fd00:1::1'],
      forwarding: { ipv4: true, ipv6: true },
      leases: ['10.1.0.2', 'fd00:1::2'],
    },
  },
  {
    name: 'IPv6 alone',
    config: { isGateway: true, ipam: hostLocal([V6]) },
    result: answer({ ips: [ip6] }),
    facts: {
      bridges: { cni0: { addresses: ['fd00:1::1/64'] } },
      sandbox: { eth0: { addresses: ['fd00:1::2/64'] } },
    },
  },
  {
    name: 'two IPv6 subnets, two gateways',
    config: { isGateway: true, ipam: hostLocal([V6, 'fd00:2::/64']) },
    result: answer({ ips: [ip6, { interface: 2, address: 'fd00:2::2/64', gateway: 'fd00:2::1' }] }),
    facts: { sandbox: { eth0: { addresses: ['fd00:2::2/64', 'fd00:1::2/64'] } } },
    also: async (t, world) => {
      const { bridges } = await world.facts()
      t.strictSame([...(bridges['cni0']?.addresses ?? [])].sort(), ['fd00:1::1/64', 'fd00:2::1/64'])
    },
  },
  {
    name: 'no ipam: layer 2 alone',
    config: {},
    result: answer(),
    facts: {
      bridges: { cni0: { up: true, addresses: [] } },
      sandbox: { eth0: { up: true, addresses: [] } },
      leases: [],
    },
    noReferenceCheck: 'it asks for an ipam',
  },
  {
    name: 'an empty ipam: layer 2 alone',
    config: { ipam: {} },
    result: answer(),
    noReferenceCheck: 'it asks for an ipam',
  },
  {
    name: 'mtu, on both ends and the bridge',
    config: { mtu: 1400, ipam: hostLocal([V4]) },
    result: answer({ ips: [ip4] }),
    facts: { bridges: { cni0: { mtu: 1400 } }, ports: [{ mtu: 1400 }], sandbox: { eth0: { mtu: 1400 } } },
  },
  {
    name: 'mtu on a bridge that exists',
    onlyOurs: 'the reference leaves the bridge as it is',
    before: onHost('link', 'add', 'cni0', 'type', 'bridge'),
    config: { mtu: 1400 },
    result: answer(),
    facts: { bridges: { cni0: { mtu: 1400 } }, ports: [{ mtu: 1400 }], sandbox: { eth0: { mtu: 1400 } } },
  },
  {
    name: 'hairpinMode',
    config: { hairpinMode: true, ipam: hostLocal([V4]) },
    result: answer({ ips: [ip4] }),
    facts: { bridges: { cni0: { promisc: false } }, ports: [{ hairpin: true }] },
  },
  {
    name: 'promiscMode',
    config: { promiscMode: true, ipam: hostLocal([V4]) },
    result: answer({ ips: [ip4] }),
    facts: { bridges: { cni0: { promisc: true } }, ports: [{ hairpin: false }] },
  },
  {
    name: 'portIsolation',
    onlyOurs: 'newer than 1.1.1',
    config: { portIsolation: true },
    result: answer(),
    facts: { ports: [{ isolated: true }] },
  },
  {
    name: 'disableContainerInterface: the end in the sandbox stays down',
    onlyOurs: 'newer than 1.1.1',
    config: { disableContainerInterface: true },
    result: answer(),
    facts: { ports: [{ up: true }], sandbox: { eth0: { up: false, addresses: [] } } },
  },
  {
    name: 'a bridge of another name',
    config: { bridge: 'br-test', ipam: hostLocal([V4]) },
    result: JSON.parse(JSON.stringify(answer({ ips: [ip4] })).replace('cni0', 'br-test')) as object,
    facts: { ports: [{ master: 'br-test' }] },
  },
  {
    name: 'a bridge that exists is used as it is',
    before: onHost('link', 'add', 'cni0', 'address', '02:00:00:00:00:09', 'type', 'bridge'),
    config: { isGateway: true, ipam: hostLocal([V4]) },
    result: answer({ ips: [ip4] }),
    facts: { bridges: { cni0: { mac: '02:00:00:00:00:09', up: true, addresses: ['10.1.0.1/24'] } } },
  },
  {
    name: 'an address that the bridge has already',
    before: async world => {
      await world.host.run('ip', 'link', 'add', 'cni0', 'type', 'bridge')
      await world.host.run('ip', 'addr', 'add', '10.1.0.1/24', 'dev', 'cni0')
    },
    config: { isGateway: true, ipam: hostLocal([V4]) },
    result: answer({ ips: [ip4] }),
    facts: { bridges: { cni0: { addresses: ['10.1.0.1/24'] } } },
    onlyOurs: 'plugins#620: the address of a bridge without ports cannot be pinned',
  },
  {
    name: 'forceAddress takes another address away',
    before: async world => {
      await world.host.run('ip', 'link', 'add', 'cni0', 'address', '02:00:00:00:00:09', 'type', 'bridge')
      await world.host.run('ip', 'addr', 'add', '10.1.0.77/24', 'dev', 'cni0')
    },
    config: { isGateway: true, forceAddress: true, ipam: hostLocal([V4]) },
    result: answer({ ips: [ip4] }),
    facts: { bridges: { cni0: { addresses: ['10.1.0.1/24'] } } },
  },
  ...[false, true].map(forceAddress => ({
    name: `two subnets of IPv4: the gateways are not in each other's way, forceAddress ${forceAddress}`,
    onlyOurs: 'one takes the other away, or is refused',
    config: { isGateway: true, forceAddress, ipam: hostLocal([V4, '10.2.0.0/24']) },
    result: answer({ ips: [ip4, { interface: 2, address: '10.2.0.2/24', gateway: '10.2.0.1' }] }),
    facts: { bridges: { cni0: { addresses: ['10.1.0.1/24', '10.2.0.1/24'] } } },
  })),
  {
    name: 'dns of the configuration goes before that of the IPAM',
    config: { dns: { nameservers: ['192.0.2.53'], search: ['example.org'] }, ipam: hostLocal([V4]) },
    result: answer({ ips: [ip4], dns: { nameservers: ['192.0.2.53'], search: ['example.org'] } }),
  },
  {
    name: 'keys are found whatever their case, null is as good as absent, unknown keys are passed over',
    config: { ISGATEWAY: true, Mtu: null, hairpinmode: true, colour: 'green', ipam: hostLocal([V4]) },
    result: answer({ ips: [ip4] }),
    facts: { bridges: { cni0: { addresses: ['10.1.0.1/24'] } }, ports: [{ hairpin: true }] },
  },
  macRow('a hardware address of CNI_ARGS', '02:00:00:00:00:02', {
    request: { args: 'IgnoreUnknown=1;MAC=02:00:00:00:00:02' },
  }),
  macRow('a hardware address of args.cni goes before CNI_ARGS', '02:00:00:00:00:03', {
    config: { args: { cni: { mac: '02:00:00:00:00:03' } } },
    request: { args: 'MAC=02:00:00:00:00:02' },
  }),
  macRow('a hardware address of runtimeConfig goes before all', '02:00:00:00:00:04', {
    config: { runtimeConfig: { mac: '02:00:00:00:00:04' }, args: { cni: { mac: '02:00:00:00:00:03' } } },
    request: { args: 'MAC=02:00:00:00:00:02' },
  }),
  {
    name: 'another name of the interface',
    config: { ipam: hostLocal([V4]) },
    request: { ifname: 'net1' },
    result: JSON.parse(JSON.stringify(answer({ ips: [ip4] })).replace('eth0', 'net1')) as object,
    facts: { sandbox: { net1: { up: true } } },
  },
  {
    name: 'settings of the links: no duplicate address detection, announcements, no router advertisements',
    config: { isGateway: true, ipam: hostLocal([V4, V6]) },
    result: answer({ ips: [ip4, ip6] }),
    also: async (t, { sandbox, host, subject }) => {
      t.equal(await sysctl(sandbox, 'net/ipv6/conf/eth0/accept_dad'), '0')
      t.equal(await sysctl(sandbox, 'net/ipv4/conf/eth0/arp_notify'), '1')
      if (subject.name === 'tnet') t.equal(await sysctl(sandbox, 'net/ipv6/conf/eth0/ndisc_notify'), '1')
      t.equal(await sysctl(host, 'net/ipv6/conf/cni0/accept_ra'), '0')
    },
  },
  {
    name: 'enabledad: enhanced duplicate address detection, done when ADD ends',
    config: { enabledad: true, isGateway: true, ipam: hostLocal([V4, V6]) },
    result: answer({ ips: [ip4, ip6] }),
    also: async (t, { sandbox }) => {
      t.equal(await sysctl(sandbox, 'net/ipv6/conf/eth0/accept_dad'), '1')
      t.equal(await sysctl(sandbox, 'net/ipv6/conf/eth0/enhanced_dad'), '1')
      t.notMatch(await sandbox.run('ip', '-6', 'addr', 'show', 'dev', 'eth0', 'scope', 'global'), 'tentative')
    },
  },
  {
    name: 'ipMasq: the address is masqueraded, and what goes to the subnet is not',
    config: { isGateway: true, ipMasq: true, ipam: hostLocal([V4, V6]) },
    result: answer({ ips: [ip4, ip6] }),
    also: async (t, world) => {
      const { ruleset } = await world.facts()
      t.match(ruleset, /10\.1\.0\.(2|0\/24)/)
      t.match(ruleset, /fd00:1::(2|\/64)/)
    },
  },
]

// Versions before 1.0.0 tell the family of each address.
for (const cniVersion of ['0.3.0', '0.3.1', '0.4.0']) {
  rows.push({
    name: `answer of ${cniVersion}`,
    config: { cniVersion, isDefaultGateway: true, ipam: hostLocal([V4, V6]) },
    result: answer(
      {
        ips: [
          { version: '4', ...ip4 },
          { version: '6', ...ip6 },
        ],
        routes: [
          { dst: '0.0.0.0/0', gw: '10.1.0.1' },
          { dst: '::/0', gw: 'fd00:1::1' },
        ],
      },
      'MAC',
      cniVersion,
    ),
    ...(cniVersion === '0.4.0' ? {} : { noCheck: true }),
  })
}
for (const cniVersion of ['0.1.0', '0.2.0']) {
  rows.push({
    name: `answer of ${cniVersion}`,
    config: {
      cniVersion,
      isGateway: true,
      ipam: hostLocal([V4], { routes: [{ dst: '0.0.0.0/0' }] }),
      dns: { nameservers: ['192.0.2.53'] },
    },
    result: {
      cniVersion,
      ip4: { ip: '10.1.0.2/24', gateway: '10.1.0.1', routes: [{ dst: '0.0.0.0/0' }] },
      dns: { nameservers: ['192.0.2.53'] },
    },
    noCheck: true,
  })
}

table(t, rows)
