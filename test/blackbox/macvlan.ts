// What ADD of the macvlan plugin answers and makes, as users of the reference plugin know it.
import t from 'tap'
import { sysctl } from '../harness/facts.ts'
import { table, type Row } from '../harness/lifecycle.ts'
import { isolated } from '../harness/namespaces.ts'
import { uplink } from '../harness/uplink.ts'
import { hostLocal, type World } from '../harness/world.ts'

isolated(import.meta)

const V4 = '10.1.0.0/24'
const V6 = 'fd00:1::/64'
const ipam = hostLocal([V4])
const ip4 = { interface: 0, address: '10.1.0.2/24', gateway: '10.1.0.1' }
const ip6 = { interface: 0, address: 'fd00:1::2/64', gateway: 'fd00:1::1' }
const answer = (more: object = {}, cniVersion = '1.0.0') => ({
  cniVersion,
  interfaces: [{ name: 'eth0', mac: 'MAC', sandbox: 'SANDBOX' }],
  ...more,
})
const link = async ({ sandbox }: World, ifname = 'eth0') => {
  const [found] = JSON.parse(await sandbox.run('ip', '-d', '-j', 'link', 'show', ifname)) as Found[]
  return found
}

interface Found {
  readonly link_index: number
  readonly address: string
  readonly group: string
  readonly linkinfo: { readonly info_kind: string; readonly info_data: Record<string, unknown> }
}

function row(name: string, more: Partial<Row> & { readonly config?: object } = {}): Row {
  return {
    before: uplink,
    result: answer({ ips: [ip4] }),
    ...more,
    name,
    config: { type: 'macvlan', master: 'eth0', ipam, ...more.config },
  }
}

const mode = (name: string) =>
  row(`mode ${name}`, {
    config: { mode: name },
    also: async (t, world) => {
      const found = await link(world)
      t.equal(found?.linkinfo.info_kind, 'macvlan')
      t.equal(found?.linkinfo.info_data['mode'], name)
    },
  })

/** Where the hardware address comes from. */
const mac = (name: string, wanted: string, more: Partial<Row>) =>
  row(name, { facts: { sandbox: { eth0: { mac: wanted } } }, ...more })

const rows: Row[] = [
  row('an address', {
    facts: {
      sandbox: { eth0: { up: true, addresses: ['10.1.0.2/24'], mtu: 1500 } },
      routes: [],
      forwarding: { ipv4: false, ipv6: false },
      leases: ['10.1.0.2'],
    },
    also: async (t, world) => {
      const found = await link(world)
      const [master] = JSON.parse(await world.host.run('ip', '-j', 'link', 'show', 'eth0')) as {
        ifindex: number
      }[]
      t.equal(found?.linkinfo.info_data['mode'], 'bridge', 'bridge is the default')
      t.equal(found?.link_index, master?.ifindex, 'it is on the master')
      t.equal(found?.group, 'default')
    },
  }),
  row('it tells its neighbours of itself', {
    onlyOurs: 'newer than 1.1.1',
    also: async (t, { sandbox }) => {
      t.equal(await sysctl(sandbox, 'net/ipv4/conf/eth0/arp_notify'), '1')
      t.equal(await sysctl(sandbox, 'net/ipv6/conf/eth0/ndisc_notify'), '1')
    },
  }),
  ...['bridge', 'private', 'vepa'].map(mode),
  row('mode passthru: the address is that of the master', {
    config: { mode: 'passthru' },
    facts: { sandbox: { eth0: { mac: '02:00:00:00:00:0a' } } },
  }),
  row('the master is that of the default route', {
    before: async world => {
      await uplink(world)
      await world.host.run('ip', 'link', 'add', 'other', 'type', 'veth', 'peer', 'name', 'other2')
      await world.host.run('ip', 'route', 'add', 'default', 'via', '10.1.0.1')
    },
    config: { master: '' },
  }),
  row('the master is that of the default route of IPv6', {
    before: async world => {
      await uplink(world)
      await world.host.run('ip', 'route', 'add', 'default', 'via', 'fd00:1::1')
    },
    config: { master: undefined },
  }),
  row('mtu', { config: { mtu: 1400 }, facts: { sandbox: { eth0: { mtu: 1400 } } } }),
  row('mtu: by default that of the master', {
    before: async world => {
      await uplink(world)
      await world.host.run('ip', 'link', 'set', 'eth0', 'mtu', '1300')
    },
    facts: { sandbox: { eth0: { mtu: 1300 } } },
  }),
  row('bcqueuelen', {
    onlyOurs: 'newer than 1.1.1',
    config: { bcqueuelen: 2000 },
    also: async (t, world) => t.equal((await link(world))?.linkinfo.info_data['bcqueuelen'], 2000),
  }),
  row('no ipam: layer 2 alone', {
    config: { ipam: {} },
    result: answer(),
    facts: { sandbox: { eth0: { up: true, addresses: [] } }, leases: [] },
  }),
  row('dual stack with default routes; addresses of IPv6 are looked for on the network', {
    config: { ipam: hostLocal([V4, V6], { routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }] }) },
    result: answer({ ips: [ip4, ip6], routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }] }),
    facts: {
      sandbox: { eth0: { addresses: ['10.1.0.2/24', 'fd00:1::2/64'] } },
      routes: ['default via 10.1.0.1', 'default via fd00:1::1'],
    },
    also: async (t, { sandbox }) =>
      t.notMatch(
        await sandbox.run('ip', '-6', 'addr', 'show', 'dev', 'eth0', 'scope', 'global'),
        'tentative',
      ),
  }),
  row('dns of the configuration goes before that of the IPAM', {
    config: { dns: { nameservers: ['192.0.2.53'] } },
    result: answer({ ips: [ip4], dns: { nameservers: ['192.0.2.53'] } }),
  }),
  row('without dns in the configuration, that of the IPAM stays', {
    onlyOurs: 'the reference drops it',
    config: { ipam: hostLocal([V4], { resolvConf: '/run/resolv.conf' }) },
    before: async world => {
      await uplink(world)
      await world.host.run('sh', '-c', 'echo nameserver 192.0.2.54 > /run/resolv.conf')
    },
    result: answer({ ips: [ip4], dns: { nameservers: ['192.0.2.54'] } }),
  }),
  row('interface and MTU in the answer of 1.1.0', {
    onlyOurs: 'newer than 1.1.1',
    config: { cniVersion: '1.1.0', mtu: 1400 },
    result: {
      cniVersion: '1.1.0',
      interfaces: [{ name: 'eth0', mac: 'MAC', mtu: 1400, sandbox: 'SANDBOX' }],
      ips: [ip4],
    },
  }),
  row('answer of 0.4.0', {
    config: { cniVersion: '0.4.0' },
    result: answer({ ips: [{ version: '4', ...ip4 }] }, '0.4.0'),
  }),
  row('answer of 0.2.0', {
    config: { cniVersion: '0.2.0' },
    result: { cniVersion: '0.2.0', ip4: { ip: '10.1.0.2/24', gateway: '10.1.0.1' } },
    noCheck: true,
  }),
  mac('a hardware address of the configuration', '02:00:00:00:00:01', {
    config: { mac: '02:00:00:00:00:01' },
  }),
  mac('a hardware address of CNI_ARGS goes before', '02:00:00:00:00:02', {
    config: { mac: '02:00:00:00:00:01' },
    request: { args: 'IgnoreUnknown=1;MAC=02:00:00:00:00:02' },
  }),
  mac('a hardware address of args.cni goes before CNI_ARGS', '02:00:00:00:00:03', {
    onlyOurs: 'the reference reads it for bridge alone',
    config: { args: { cni: { mac: '02:00:00:00:00:03' } } },
    request: { args: 'IgnoreUnknown=1;MAC=02:00:00:00:00:02' },
  }),
  mac('a hardware address of runtimeConfig goes before all', '02:00:00:00:00:04', {
    config: { mac: '02:00:00:00:00:01', runtimeConfig: { mac: '02:00:00:00:00:04' } },
    request: { args: 'IgnoreUnknown=1;MAC=02:00:00:00:00:02' },
  }),
  row('another name of the interface', {
    request: { ifname: 'net1' },
    result: JSON.parse(JSON.stringify(answer({ ips: [ip4] })).replace('eth0', 'net1')) as object,
    facts: { sandbox: { net1: { up: true } } },
  }),
]

table(t, rows)
