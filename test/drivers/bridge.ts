import t from 'tap'
import { bridge } from '../../src/drivers/bridge/bridge.ts'
import { compliance } from '../compliance/driver.ts'
import { isolated, lacks } from '../harness/namespaces.ts'
import { run } from '../harness/run.ts'

isolated(import.meta)

const addBridge = async (name: string, address: string) => {
  await run('sh', ['-c', `ip link del ${name} 2> /dev/null || true`])
  await run('ip', ['link', 'add', name, 'address', address, 'type', 'bridge'])
}
const forward = (value: 0 | 1) =>
  run('sh', [
    '-c',
    `echo ${value} | tee /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding`,
  ])

/** What `forceAddress` takes away. */
const ADDRESSES = [
  '10.9.0.1/24 broadcast 10.9.0.127 label br1:old scope site',
  '10.9.0.2/24 label br1:2nd scope site',
  '10.9.1.1 peer 10.9.2.1/32',
  '10.9.3.1/24 noprefixroute valid_lft 5000 preferred_lft 4000',
  'fd00:1::99/60 nodad noprefixroute metric 77',
  'fd00:1::9 peer fd00:1:0:0:1::/80 nodad',
]

const assignment = { ips: [{ address: '10.1.0.5/24' }], routes: [{ dst: '192.0.2.0/24' }], dns: {} }

// Nothing is there: no addresses, no forwarding, not even up.
await compliance(t, 'first gateway', {
  driver: bridge,
  config: { bridge: 'br1', isGateway: true, ipMasq: true, mtu: 1400, promiscMode: true },
  assignment: { ips: [{ address: '10.1.1.5/24' }, { address: 'fd00:1::5/64' }], routes: [], dns: {} },
  async prepare() {
    await addBridge('br1', '02:00:00:00:00:02')
    await forward(0)
    // What the kernel overwrites when forwarding changes.
    await run('sh', ['-c', 'echo 0 > /proc/sys/net/ipv4/conf/all/accept_redirects'])
    await run('sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/conf/lo/forwarding'])
    await run('sh', ['-c', 'echo 1 > /proc/sys/net/ipv6/conf/default/forwarding'])
  },
})
await compliance(t, 'no bridge yet', {
  driver: bridge,
  config: { bridge: 'br1', isGateway: true },
  assignment: { ips: [{ address: '10.1.1.5/24' }], routes: [], dns: {} },
  async prepare() {
    await run('sh', ['-c', 'ip link del br1 2> /dev/null || true'])
    await forward(0)
  },
})
await compliance(t, 'internal network', {
  driver: bridge,
  config: { bridge: 'br1', isGateway: true, internal: true },
  assignment: { ips: [{ address: '10.1.1.5/24' }], routes: [], dns: {} },
  async prepare() {
    await addBridge('br1', '02:00:00:00:00:02')
    await run('sh', [
      '-c',
      'for s in bridges bridges_self internal; do nft flush set inet tnet $s; done 2> /dev/null || true',
    ])
  },
})
await compliance(t, 'forceAddress', {
  driver: bridge,
  config: { bridge: 'br1', isGateway: true, forceAddress: true },
  assignment: {
    ips: [{ address: '10.1.1.5/24' }, { address: '10.1.2.5/24' }, { address: 'fd00:1::5/64' }],
    routes: [],
    dns: {},
  },
  async prepare() {
    await addBridge('br1', '02:00:00:00:00:02')
    await run('ip', ['link', 'set', 'br1', 'up'])
    for (const address of ADDRESSES) await run('ip', ['address', 'add', ...address.split(' '), 'dev', 'br1'])
  },
})
await run('ip', ['link', 'del', 'br1'])
await run('nft', ['flush', 'ruleset'])

const prepare = async () => {
  await addBridge('br0', '02:00:00:00:00:01')
  await run('ip', ['link', 'set', 'br0', 'up'])
  await forward(1)
  await run('ip', ['address', 'add', '10.1.0.1/24', 'dev', 'br0'])
}
await prepare()
await compliance(t, 'links alone', { driver: bridge, config: { bridge: 'br0' } })
await compliance(t, 'gateway', {
  driver: bridge,
  config: { bridge: 'br0', isDefaultGateway: true, hairpinMode: true, portIsolation: true },
  assignment,
})

await t.test('VLANs', { skip: lacks('bridge VLAN filtering') }, async t => {
  await compliance(t, 'VLAN with gateway', {
    driver: bridge,
    config: { bridge: 'br0', isGateway: true, vlan: 100, networkIsolation: true },
    assignment: { ips: [{ address: '10.2.0.5/24' }], routes: [], dns: {} },
  })
})
