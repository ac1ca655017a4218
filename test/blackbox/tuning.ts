// tuning as a runtime calls it: what it sets and tells, what it refuses, what DEL restores and from whose backup.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { sysctl } from '../harness/facts.ts'
import { isolated, type Netns } from '../harness/namespaces.ts'
import { call, subjects, type Subject } from '../harness/plugins.ts'
import { refusals } from '../harness/refusals.ts'
import { throughput } from '../harness/traffic.ts'
import { makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const ours: Subject = { name: 'tnet', dir: resolve(import.meta.dirname, '../../dist/bin') }
const BACKUPS = '/run/cni/tuning'
const MAC = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03', '02:00:00:00:00:04'] as const

interface Link {
  readonly mac: string
  readonly mtu: number
  readonly flags: readonly string[]
  readonly queue: number
}

async function linkOf(place: Netns, name = 'eth0'): Promise<Link> {
  const [found] = JSON.parse(await place.run('ip', '-j', 'link', 'show', name)) as Record<string, never>[]
  const {
    address = '',
    mtu = 0,
    flags = [],
    txqlen = 0,
  } = (found ?? {}) as never as {
    address: string
    mtu: number
    flags: string[]
    txqlen: number
  }
  return { mac: address, mtu, flags, queue: txqlen }
}

/** A container with an interface that nobody else looks after. */
async function scene(by: Subject, ifname = 'eth0') {
  const world = await makeWorld(by)
  await world.host.run('ip', 'link', 'add', 'outer', 'up', 'type', 'veth', 'peer', 'name', 'inner')
  await world.host.run('ip', 'link', 'set', 'inner', 'netns', world.sandbox.name, 'name', ifname)
  await world.sandbox.run('ip', 'addr', 'add', '10.1.0.2/24', 'dev', ifname)
  await world.sandbox.run('ip', 'link', 'set', ifname, 'up')
  await world.sandbox.run('ip', 'route', 'add', 'default', 'via', '10.1.0.1')
  const prevResult = {
    cniVersion: '1.0.0',
    interfaces: [
      { name: 'outer' },
      { name: ifname, mac: (await linkOf(world.sandbox, ifname)).mac, sandbox: world.sandbox.path },
    ],
    ips: [{ address: '10.1.0.2/24', interface: 1 }],
  }
  const config = (more: object) => ({ ...world.config({ type: 'tuning', prevResult }), ...more })
  return {
    world,
    config,
    add: (more: object, args?: string) => world.call('ADD', config(more), { type: 'tuning', ifname, args }),
    check: (more: object) => world.call('CHECK', config(more), { type: 'tuning', ifname }),
    del: (more: object = {}) =>
      call(ours.dir, 'tuning', {
        verb: 'DEL',
        config: config(more),
        host: world.host,
        netns: world.sandbox.path,
        ifname,
      }),
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]()
      rmSync('/run/cni', { recursive: true, force: true })
    },
  }
}

for (const subject of subjects()) {
  t.test(`${subject.name}: all settings, restored by our DEL`, async t => {
    await using all = await scene(subject)
    const { world, add, check, del } = all
    const { sandbox } = world
    const before = await linkOf(sandbox)
    const filter = await sysctl(sandbox, 'net/ipv4/conf/eth0/arp_filter')
    const more = {
      mac: MAC[0],
      mtu: 1400,
      promisc: true,
      allmulti: true,
      sysctl: { 'net.ipv4.conf.IFNAME.arp_filter': '1' },
    }
    const added = await add(more)
    t.equal(added.code, 0, added.stdout)
    t.match(added.json?.['interfaces'], [{}, { name: 'eth0', mac: MAC[0] }])
    t.match(await linkOf(sandbox), { mac: MAC[0], mtu: 1400 })
    for (const flag of ['PROMISC', 'ALLMULTI']) t.ok((await linkOf(sandbox)).flags.includes(flag), flag)
    t.equal(await sysctl(sandbox, 'net/ipv4/conf/eth0/arp_filter'), '1')
    t.match(await sandbox.run('ip', 'route'), /default via 10\.1\.0\.1/, 'its routes stay')
    t.strictSame(readdirSync(BACKUPS), ['c1_eth0.json'])
    const kept = JSON.parse(readFileSync(`${BACKUPS}/c1_eth0.json`, 'utf8')) as object
    t.match(kept, { mac: before.mac, promisc: false, mtu: before.mtu, allmulti: false })
    // The reference's CHECK knows no IFNAME.
    if (subject.name === 'tnet') {
      const checked = await check({ ...more, prevResult: added.json })
      t.equal(checked.code, 0, checked.stdout)
    }
    const deleted = await del({ prevResult: added.json })
    t.equal(deleted.code, 0, deleted.stdout)
    t.strictSame(await linkOf(sandbox), before)
    if (subject.name === 'tnet') t.equal(await sysctl(sandbox, 'net/ipv4/conf/eth0/arp_filter'), filter)
    t.strictSame(readdirSync(BACKUPS), [], 'the backup is gone')
    t.equal((await del()).code, 0, 'again')
  })

  t.test(`${subject.name}: who says the MAC address`, async t => {
    await using all = await scene(subject)
    const { world, add } = all
    const steps: [more: object, args: string | undefined, mac: string][] = [
      [{ mac: MAC[0] }, undefined, MAC[0]],
      [{ mac: MAC[0] }, `IgnoreUnknown=1;K8S_POD_NAME=x;MAC=${MAC[1]}`, MAC[1]],
      [{ mac: MAC[0], runtimeConfig: { mac: MAC[2] } }, `MAC=${MAC[1]}`, MAC[2]],
      [
        { mac: MAC[0], runtimeConfig: { mac: MAC[2] }, args: { cni: { mac: MAC[3] } } },
        `MAC=${MAC[1]}`,
        MAC[3],
      ],
    ]
    for (const [more, args, mac] of steps) {
      const added = await add(more, args)
      t.equal(added.code, 0, added.stdout)
      t.equal((await linkOf(world.sandbox)).mac, mac)
    }
  })
}

t.test('args go before the configuration, key by key', async t => {
  await using all = await scene(ours)
  const { world, add } = all
  const cni = { mtu: 1300, sysctl: { 'net.core.somaxconn': '71' }, txQLen: 300 }
  const added = await add({ mtu: 1400, cniVersion: '1.1.0', args: { cni } })
  t.equal(added.code, 0, added.stdout)
  t.match(await linkOf(world.sandbox), { mtu: 1300, queue: 300 })
  t.equal(
    await sysctl(world.sandbox, 'net/core/somaxconn'),
    '71',
    'parameters of args alone: the reference crashes',
  )
  t.match(
    (added.json?.['interfaces'] ?? []) as object[],
    [{}, { name: 'eth0', mtu: 1300 }],
    'the answer has the mtu',
  )
})

t.test('an interface with a dot in its name', async t => {
  await using all = await scene(ours, 'eth0.10')
  const { world, add, del } = all
  const added = await add({ sysctl: { 'net.ipv4.conf.IFNAME.arp_filter': '1' } })
  t.equal(added.code, 0, added.stdout)
  t.equal(await sysctl(world.sandbox, 'net/ipv4/conf/eth0.10/arp_filter'), '1')
  t.equal((await del()).code, 0)
  t.equal(await sysctl(world.sandbox, 'net/ipv4/conf/eth0.10/arp_filter'), '0')
})

const SECRET = 'net.ipv6.conf.eth0.stable_secret'

for (const subject of subjects()) {
  t.test(`${subject.name}: parameters that cannot be read`, async t => {
    await using all = await scene(subject)
    const { world, add, check, del } = all
    const before = await sysctl(world.sandbox, 'net/core/somaxconn')
    const more = {
      sysctl: { 'net.ipv4.route.flush': '1', [SECRET]: '2001:db8::1', 'net.core.somaxconn': '71' },
    }
    const added = await add(more)
    t.equal(added.code, 0, added.stdout)
    t.match(await sysctl(world.sandbox, SECRET.replaceAll('.', '/')), '2001:0db8:0000:')
    t.equal(await sysctl(world.sandbox, 'net/core/somaxconn'), '71')
    if (subject.name === 'reference') return // its CHECK refuses both, and nobody restores parameters
    t.match(readFileSync(`${BACKUPS}/c1_eth0.json`, 'utf8'), '"net/core/somaxconn": "')
    t.notMatch(readFileSync(`${BACKUPS}/c1_eth0.json`, 'utf8'), /flush|stable_secret/)
    const checked = await check({ ...more, prevResult: added.json })
    t.equal(checked.code, 0, checked.stdout)
    const other = { sysctl: { [SECRET]: '2001:db8::2' }, prevResult: added.json }
    t.equal((await check(other)).json?.['code'], 100, 'another secret')
    t.equal((await del()).code, 0)
    t.equal(await sysctl(world.sandbox, 'net/core/somaxconn'), before)
  })

  t.test(`${subject.name}: spellings of parameters`, async t => {
    await using all = await scene(subject)
    const { world, add, check } = all
    const reserved = 'net.ipv4.ip_local_reserved_ports'
    await world.sandbox.run('sysctl', '-w', `${reserved}=5`, 'net.ipv4.ip_default_ttl=5')
    const range = { 'net.ipv4.ip_local_port_range': '20000 30000\n', '/net/core/somaxconn': '71' }
    const more = { sysctl: { ...range, 'net.ipv4.ip_default_ttl': '', [reserved]: null } }
    const added = await add(more)
    t.equal(added.code, 0, added.stdout)
    t.equal(await sysctl(world.sandbox, 'net/ipv4/ip_local_port_range'), '20000\t30000')
    t.equal(await sysctl(world.sandbox, 'net/core/somaxconn'), '71')
    t.equal(await sysctl(world.sandbox, 'net/ipv4/ip_default_ttl'), '5', 'an empty text changes nothing')
    t.equal(await sysctl(world.sandbox, reserved.replaceAll('.', '/')), '5', 'nor does null')
    // The reference's CHECK takes each value as it is written.
    if (subject.name === 'tnet') {
      const checked = await check({ ...more, prevResult: added.json })
      t.equal(checked.code, 0, checked.stdout)
    }
    t.equal((await add({ sysctl: { [reserved]: '\n' } })).code, 0)
    t.equal(await sysctl(world.sandbox, reserved.replaceAll('.', '/')), '', 'a newline is an empty value')
  })
}

t.test('CHECK: a secret that was never set', async t => {
  await using all = await scene(ours)
  const checked = await all.check({ sysctl: { [SECRET]: '2001:db8::1' } })
  t.equal(checked.json?.['code'], 100, checked.stdout)
})

/** What `ethtool -k` shows: `tx-checksumming`, `tx-checksum-sctp` and all the others, as `on` or `off [fixed]`. */
async function features(place: Netns, name = 'eth0'): Promise<Record<string, string>> {
  const lines = (await place.run('ethtool', '-k', name)).trim().split('\n').slice(1)
  return Object.fromEntries(lines.map(line => line.trim().split(': ')))
}

const ethtool = (features: object) => ({ ethtool: { features } })

t.test('features: set, checked, told by nobody, restored by DEL', async t => {
  await using all = await scene(ours)
  const { world, add, check, del } = all
  const { sandbox } = world
  const before = await features(sandbox)
  t.match(before, { 'tx-checksumming': 'on', 'tcp-segmentation-offload': 'on', 'rx-gro-list': 'off' })
  t.match(before, { 'generic-receive-offload': 'off', 'tx-gso-list': 'on', 'tx-udp-segmentation': 'on' })
  const more = ethtool({
    tx: false,
    'generic-receive-offload': true,
    'tx-gso-list': false,
    sg: true,
    'tx-checksum-sctp': true,
    ntuple: false,
  })
  const added = await add(more)
  t.equal(added.code, 0, added.stdout)
  t.notMatch(added.stdout, 'gso', 'the answer is as it was')
  const after = await features(sandbox)
  t.match(after, {
    'tx-checksum-ip-generic': 'off',
    'tx-checksum-sctp': 'on',
    'generic-receive-offload': 'on',
    'tx-gso-list': 'off',
    'scatter-gather': 'on',
    // What needs another feature goes with it; segmentation of UDP, too, in later kernels.
    'tx-tcp-segmentation': 'off [requested on]',
  })
  t.equal((await features(sandbox, 'lo'))['tx-gso-list'], 'on', 'of this interface alone')
  const kept = JSON.parse(readFileSync(`${BACKUPS}/c1_eth0.json`, 'utf8')) as { features: object }
  t.match(kept.features, { 'tx-checksum-ip-generic': true, 'rx-gro': false, 'tx-gso-list': true })

  const checked = await check({ ...more, prevResult: added.json })
  t.equal(checked.code, 0, checked.stdout)
  await sandbox.run('ethtool', '-K', 'eth0', 'rx-gro-list', 'on')
  t.equal((await check({ ...more, prevResult: added.json })).code, 0, 'what nobody asked for')
  for (const [name, value, was] of [
    ['gro', 'off', 'on'],
    ['tx', 'on', 'off'],
  ] as const) {
    await sandbox.run('ethtool', '-K', 'eth0', name, value)
    t.equal((await check({ ...more, prevResult: added.json })).json?.['code'], 100, name)
    await sandbox.run('ethtool', '-K', 'eth0', name, was)
  }
  await sandbox.run('ethtool', '-K', 'eth0', 'rx-gro-list', 'off')

  const deleted = await del({ prevResult: added.json })
  t.equal(deleted.code, 0, deleted.stdout)
  t.strictSame(await features(sandbox), before)
  t.strictSame(readdirSync(BACKUPS), [])
})

t.test('a feature that was wanted, but off for want of another, is wanted again', async t => {
  await using all = await scene(ours)
  const { world, add, del } = all
  const { sandbox } = world
  const before = await features(sandbox)
  await sandbox.run('ethtool', '-K', 'eth0', 'tx', 'off')
  t.equal((await features(sandbox))['tx-tcp-segmentation'], 'off [requested on]')
  t.equal((await add(ethtool({ tso: false }))).code, 0)
  t.equal((await del()).code, 0)
  await sandbox.run('ethtool', '-K', 'eth0', 'tx', 'on')
  t.strictSame(await features(sandbox), before)
})

t.test('without segmentation by the link, no packet that leaves is longer than its mtu', async t => {
  await using all = await scene(ours)
  const { world, add, del } = all
  const { host, sandbox } = world
  await host.run('ip', 'addr', 'add', '10.1.0.1/24', 'dev', 'outer')
  const counting = 'type filter hook ingress device outer priority 0; policy accept;'
  const counters = 'meta length > 1500 counter; meta length > 1000 counter'
  const rules = `add table netdev t { chain c { ${counting} ${counters}; }; }`
  /** How many packets were too long since the last time, and how many were long at all. */
  const sent = async () => {
    await host.run('nft', rules)
    await throughput(sandbox, host, '10.1.0.1', { milliseconds: 300 })
    const text = await host.run('nft', 'list', 'table', 'netdev', 't')
    await host.run('nft', 'delete', 'table', 'netdev', 't')
    const counts = [...text.matchAll(/counter packets (\d+)/g)].map(([, count]) => Number(count))
    const [tooLong = NaN, long = NaN] = counts
    return { tooLong, long }
  }
  t.ok((await sent()).tooLong > 0, 'the link takes longer ones at first')
  const added = await add(ethtool({ tso: false }))
  t.equal(added.code, 0, added.stdout)
  const { tooLong, long } = await sent()
  t.equal(tooLong, 0)
  t.ok(long > 0)
  t.equal((await del()).code, 0)
  t.ok((await sent()).tooLong > 0, 'and again after DEL')
})

t.test('a second ADD that changes more: DEL restores what was before the first', async t => {
  await using all = await scene(ours)
  const { world, add, del } = all
  const { sandbox } = world
  const before = await features(sandbox)
  const filter = await sysctl(sandbox, 'net/ipv4/conf/eth0/arp_filter')
  const sysctls = { 'net.core.somaxconn': '71' }
  t.equal((await add({ ...ethtool({ tso: false }), sysctl: sysctls })).code, 0)
  const more = { ...sysctls, 'net.ipv4.conf.IFNAME.arp_filter': '1' }
  const added = await add({ ...ethtool({ tso: false, gro: true }), sysctl: more })
  t.equal(added.code, 0, added.stdout)
  t.match(await features(sandbox), { 'tcp-segmentation-offload': 'off', 'generic-receive-offload': 'on' })
  t.equal((await del()).code, 0)
  t.strictSame(await features(sandbox), before)
  t.equal(await sysctl(sandbox, 'net/ipv4/conf/eth0/arp_filter'), filter)
  t.not(await sysctl(sandbox, 'net/core/somaxconn'), '71')
})

t.test('features of args go before those of the configuration, name by name', async t => {
  await using all = await scene(ours)
  const { world, add } = all
  const own = ethtool({ tso: false, gro: true })
  const added = await add({ ...own, args: { cni: ethtool({ gro: false, 'tx-gso-list': false }) } })
  t.equal(added.code, 0, added.stdout)
  t.match(await features(world.sandbox), {
    'tcp-segmentation-offload': 'off',
    'generic-receive-offload': 'off',
    'tx-gso-list': 'off',
  })
})

t.test('STATUS knows which features there are', async t => {
  await using all = await scene(ours)
  const { world, config } = all
  const status = (features: object) =>
    world.call(
      'STATUS',
      { ...config({ ...ethtool(features), prevResult: undefined }), cniVersion: '1.1.0' },
      { type: 'tuning', containerId: '', netns: '', ifname: '' },
    )
  t.equal((await status({ tso: true, 'tx-gso-list': false })).code, 0)
  const { json } = await status({ tos: true })
  t.match(json, { code: 7, msg: /"tos"/, details: 'did you mean "tso"?' })
})

t.test('CHECK: what the container did of its own is its own', async t => {
  await using all = await scene(ours)
  const { world, add, check } = all
  const more = { mtu: 1400, txQLen: 300, sysctl: { 'net.ipv4.ip_local_port_range': '20000 30000' } }
  const prevResult = (await add(more)).json
  await world.sandbox.run('ip', 'link', 'set', 'eth0', 'promisc', 'on')
  const checked = await check({ ...more, prevResult })
  t.equal(checked.code, 0, `promiscuous, and numbers parted by a tab: ${checked.stdout}`)
  await world.sandbox.run('ip', 'link', 'set', 'eth0', 'txqueuelen', '301')
  t.equal((await check({ ...more, prevResult })).json?.['code'], 100)
})

t.test('another container has the namespace by now', async t => {
  await using all = await scene(ours)
  const { world, add, del } = all
  t.equal((await add({ mtu: 1400, sysctl: { 'net.core.somaxconn': '71' } })).code, 0)
  const other = await makeWorld(ours)
  await using _ = other
  await other.sandbox.run(
    'sh',
    '-c',
    'ip link add eth0 mtu 1300 type veth peer name x; echo 72 > /proc/sys/net/core/somaxconn',
  )
  const request = {
    verb: 'DEL',
    config: all.config({}),
    host: world.host,
    netns: other.sandbox.path,
  } as const
  t.equal((await call(ours.dir, 'tuning', request)).code, 0)
  t.equal((await linkOf(other.sandbox)).mtu, 1300)
  t.equal(await sysctl(other.sandbox, 'net/core/somaxconn'), '72')
  t.strictSame(readdirSync(BACKUPS), [], 'the backup is gone')
  t.equal((await del()).code, 0)
})

t.test('GC removes backups of this network that nobody needs, and nothing else', async t => {
  await using all = await scene(ours)
  const { world, add, config } = all
  t.equal((await add({ mtu: 1400 })).code, 0)
  const strange = ['other_eth0.json', 'notes.txt', 'torn_eth0.json']
  writeFileSync(`${BACKUPS}/other_eth0.json`, '{"mtu":1500}')
  writeFileSync(`${BACKUPS}/notes.txt`, '{}')
  writeFileSync(`${BACKUPS}/torn_eth0.json`, '')
  mkdirSync(`${BACKUPS}/folder.json`)
  const gc = (...valid: object[]) =>
    world.call(
      'GC',
      { ...config({}), cniVersion: '1.1.0', 'cni.dev/valid-attachments': valid },
      { type: 'tuning', containerId: '', netns: '', ifname: '' },
    )
  const valid = { containerID: 'c1', ifname: 'eth0' }
  t.equal((await gc(valid)).code, 0)
  t.ok(existsSync(`${BACKUPS}/c1_eth0.json`))
  t.equal((await gc()).code, 0)
  t.strictSame(readdirSync(BACKUPS).sort(), [...strange, 'folder.json'].sort())
})

const prevResult = { cniVersion: '1.0.0' }
const withLink = async ({ sandbox }: World) => {
  mkdirSync(BACKUPS, { recursive: true })
  await sandbox.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'x')
}
const sysctls = (sysctl: object) => ({ config: { sysctl, prevResult }, before: withLink, code: 7 })
refusals(
  t,
  [
    { name: 'a parameter outside net', ...sysctls({ 'kernel.pid_max': '5' }) },
    { name: 'a way out of net', ...sysctls({ 'net/../kernel/pid_max': '5' }) },
    { name: 'a way out of net, in dots', ...sysctls({ 'net.//.//kernel.pid_max': '5' }) },
    { name: 'a parameter that there is not', ...sysctls({ 'net.core.nothing': '5' }) },
    { name: 'a folder', ...sysctls({ 'net.core': '5' }) },
    { name: 'a value that the kernel refuses', ...sysctls({ 'net.core.somaxconn': 'many' }) },
    { name: 'a secret that is no address', ...sysctls({ [SECRET]: 'x' }) },
    { name: 'an empty value of a parameter outside net', ...sysctls({ 'kernel.pid_max': '' }) },
    { name: 'an empty value of a parameter that there is not', ...sysctls({ 'net.core.nothing': '' }) },
    {
      name: 'a value of two lines',
      onlyOurs: 'with the reference the kernel takes the first',
      ...sysctls({ 'net.core.somaxconn': '99\n98' }),
    },
    { name: 'a value that is no text', ...sysctls({ 'net.core.somaxconn': 5 }) },
    {
      name: 'one good, one bad: nothing is done',
      onlyOurs: 'the reference does the first',
      ...sysctls({ 'net.core.somaxconn': '99', 'net.ipv4.ip_local_port_range': 'x' }),
    },
    { name: 'a MAC address that is none', config: { mac: 'zz', prevResult }, before: withLink, code: 7 },
    {
      name: 'an mtu that the link cannot have',
      config: { mtu: 70_000, mac: MAC[0], prevResult },
      before: withLink,
      code: 999,
    },
    ...(
      [
        ['a feature that there is not', { nothing: true }, 7],
        ['a feature by a pattern', { 'tx-checksum-*': false }, 7],
        ['a feature that Linux has no more', { ufo: false }, 7],
        ['a feature without a name', { '': false }, 7],
        ['one feature, on and off', { gro: true, 'rx-gro': false }, 7],
        ['one group of features, on and off', { tx: true, 'tx-checksumming': false }, 7],
        ['a feature in words', { gro: 'on' }, 7],
        ['a feature that the device has fixed', { gro: true, lro: true }, 2],
        ['a feature that no device lets be changed', { 'vlan-challenged': true }, 2],
        ['a feature that needs another', { tx: false, tso: true }, 2],
      ] as const
    ).map(([name, features, code]) => ({
      name,
      onlyOurs: 'the reference has no features',
      config: { mtu: 1400, ethtool: { features }, prevResult },
      before: withLink,
      code,
    })),
    ...(
      [
        ['ethtool with what is no feature', { ethtool: { tso: false } }],
        ['features in a list', { ethtool: { features: ['tso'] } }],
        ['features of args in a list', { args: { cni: { ethtool: { features: ['tso'] } } } }],
        ['features of args that are none', { args: { cni: { ethtool: { tso: false } } } }],
      ] as const
    ).map(([name, config]) => ({
      name,
      onlyOurs: 'the reference has no features',
      config: { ...config, prevResult },
      before: withLink,
      code: 7,
    })),
    { name: 'an interface that is not there', config: { mtu: 1400, prevResult }, code: 7 },
    { name: 'no result of a plugin before', config: { mtu: 1400 }, before: withLink, code: 7 },
    {
      name: 'arguments that nobody knows',
      config: { mtu: 1400, prevResult },
      request: { args: 'COLOUR=red' },
      before: withLink,
      code: 999,
    },
  ].map(row => ({ ...row, type: 'tuning' })),
)
