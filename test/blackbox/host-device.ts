// The host-device plugin: what it answers and moves, how a device is found, traffic by it, and how it comes back.
import t, { type Test } from 'tap'
import { type Row, table } from '../harness/lifecycle.ts'
import { isolated, type Netns } from '../harness/namespaces.ts'
import { type Answer, type Call, subjects } from '../harness/plugins.ts'
import { type Refusal, refusals, settled } from '../harness/refusals.ts'
import { run } from '../harness/run.ts'
import { ping } from '../harness/traffic.ts'
import { neighbour, uplink } from '../harness/uplink.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(1_200_000)

const MAC = '02:00:00:00:00:0a'
const ipam = hostLocal(['10.1.0.0/24'])
const plain = { type: 'host-device', device: 'card' }
const NEWER = 'newer than 1.1.1'
const tnet = subjects().find(({ name }) => name === 'tnet')
const answer = (more: object = {}) => ({
  cniVersion: '1.0.0',
  interfaces: [{ name: 'eth0', mac: 'MAC', sandbox: 'SANDBOX' }],
  ...more,
})

interface Link {
  ifname: string
  address: string
  ifalias?: string
  altnames?: string[]
  flags: string[]
}

/** A network card of the host, and what it is plugged into. */
async function card({ host }: Pick<World, 'host'>): Promise<void> {
  await host.run('ip', 'link', 'add', 'card', 'address', MAC, 'type', 'veth', 'peer', 'name', 'plug')
}

async function links(place: Netns): Promise<Link[]> {
  return JSON.parse(await place.run('ip', '-j', 'link')) as Link[]
}

async function link(place: Netns, name = 'eth0'): Promise<Link | undefined> {
  return (await links(place)).find(({ ifname }) => ifname === name)
}

/** As DEL leaves it. */
async function isBack(t: Test, { host }: World, name = 'card'): Promise<void> {
  const found = await link(host, name)
  t.match(found, { address: MAC })
  t.strictSame(
    [found?.ifalias, found?.altnames, found?.flags.includes('UP')],
    [undefined, undefined, false],
    'no alias, no alternative name, down',
  )
}

/**
 * The host with a sysfs that shows its own links, and a /sys/bus with the devices of `script`: a real one has them as
 * folders and symbolic links, too.
 */
function withDevices(host: Netns, script: string): Netns {
  const mounts = `mount -t sysfs tnet /sys; mount -t tmpfs tnet /sys/bus; ${script}`
  return {
    ...host,
    attempt: (file, args, options) =>
      host.attempt('unshare', ['--mount', 'sh', '-ec', `${mounts}; exec "$@"`, 'sh', file, ...args], options),
  }
}

const PCI = `
  device() { mkdir -p /sys/bus/pci/devices/$1 /sys/bus/pci/drivers/$2; ln -s ../../drivers/$2 /sys/bus/pci/devices/$1/driver; }
  links() { mkdir -p $1/net; test ! -e /sys/class/net/$2 || ln -s /sys/class/net/$2 $1/net/$2; }
  device 0000:01:00.0 ixgbe; links /sys/bus/pci/devices/0000:01:00.0 card
  device 0000:01:00.1 virtio-pci; links /sys/bus/pci/devices/0000:01:00.1/virtio7 card
  device 0000:01:00.2 vfio-pci
  device 0000:01:00.3 ixgbe
  mount -t tmpfs tnet /sys/devices/system; links /sys/devices/system/rack card
  mkdir -p /sys/bus/auxiliary/devices; links /sys/bus/auxiliary/devices/mlx5_core.sf.2 card`

const rows: Row[] = [
  {
    name: 'by its name',
    config: plain,
    before: card,
    result: answer(),
    facts: { sandbox: { eth0: { mac: MAC, up: true, mtu: 1500, addresses: [] } } },
    also: async (t, { sandbox, network, subject }) => {
      const { ifalias, altnames } = (await link(sandbox)) ?? {}
      t.equal(ifalias, 'card', 'the alias is the name on the host')
      if (subject.name === 'tnet') t.strictSame(altnames, [`tnet+${network}+c1+eth0`], 'it says whose it is')
    },
  },
  {
    name: 'addresses, routes and a gateway',
    config: {
      ...plain,
      ipam: hostLocal(['10.1.0.0/24', 'fd00:1::/64'], { routes: [{ dst: '192.0.2.0/24' }] }),
    },
    before: card,
    result: answer({
      ips: [
        { interface: 0, address: '10.1.0.2/24', gateway: '10.1.0.1' },
        { interface: 0, address: 'fd00:1::2/64', gateway: 'fd00:1::1' },
      ],
      routes: [{ dst: '192.0.2.0/24' }],
    }),
    facts: {
      sandbox: { eth0: { up: true, addresses: ['10.1.0.2/24', 'fd00:1::2/64'] } },
      routes: ['192.0.2.0/24 via 10.1.0.1'],
    },
    noReferenceCheck: 'it wants the gateway of a route in the answer',
  },
  {
    name: 'mtu, in 1.1.0',
    onlyOurs: NEWER,
    config: { ...plain, cniVersion: '1.1.0' },
    before: async world => {
      await card(world)
      await world.host.run('ip', 'link', 'set', 'card', 'mtu', '1400')
    },
    result: {
      cniVersion: '1.1.0',
      interfaces: [{ name: 'eth0', mac: 'MAC', mtu: 1400, sandbox: 'SANDBOX' }],
    },
  },
  {
    name: 'by its hardware address',
    config: { type: 'host-device', hwaddr: MAC.toUpperCase() },
    before: card,
    result: answer(),
  },
  {
    name: 'the host has a link of that name, too',
    config: plain,
    before: async world => {
      await card(world)
      await uplink(world)
    },
    result: answer(),
  },
  {
    name: 'under the name that it has',
    config: plain,
    before: card,
    request: { ifname: 'card' },
    result: { ...answer(), interfaces: [{ name: 'card', mac: 'MAC', sandbox: 'SANDBOX' }] },
  },
  {
    name: 'by an alternative name',
    onlyOurs: 'it takes none of that length',
    config: { ...plain, device: 'the-card-of-the-third-rack' },
    before: async world => {
      await card(world)
      await world.host.run(
        'ip',
        'link',
        'property',
        'add',
        'dev',
        'card',
        'altname',
        'the-card-of-the-third-rack',
      )
    },
    result: answer(),
  },
  {
    name: 'a name that is too long for a mark',
    config: plain,
    before: card,
    request: { containerId: 'c'.repeat(255) },
    result: answer(),
    also: async (t, { sandbox, subject }) => {
      if (subject.name !== 'tnet') return
      const [mark = ''] = (await link(sandbox))?.altnames ?? []
      t.match(mark, /^tnet\+net\d+\+c{47}~[\da-f]{16}\+eth0$/)
    },
  },
  {
    name: 'CNI_ARGS is for others',
    config: plain,
    before: card,
    request: { args: 'COLOUR=green' },
    result: answer(),
  },
]
table(
  t,
  rows.map(row => ({ ...row, noReferenceRepeat: 'it wants a device to be there' })),
)

/** ADD with devices, CHECK, DEL. */
async function round(t: Test, config: object, host: (world: World) => Netns): Promise<Answer['json']> {
  if (tnet === undefined) return undefined
  await using world = await makeWorld(tnet)
  await card(world)
  const whole = world.config({ type: 'host-device', cniVersion: '1.1.0', ...config })
  const before = await world.snapshot()
  const request = { host: host(world) }
  const added = await world.call('ADD', whole, request)
  t.equal(added.code, 0, `ADD: ${added.stdout}`)
  const prevResult = added.json
  for (const verb of ['CHECK', 'STATUS', 'DEL'] as const) {
    const { code, stdout } = await world.call(verb, { ...whole, prevResult }, request)
    t.equal(code, 0, `${verb}: ${stdout}`)
  }
  t.equal(settled(await world.snapshot()), settled(before), 'nothing is left')
  return added.json
}

const devices = ({ host }: World) => withDevices(host, PCI)
const told = { name: 'eth0', mac: MAC, mtu: 1500 }

t.test('by its place in the machine', async t => {
  const found: [string, object, object][] = [
    ['a path of /sys/devices', { kernelpath: '/sys/devices/system/rack//' }, told],
    ['a PCI address', { pciBusID: '0000:01:00.0' }, { ...told, pciID: '0000:01:00.0' }],
    ['a PCI address, by virtio', { pciBusID: '0000:01:00.1' }, { ...told, pciID: '0000:01:00.1' }],
    [
      'what a device plugin chose',
      { device: 'none', runtimeConfig: { deviceID: '0000:01:00.0' } },
      { ...told, pciID: '0000:01:00.0' },
    ],
    ['an auxiliary device', { runtimeConfig: { deviceID: 'mlx5_core.sf.2' } }, told],
  ]
  for (const [name, config, wanted] of found) {
    await t.test(name, async t => {
      const json = await round(t, config, devices)
      t.match(json?.['interfaces'], [wanted])
    })
  }
})

t.test('a device that a program drives', async t => {
  const config = { pciBusID: '0000:01:00.2' }
  const json = await round(t, config, devices)
  t.strictSame(json, { cniVersion: '1.1.0', dns: {} }, 'nothing is moved')
  const addressed = await round(t, { ...config, ipam }, devices)
  t.strictSame(addressed, {
    cniVersion: '1.1.0',
    ips: [{ address: '10.1.0.2/24', gateway: '10.1.0.1' }],
    dns: {},
  })
})

t.test('by PCI address as the reference does', async t => {
  for (const subject of subjects()) {
    await using world = await makeWorld(subject)
    await card(world)
    const config = world.config({ type: 'host-device', pciBusID: '0000:01:00.0' })
    const request = { host: devices(world) }
    const added = await world.call('ADD', config, request)
    t.equal(added.code, 0, added.stdout)
    t.match(added.json, { interfaces: [{ name: 'eth0', mac: MAC }] }, subject.name)
    const deleted = await world.call('DEL', config, request)
    t.equal(deleted.code, 0, deleted.stdout)
    const { address, ifalias } = (await link(world.host, 'card')) ?? {}
    t.strictSame([address, ifalias], [MAC, subject.name === 'tnet' ? undefined : 'card'])
  }
})

/** A world of ours where the card is attached. */
async function attached(
  t: Test,
  more: Partial<Call> = {},
): Promise<World & { readonly whole: Record<string, unknown> }> {
  if (tnet === undefined) throw new Error('only the reference was asked for')
  const world = await makeWorld(tnet)
  await card(world)
  const whole = world.config({ ...plain, cniVersion: '1.1.0' })
  const { code, stdout } = await world.call('ADD', whole, more)
  t.equal(code, 0, stdout)
  return { ...world, whole }
}

async function deleted(t: Test, world: World, config: object, more: Partial<Call> = {}): Promise<string> {
  const { code, stdout, stderr } = await world.call('DEL', config, more)
  t.equal(code, 0, `DEL: ${stdout}`)
  return stderr
}

const GONE = { containerId: '', netns: '', ifname: '' }

async function collected(t: Test, world: World, config: object): Promise<string> {
  const request = { ...config, 'cni.dev/valid-attachments': [] }
  const { code, stdout, stderr } = await world.call('GC', request, GONE)
  t.equal(code, 0, `GC: ${stdout}`)
  return stderr
}

if (tnet !== undefined) {
  t.test('traffic by the device', async t => {
    await using world = await makeWorld(tnet)
    await using other = await neighbour(world)
    const config = world.config({ type: 'host-device', device: 'eth0', ipam })
    t.ok(await ping(world.host, '10.1.0.200'), 'by the host')
    for (const turn of [1, 2]) {
      const { code, stdout } = await world.call('ADD', config)
      t.equal(code, 0, stdout)
      t.ok(await ping(world.sandbox, '10.1.0.200'), `by the sandbox, turn ${turn}`)
      t.ok(await ping(other, `10.1.0.${turn + 1}`), 'the other way')
      t.notOk(await ping(world.host, '10.1.0.200', 200), 'the host has it no more')
      await deleted(t, world, config)
    }
    await world.host.run('sh', '-ec', 'ip link set eth0 up; ip addr add 10.1.0.100/24 dev eth0')
    t.ok(await ping(world.host, '10.1.0.200'), 'by the host again')
  })

  t.test('an address that another host on the wire has', async t => {
    await using world = await makeWorld(tnet)
    await using other = await neighbour(world)
    await other.run('ip', 'addr', 'add', 'fd00:1::2/64', 'dev', 'eth0', 'nodad')
    const config = world.config({ type: 'host-device', device: 'eth0', ipam: hostLocal(['fd00:1::/64']) })
    const before = settled(await world.snapshot())
    const refused = await world.call('ADD', config)
    t.match(refused.json, { code: 7, msg: /fd00:1::2\/64 of eth0: another host on the network has it/ })
    t.equal(settled(await world.snapshot()), before, 'the device is as it was')
    const next = await world.call('ADD', config)
    t.match(next.json, { ips: [{ address: 'fd00:1::3/64' }] }, 'the next one is free')
    t.ok(await ping(world.sandbox, 'fd00:1::c8'), 'and serves at once')
    await deleted(t, world, config)
    const hasty = {
      ...config,
      enabledad: false,
      ipam: hostLocal(['fd00:1::/64'], { rangeStart: 'fd00:1::2' }),
    }
    t.equal((await world.call('ADD', hasty)).code, 0, 'nobody asked')
    await deleted(t, world, hasty)
  })

  t.test('DEL: its name on the host is taken by now', async t => {
    await using world = await attached(t)
    await world.host.run('ip', 'link', 'add', 'card', 'type', 'veth', 'peer', 'name', 'other')
    const said = await deleted(t, world, world.whole)
    const [, name = ''] = /back as (tnet[\da-f]{11})/.exec(said) ?? []
    t.match((await link(world.host, name))?.address, MAC, said)
    t.strictSame((await link(world.host, name))?.altnames, undefined, 'it is nobody’s')
    t.equal(await link(world.sandbox), undefined)
    t.equal(await deleted(t, world, world.whole), '', 'again')
    t.match(await link(world.host, name), { address: MAC })
  })

  t.test('DEL: an alternative name of it is taken by now', async t => {
    await using world = await attached(t)
    await world.sandbox.run('ip', 'link', 'property', 'add', 'dev', 'eth0', 'altname', 'enp5s0')
    await world.host.run('ip', 'link', 'property', 'add', 'dev', 'plug', 'altname', 'enp5s0')
    await deleted(t, world, world.whole)
    await isBack(t, world)
  })

  t.test('DEL: the container has renamed it', async t => {
    await using world = await attached(t)
    await world.sandbox.run('ip', 'link', 'set', 'eth0', 'down')
    await world.sandbox.run('ip', 'link', 'set', 'eth0', 'name', 'mine')
    await deleted(t, world, world.whole)
    await isBack(t, world)
  })

  for (const [what, alias] of [
    ['no name', 'to the rack'],
    ['none', ''],
  ]) {
    t.test(`DEL: the container has made the alias ${what}`, async t => {
      await using world = await attached(t)
      await world.sandbox.run('ip', 'link', 'set', 'eth0', 'alias', alias ?? '')
      await deleted(t, world, world.whole)
      const found = (await links(world.host)).find(({ address }) => address === MAC)
      t.match(found?.ifname, /^tnet[\da-f]{11}$/, 'a name that nobody has')
      t.strictSame([found?.ifalias, found?.altnames], [undefined, undefined])
    })
  }

  for (const [how, end] of [
    ['DEL', (t: Test, world: World, config: object) => deleted(t, world, config, { netns: '' })],
    ['GC', collected],
  ] as const) {
    // What has no kind is brought back by the kernel when its namespace ends; a veth is moved as it moves a card.
    for (const name of ['eth0', 'dev5']) {
      t.test(`${how}: the namespace has ended, and the kernel brought it back as ${name}`, async t => {
        await using world = await attached(t)
        const { sandbox, host } = world
        await sandbox.run('ip', 'link', 'set', 'eth0', 'down')
        await sandbox.run('ip', 'link', 'set', 'eth0', 'name', name, 'address', '02:00:00:00:00:99')
        await sandbox.run('ip', 'link', 'set', name, 'netns', `/proc/${process.pid}/ns/net`)
        await run('ip', ['link', 'set', name, 'netns', host.name])
        await sandbox.remove()
        await end(t, world, world.whole)
        await isBack(t, world)
      })
    }
  }

  t.test('DEL without a namespace finds it', async t => {
    await using world = await attached(t)
    await deleted(t, world, world.whole, { netns: '', containerId: 'c2' })
    t.match(await link(world.sandbox), { address: MAC }, 'not for another container')
    await deleted(t, world, world.whole, { netns: '' })
    await isBack(t, world)
  })

  t.test('GC brings it back', async t => {
    await using world = await attached(t)
    const valid = { ...world.whole, 'cni.dev/valid-attachments': [{ containerID: 'c1', ifname: 'eth0' }] }
    t.equal((await world.call('GC', valid, GONE)).code, 0)
    t.match(await link(world.sandbox), { address: MAC }, 'not while it is valid')
    await collected(t, world, { ...world.whole, name: 'another' })
    t.match(await link(world.sandbox), { address: MAC }, 'not by another network')
    await collected(t, world, world.whole)
    await isBack(t, world)
  })

  t.test('two containers ask for one device', async t => {
    await using world = await attached(t)
    await deleted(t, world, world.whole)
    const ask = (containerId: string, ifname: string) =>
      world.call('ADD', world.whole, { containerId, ifname })
    const answers = await Promise.all(['c1', 'c2', 'c3'].map((each, n) => ask(each, `eth${n}`)))
    t.strictSame(answers.map(({ code }) => code).sort(), [0, 1, 1], 'one has it')
    const refused = answers.filter(({ code }) => code !== 0)
    for (const { json } of refused) {
      t.match(json, {
        code: 7,
        msg: /^device card: it is in \S+ as eth\d, attached for container c\d already$/,
      })
    }
    const owner = answers.findIndex(({ code }) => code === 0)
    for (const n of [0, 1, 2]) {
      if (n !== owner) await deleted(t, world, world.whole, { containerId: `c${n + 1}`, ifname: `eth${n}` })
    }
    t.match(await link(world.sandbox, `eth${owner}`), { address: MAC }, 'DEL of the others leaves it there')
    await deleted(t, world, world.whole, { containerId: `c${owner + 1}`, ifname: `eth${owner}` })
    await isBack(t, world)
  })

  t.test('ADD takes over what a death has left on the host', async t => {
    await using world = await attached(t)
    await deleted(t, world, world.whole)
    const left = 'ip link set card alias card; ip link property add dev card altname tnet+net+dead+eth0'
    for (const more of ['', '; ip link set card name dev5']) {
      await world.host.run('sh', '-ec', left + more)
      const { code, stdout } = await world.call('ADD', world.whole)
      t.equal(code, 0, stdout)
      t.strictSame((await link(world.sandbox))?.altnames, [`tnet+${world.network}+c1+eth0`])
      await deleted(t, world, world.whole)
      await isBack(t, world)
    }
  })

  t.test('CHECK: the device is another attachment’s', async t => {
    await using world = await attached(t)
    const prevResult = { cniVersion: '1.1.0', interfaces: [{ name: 'eth0', sandbox: world.sandbox.path }] }
    const asked = { ...world.whole, prevResult }
    t.equal((await world.call('CHECK', asked)).code, 0)
    const other = await world.call('CHECK', asked, { containerId: 'c2' })
    t.equal(other.json?.['code'], 100, other.stdout)
    await world.sandbox.run('ip', 'link', 'set', 'eth0', 'down')
    t.equal((await world.call('CHECK', asked)).json?.['code'], 100, 'down')
  })

  t.test('STATUS', async t => {
    await using world = await attached(t)
    const status = (config: object) => world.call('STATUS', { ...world.whole, ...config }, GONE)
    const inUse = await status({})
    t.equal(inUse.code, 0, inUse.stdout)
    t.match(inUse.stderr, /card: it is in .* attached for container c1 already/, 'that is told')
    t.equal((await status({ device: null })).code, 0, 'every ADD brings its own')
    for (const config of [
      { device: 'none' },
      { device: null, hwaddr: '02:00:00:00:00:77' },
      { device: null, kernelpath: '/sys/devices/none' },
      { device: null, pciBusID: 'ffff:ff:1f.7' },
    ]) {
      const { json, stdout } = await status(config)
      t.equal(json?.['code'], 50, `${JSON.stringify(config)}: ${stdout}`)
    }
    await deleted(t, world, world.whole)
    const ready = await status({})
    t.strictSame([ready.code, ready.stderr], [0, ''])
  })
}

if (subjects().length === 2) {
  t.test('attached by us, given back by the reference', async t => {
    await using world = await attached(t)
    const [reference] = subjects().filter(({ name }) => name === 'reference')
    if (reference === undefined) return
    await deleted(t, world.by(reference), { ...world.whole, cniVersion: '1.0.0' })
    t.match(await link(world.host, 'card'), { address: MAC })
    t.equal((await world.call('ADD', world.whole)).code, 0, 'and attached again')
    await deleted(t, world, world.whole)
    await isBack(t, world)
  })

  t.test('attached by the reference, for somebody else', async t => {
    await using world = await attached(t)
    await deleted(t, world, world.whole)
    const [reference] = subjects().filter(({ name }) => name === 'reference')
    if (reference === undefined) return
    const old = { ...world.whole, cniVersion: '1.0.0' }
    const theirs = await world.by(reference).call('ADD', old)
    t.equal(theirs.code, 0, theirs.stdout)
    const interfaces = [{ name: 'eth0', mac: '02:00:00:00:00:77', sandbox: world.sandbox.path }]
    await deleted(t, world, { ...old, prevResult: { cniVersion: '1.0.0', interfaces } })
    t.match(await link(world.sandbox), { address: MAC }, 'by the MAC address of the result')
    await deleted(t, world, { ...old, device: 'other' })
    t.match(await link(world.sandbox), { address: MAC }, 'by the configuration, without a result')
    await deleted(t, world, { ...old, prevResult: theirs.json })
    await isBack(t, world)
  })
}

const bad = (name: string, config: object, more: Partial<Refusal> = {}): Refusal => ({
  name,
  type: 'host-device',
  config,
  before: card,
  code: 7,
  ...more,
})
const ours = { onlyOurs: 'it takes the first' }
const sandboxed = (script: string) => async (world: World) => {
  await card(world)
  await world.sandbox.run('sh', '-ec', script)
}

refusals(t, [
  bad('no device', {}),
  bad('two ways to say it', { device: 'card', hwaddr: MAC }, ours),
  bad('a device that is not there', { device: 'none' }),
  bad('a hardware address that is not there', { hwaddr: '02:00:00:00:00:77' }),
  bad('no hardware address', { hwaddr: 'card' }),
  bad(
    'two links of one hardware address',
    { hwaddr: MAC },
    {
      ...ours,
      before: async world => {
        await card(world)
        await world.host.run('ip', 'link', 'set', 'plug', 'address', MAC)
      },
    },
  ),
  bad('a path elsewhere', { kernelpath: '/sys/class/net' }),
  bad('a path that leads out', { kernelpath: '/sys/devices/../class' }),
  bad('a path without links', { kernelpath: '/sys/devices/none' }),
  bad('no PCI address', { pciBusID: '00:1f.6' }),
  bad('a PCI address that is not there', { pciBusID: 'ffff:ff:1f.7' }),
  bad('no device of a device plugin', { device: 'card', runtimeConfig: { deviceID: 'x' } }, ours),
  bad('lo', { device: 'lo' }),
  bad('lo, by its hardware address', { hwaddr: '00:00:00:00:00:00' }),
  bad('the interface is there', { device: 'card' }, { before: sandboxed('ip link add eth0 type bridge') }),
  bad(
    'the interface is an alternative name there',
    { device: 'card' },
    {
      onlyOurs: 'it asks for no such name',
      before: sandboxed('ip link add br0 type bridge; ip link property add dev br0 altname eth0'),
    },
  ),
  bad(
    'the interface is an alternative name of the device',
    { device: 'card' },
    {
      onlyOurs: 'it loses the name of the device',
      before: async world => {
        await card(world)
        await world.host.run('ip', 'link', 'property', 'add', 'dev', 'card', 'altname', 'eth0')
      },
    },
  ),
  bad(
    'an alternative name of the device is taken there',
    { device: 'card' },
    {
      onlyOurs: 'it loses the alias of the device',
      code: 999,
      before: async world => {
        await sandboxed('ip link add br0 type bridge; ip link property add dev br0 altname enp5s0')(world)
        await world.host.run('ip', 'link', 'property', 'add', 'dev', 'card', 'altname', 'enp5s0')
        await world.host.run('ip', 'link', 'set', 'card', 'up', 'alias', 'to the rack')
      },
    },
  ),
  bad(
    'a device that the kernel moves nowhere',
    { device: 'br0' },
    {
      onlyOurs: 'it loses the alias of the device',
      code: 999,
      before: ({ host }) => host.run('ip', 'link', 'add', 'br0', 'type', 'bridge'),
    },
  ),
  bad(
    'no addresses left: the device is as before',
    { device: 'card', ipam },
    {
      onlyOurs: 'it leaves the device down',
      code: 50,
      config: {
        device: 'card',
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: '10.1.0.0/30', rangeStart: '10.1.0.1', rangeEnd: '10.1.0.1' }]],
        },
      },
      before: async world => {
        await card(world)
        await world.host.run('sh', '-ec', 'ip link set card up alias rack; ip addr add 10.9.0.1/24 dev card')
      },
    },
  ),
  bad('a namespace that is missing', { device: 'card' }, { request: { netns: '/run/netns/none' }, code: 8 }),
])

t.test('a container marks a link of its own, for us to bring it to the host', async t => {
  if (tnet === undefined) return
  await using world = await makeWorld(tnet)
  await card(world)
  const { sandbox, network } = world
  const config = world.config({ cniVersion: '1.1.0', ...plain })
  const forge = (owner: string) =>
    sandbox.run(
      'sh',
      '-ec',
      `ip link add zz type veth peer name keep
      ip link set zz alias eth1; ip link property add dev zz altname tnet+${network}+${owner}`,
    )
  await forge('x+y')
  const before = settled(await world.snapshot())
  const all = { ...config, 'cni.dev/valid-attachments': [] }
  t.equal((await world.call('GC', all, { containerId: '', netns: '', ifname: '' })).code, 0)
  t.equal(settled(await world.snapshot()), before, 'GC lets it be')
  await sandbox.run('ip', 'link', 'del', 'zz')

  t.equal((await world.call('ADD', config)).code, 0)
  const mark = `altname tnet+${network}+c1+eth0`
  await sandbox.run(
    'sh',
    '-ec',
    `ip link add zz type bridge; ip link set zz alias eth1
    ip link property del dev eth0 ${mark}; ip link property add dev zz ${mark}`,
  )
  t.equal((await world.call('DEL', config)).code, 0)
  const inside = JSON.parse(await sandbox.run('ip', '-j', 'link')) as { ifname: string }[]
  t.match(
    inside.map(({ ifname }) => ifname),
    ['lo', 'zz'],
    'nor does DEL take a link of another kind',
  )
})
