// The tap plugin: what it answers and makes, who can open it, frames through it, what it refuses.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { type Row, table } from '../harness/lifecycle.ts'
import { isolated, lacks, type Netns } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { type Refusal, refusals } from '../harness/refusals.ts'
import { ping } from '../harness/traffic.ts'
import { ownTool } from '../harness/tools.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const ipam = hostLocal(['10.1.0.0/24'])
const NEWER = 'newer than 1.1.1'
const MAC = '02:00:00:00:00:77'
const answer = (more: object = {}) => ({
  cniVersion: '1.0.0',
  interfaces: [{ name: 'eth0', mac: 'MAC', sandbox: 'SANDBOX' }],
  ...more,
})

interface Device {
  address: string
  mtu: number
  master?: string
  ifalias?: string
  linkinfo: { info_kind: string; info_data: Record<string, unknown> }
}

async function device({ sandbox }: World): Promise<Device> {
  const [link] = JSON.parse(await sandbox.run('ip', '-d', '-j', 'link', 'show', 'eth0')) as Device[]
  if (link === undefined) throw new Error('no eth0')
  return link
}

/** What a program says that opens the device as user and group. */
async function opened(
  place: Netns,
  how: { user: number; group?: number; queues?: boolean },
): Promise<string> {
  const { user, group = 0, queues = false } = how
  const args = ['eth0', queues ? 'multi' : 'single', String(user), String(group)]
  const { stdout, stderr } = await place.attempt(ownTool('tap-end'), args)
  return (stdout + stderr).trim()
}

const withBridge = ({ sandbox }: World) =>
  sandbox.run('sh', '-ec', 'ip link add br0 type bridge; ip link set br0 up; ip addr add 10.1.0.9/24 dev br0')
const removeBridge = ({ sandbox }: World) => sandbox.run('ip', 'link', 'del', 'br0')

const rows: Row[] = [
  {
    name: 'a device',
    onlyOurs: NEWER,
    config: { type: 'tap' },
    result: answer(),
    facts: { sandbox: { eth0: { up: true, mtu: 1500, addresses: [] } } },
    also: async (t, world) => {
      const { linkinfo, ifalias } = await device(world)
      t.match(linkinfo, {
        info_kind: 'tun',
        info_data: { type: 'tap', pi: false, vnet_hdr: true, multi_queue: false, persist: true },
      })
      t.notOk('user' in linkinfo.info_data || 'group' in linkinfo.info_data)
      t.match(ifalias, /^tnet net\d+ \S+ eth0$/)
      t.equal(await opened(world.sandbox, { user: 0 }), 'open')
    },
  },
  {
    name: 'an address, an mtu, a hardware address, an owner and queues',
    onlyOurs: NEWER,
    config: { type: 'tap', ipam, mtu: 1400, mac: MAC, owner: 1000, group: 0, multiQueue: true },
    result: answer({ ips: [{ interface: 0, address: '10.1.0.2/24', gateway: '10.1.0.1' }] }),
    facts: { sandbox: { eth0: { mac: MAC, mtu: 1400, up: true, addresses: ['10.1.0.2/24'] } } },
    also: async (t, world) => {
      const { linkinfo } = await device(world)
      t.match(linkinfo.info_data, { multi_queue: true, persist: true })
      t.equal(await opened(world.sandbox, { user: 1000, queues: true }), 'open')
      t.match(await opened(world.sandbox, { user: 1001, queues: true }), /not permitted/)
      t.match(await opened(world.sandbox, { user: 1000, group: 5, queues: true }), /not permitted/)
      t.match(await opened(world.sandbox, { user: 1000 }), /Invalid argument/, 'queues must be asked for')
    },
  },
  {
    name: 'a hardware address of CNI_ARGS',
    onlyOurs: NEWER,
    config: { type: 'tap', mac: '02:00:00:00:00:01' },
    request: { args: `MAC=${MAC}` },
    result: answer(),
    facts: { sandbox: { eth0: { mac: MAC } } },
  },
  {
    name: 'a hardware address of the runtime',
    onlyOurs: NEWER,
    config: { type: 'tap', runtimeConfig: { mac: MAC } },
    request: { args: 'MAC=02:00:00:00:00:01' },
    result: answer(),
    facts: { sandbox: { eth0: { mac: MAC } } },
  },
  {
    name: 'a hardware address of args',
    onlyOurs: NEWER,
    config: { type: 'tap', args: { cni: { mac: MAC } } },
    request: { args: 'MAC=02:00:00:00:00:01' },
    result: answer(),
    facts: { sandbox: { eth0: { mac: MAC } } },
  },
]

const missing = lacks('tun')
if (missing === false) table(t, rows)
else t.test('a table of behaviours', { skip: missing }, () => {})

t.test('frames go between a program and the bridge of the sandbox', { skip: missing }, async t => {
  const subject = subjects().find(({ name }) => name === 'tnet')
  if (subject === undefined) return t.pass('the reference alone was asked for')
  await using world = await makeWorld(subject)
  await withBridge(world)
  const config = world.config({ cniVersion: '1.1.0', type: 'tap', bridge: 'br0', owner: 1000 })
  const { code, stdout, json } = await world.call('ADD', config)
  t.equal(code, 0, stdout)
  t.match(json?.['interfaces'], [{ name: 'eth0', mtu: 1500 }])
  t.equal((await device(world)).master, 'br0')
  const end = spawn(
    'nsenter',
    [`--net=${world.sandbox.path}`, ownTool('tap-end'), 'eth0', 'single', '1000', '1000', '10.1.0.50'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const ended = once(end, 'exit')
  await once(end.stdout, 'data')
  t.ok(await ping(world.sandbox, '10.1.0.50'), 'the program answers, by way of the bridge')
  end.kill('SIGKILL')
  await ended
  t.notOk(await ping(world.sandbox, '10.1.0.50', 300), 'the device stays, the answers end')
  const withResult = { ...config, prevResult: json }
  t.equal((await world.call('CHECK', withResult)).code, 0)
  await world.sandbox.run('ip', 'link', 'set', 'eth0', 'nomaster')
  t.equal((await world.call('CHECK', withResult)).json?.['code'], 100, 'CHECK sees the bridge')
  t.equal((await world.call('DEL', withResult)).code, 0)
  await removeBridge(world)
})

t.test("DEL in a namespace that is another container's, GC, STATUS", { skip: missing }, async t => {
  const subject = subjects().find(({ name }) => name === 'tnet')
  if (subject === undefined) return t.pass('the reference alone was asked for')
  await using world = await makeWorld(subject)
  const config = world.config({ cniVersion: '1.1.0', type: 'tap' })
  t.equal((await world.call('ADD', config, { containerId: 'one' })).code, 0)
  const { ifalias } = await device(world)
  t.equal((await world.call('DEL', config, { containerId: 'two' })).code, 0)
  t.equal((await device(world)).ifalias, ifalias, 'the other is not touched')
  const nobody = { containerId: '', netns: '', ifname: '' }
  const valid = [{ containerID: 'one', ifname: 'eth0' }]
  t.equal((await world.call('GC', { ...config, 'cni.dev/valid-attachments': valid }, nobody)).code, 0)
  t.ok(await device(world), 'a valid one stays')
  t.equal((await world.call('GC', { ...config, 'cni.dev/valid-attachments': [] }, nobody)).code, 0)
  t.not((await world.sandbox.attempt('ip', ['link', 'show', 'eth0'])).code, 0, 'a stale one goes')
  t.equal((await world.call('STATUS', config, nobody)).code, 0)
})

function row(
  name: string,
  code: number,
  more: Partial<Refusal> & { readonly config?: object } = {},
): Refusal {
  return { ...more, name, code, onlyOurs: NEWER, type: 'tap', config: { ipam, ...more.config } }
}

if (missing === false)
  refusals(t, [
    row('a bridge that is missing', 7, { config: { bridge: 'br9' } }),
    row('a bridge that is none', 7, { config: { bridge: 'lo' } }),
    row('a bridge whose name no link can have', 7, { config: { bridge: 'a/b' } }),
    row('an mtu below what the kernel takes', 999, { config: { mtu: 40 } }),
    row('a negative mtu', 7, { config: { mtu: -1 } }),
    row('an owner that is none', 7, { config: { owner: -1 } }),
    row('a group by its name', 7, { config: { group: 'kvm' } }),
    row('a hardware address that is none', 7, { config: { mac: 'zz' } }),
    row('a hardware address of a group', 7, { config: { runtimeConfig: { mac: '01:00:5e:00:00:01' } } }),
    row('an SELinux context where there is no SELinux', 2, {
      before: hideSelinux,
      config: { selinuxContext: 'system_u:system_r:container_t:s0' },
    }),
    row('an interface that exists in the sandbox', 7, {
      before: ({ sandbox }) => sandbox.run('ip', 'link', 'add', 'eth0', 'type', 'bridge'),
    }),
    row('a tap device that exists in the sandbox', 7, {
      before: ({ sandbox }) => sandbox.run('ip', 'tuntap', 'add', 'dev', 'eth0', 'mode', 'tap'),
    }),
    row('an unknown argument', 999, { request: { args: 'COLOUR=green' } }),
    row('a namespace that is missing', 8, { request: { netns: '/run/netns/none' } }),
  ])

/** A system may have it; this process and its children are shown one that has none. */
async function hideSelinux(): Promise<void> {
  execFileSync('mount', ['-t', 'tmpfs', 'tnet', '/sys/fs'])
}
