import t from 'tap'
import { bridge } from '../../../src/drivers/bridge/bridge.ts'
import type { BridgeConfig } from '../../../src/drivers/bridge/options.ts'
import { attach } from '../../../src/engine/attach.ts'
import { detach } from '../../../src/engine/detach.ts'
import { Host } from '../../../src/net/host.ts'
import { openSandbox } from '../../../src/net/sandbox.ts'
import { Steps } from '../../../src/steps.ts'
import { isolated, makeNetns } from '../../harness/namespaces.ts'
import { run } from '../../harness/run.ts'

isolated(import.meta)

const FORWARDING = ['/proc/sys/net/ipv4/ip_forward', '/proc/sys/net/ipv6/conf/all/forwarding']
const CONFIG: BridgeConfig = { bridge: 'br0', isGateway: true }

/** What an attachment may leave on a host: addresses of the bridge but the link-local one, and forwarding. */
async function left(): Promise<string[]> {
  const addresses = await run('ip', ['-br', 'address', 'show', 'dev', 'br0', 'scope', 'global'])
  return [addresses.trim().split(/\s+/).slice(2).join(' '), await run('cat', FORWARDING)]
}

async function freshBridge(): Promise<void> {
  await run('sh', [
    '-c',
    'ip link del br0 2> /dev/null; ip link add br0 address 02:00:00:00:00:01 type bridge',
  ])
  await run('sh', ['-c', `echo 0 | tee ${FORWARDING.join(' ')}`])
}

/** One container on the bridge, whose ADD has not said yet whether it succeeds. */
async function attached(containerId: string, number: number, config = CONFIG) {
  const netns = await makeNetns(containerId)
  const host = new Host({ runDir: '/run/tnet' })
  const sandbox = openSandbox(netns.path)
  const steps = new Steps()
  const ips = [{ address: `10.1.0.${number}/24` }, { address: `fd00:1::${number}/64` }]
  const nothing = async () => {}
  const target = {
    driver: bridge,
    network: { name: 'gateways', options: bridge.parse(config) },
    owner: { network: 'gateways', containerId, ifname: 'eth0' },
    host,
    sandbox,
    ipam: {
      allocate: async () => ({ ips, routes: [], dns: {} }),
      release: nothing,
      check: nothing,
      gc: nothing,
      status: nothing,
    },
  }
  await attach(target, steps)
  return {
    fail: () => steps[Symbol.asyncDispose](),
    async [Symbol.asyncDispose]() {
      await detach({ ...target, addresses: undefined })
      sandbox[Symbol.dispose]()
      host[Symbol.dispose]()
      await netns.remove()
    },
  }
}

t.test('a failed attachment left its gateway address on the bridge, and the host forwarding', async t => {
  await freshBridge()
  const before = await left()
  await using one = await attached('one', 2)
  t.strictSame(await left(), ['10.1.0.1/24 fd00:1::1/64', '1\n1\n'])
  await one.fail()
  t.strictSame(await left(), before)
})

t.test('what another attachment has come to use meanwhile stays', async t => {
  await freshBridge()
  await using one = await attached('one', 2)
  const both = await left()
  await using two = await attached('two', 3)
  await one.fail()
  t.strictSame(await left(), both)
  await two.fail()
  t.strictSame(await left(), both, 'it was not the second that made them')
})

t.test('forwarding stays where a port of any bridge, or a link to any sandbox, may need it', async t => {
  await using other = await makeNetns('other')
  const there = [
    'ip link add br9 type bridge && ip link add v9 type veth peer name p9 && ip link set v9 master br9',
    `ip link add v9 type veth peer name p9 netns ${other.name}`,
  ]
  for (const command of there) {
    await freshBridge()
    await using one = await attached('one', 2)
    await run('sh', ['-c', command])
    await one.fail()
    t.strictSame(await left(), ['', '1\n1\n'], command)
    await run('sh', ['-c', 'ip link del v9; ip link del br9 2> /dev/null || true'])
  }
})

t.test('forwarding of single links, and redirects, were as the kernel sets them afterwards', async t => {
  await freshBridge()
  const own = ['ipv4/conf/lo/forwarding', 'ipv6/conf/lo/forwarding', 'ipv4/conf/all/accept_redirects']
  const paths = own.map(each => `/proc/sys/net/${each}`)
  for (const values of ['110', '001']) {
    for (const [index, path] of paths.entries()) await run('sh', ['-c', `echo ${values[index]} > ${path}`])
    await using one = await attached('one', 2)
    await one.fail()
    t.equal((await run('cat', paths)).replace(/\n/g, ''), values)
  }
})

t.test('forceAddress: the old address was not given back with what it had', async t => {
  await freshBridge()
  await run('ip', ['link', 'set', 'br0', 'up'])
  const old = ['10.9.0.1/24', 'broadcast', '10.9.0.127', 'label', 'br0:old', 'scope', 'site', 'noprefixroute']
  await run('ip', ['address', 'add', ...old, 'dev', 'br0'])
  const before = await run('ip', ['-4', '-o', 'address', 'show', 'dev', 'br0'])
  await using one = await attached('one', 2, { ...CONFIG, forceAddress: true })
  t.notMatch(await run('ip', ['-4', '-o', 'address', 'show', 'dev', 'br0']), '10.9.0.1')
  await one.fail()
  t.equal(await run('ip', ['-4', '-o', 'address', 'show', 'dev', 'br0']), before)
})

t.test('forceAddress lost the gateway where it was secondary to the address in the way', async t => {
  await freshBridge()
  await run('ip', ['link', 'set', 'br0', 'up'])
  for (const address of ['10.1.0.9/24', '10.1.0.1/24'])
    await run('ip', ['address', 'add', address, 'dev', 'br0'])
  await using _one = await attached('one', 2, { ...CONFIG, forceAddress: true })
  t.match(await left(), ['10.1.0.1/24 fd00:1::1/64'])
})
