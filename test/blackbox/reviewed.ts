// What reviews found wrong in ADD, DEL, CHECK and GC of the bridge plugin, each under the name of what went wrong.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isolated, makeNetns } from '../harness/namespaces.ts'
import { type Answer, call, callEnvironment, subjects } from '../harness/plugins.ts'
import { settled } from '../harness/refusals.ts'
import { run, until } from '../harness/run.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const ours = subjects().find(({ name }) => name === 'tnet')
const reference = subjects().find(({ name }) => name === 'reference')
const ipam = hostLocal(['10.1.0.0/24'])

/** A test of ours in a world of its own. */
function ownTest(name: string, body: (t: Test, world: World) => Promise<void>): void {
  t.test(name, { timeout: 300_000 }, async t => {
    if (ours === undefined) return t.pass('the reference alone was asked for')
    await using world = await makeWorld(ours)
    await body(t, world)
  })
}

function succeeded(t: Test, verb: string, { code, stdout, stderr }: Answer): boolean {
  return t.equal(code, 0, `${verb}: ${stdout}${stderr}`)
}

/** A plugin of somebody else: it notes its calls in `<path>.calls`, and answers ADD with `result`. */
function writeStranger(path: string, result: object): void {
  const answer = `[ "$CNI_COMMAND" != ADD ] || echo '${JSON.stringify(result)}'`
  writeFileSync(path, `#!/bin/sh\necho $CNI_COMMAND >> $0.calls\n${answer}\n`, { mode: 0o755 })
}

/** The links of sandbox and network, the leases, and the firewall's elements of 10.1.0.0/24. */
async function nothingLeft(t: Test, world: World): Promise<void> {
  const { ports, sandbox, leases, ruleset } = await world.facts()
  t.strictSame({ ports, sandbox, leases }, { ports: [], sandbox: {}, leases: [] }, 'nothing is left')
  t.notMatch(ruleset, /\b10\.1\.0\.\d|eth0/, 'no element is left')
}

/** Runs ADD with a standard output that takes nothing. */
async function addUnheard(world: World, config: object): Promise<Answer> {
  const { dir } = world.subject
  const env = callEnvironment(dir, { verb: 'ADD', config, netns: world.sandbox.path })
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const args = ['-i', ...variables, 'sh', '-c', `exec ${dir}/bridge > /dev/full`]
  const ran = await world.host.attempt('env', args, { input: JSON.stringify(config) })
  return { ...ran, json: undefined }
}

ownTest("somebody else's IPAM plugin in our own folder was taken for ours", async (t, world) => {
  const folder = t.testdir()
  cpSync(world.subject.dir, folder, { recursive: true, verbatimSymlinks: true })
  const path = join(folder, 'stranger')
  writeStranger(path, { cniVersion: '1.0.0', ips: [{ address: '10.1.0.9/24' }] })
  const request = { host: world.host, netns: world.sandbox.path }
  const config = world.config({ ipam: { type: 'stranger' } })
  const added = await call(folder, 'bridge', { ...request, verb: 'ADD', config })
  if (!succeeded(t, 'ADD', added)) return
  t.strictSame((await world.facts()).sandbox['eth0']?.addresses, ['10.1.0.9/24'])
  succeeded(t, 'DEL', await call(folder, 'bridge', { ...request, verb: 'DEL', config }))
  t.equal(readFileSync(`${path}.calls`, 'utf8'), 'ADD\nDEL\n')
  // What lies there of ours still runs without another process, whatever CNI_PATH calls the folder.
  const own = { ...request, config: world.config({ ipam }), env: { CNI_PATH: `${folder}/.` } }
  succeeded(t, 'ADD', await call(folder, 'bridge', { ...own, verb: 'ADD' }))
  succeeded(t, 'DEL', await call(folder, 'bridge', { ...own, verb: 'DEL' }))
  await nothingLeft(t, world)
})

ownTest('a second ADD with another bridge moved the link of the first', async (t, world) => {
  const first = world.config({ bridge: 'br0' })
  if (!succeeded(t, 'ADD', await world.call('ADD', first))) return
  const before = await world.snapshot()
  const second = await world.call('ADD', world.config({ bridge: 'br1', hairpinMode: true }))
  t.equal(second.code, 1)
  const { ports, bridges } = await world.facts()
  t.match(ports, [{ master: 'br0', hairpin: false }])
  t.strictSame(Object.keys(bridges), ['br0'])
  t.equal(await world.snapshot(), before, 'nothing is changed')
  succeeded(t, 'DEL', await world.call('DEL', first))
  await nothingLeft(t, world)
})

const spoilt = {
  'hairpinMode with promiscMode': { hairpinMode: true, promiscMode: true },
  'a bridge name that is too long': { bridge: 'abcdefghijklmnopqrst' },
  'a trunk range without its end': { vlanTrunk: [{ minID: 5 }] },
  "a name that is too long for its VLAN's gateway": { isGateway: true, vlan: 100, bridge: 'abcdefghijklmno' },
}

for (const [name, more] of Object.entries(spoilt)) {
  ownTest(`DEL failed with what only ADD has to refuse: ${name}`, async (t, world) => {
    const config = { ipMasq: true, macspoofchk: true, ipam }
    if (!succeeded(t, 'ADD', await world.call('ADD', world.config(config)))) return
    t.not((await world.call('ADD', world.config({ ...config, ...more }))).code, 0, 'ADD refuses it')
    for (const time of ['once', 'twice'])
      succeeded(t, `DEL ${time}`, await world.call('DEL', world.config({ ...config, ...more })))
    await nothingLeft(t, world)
  })
}

t.test("CHECK of what the reference made asked for our firewall's elements", async t => {
  if (ours === undefined || reference === undefined || !existsSync(join(reference.dir, 'host-local')))
    return t.pass('this machine has no reference, or one of the two alone was asked for')
  await using world = await makeWorld(ours)
  const config = world.config({ isDefaultGateway: true, ipMasq: true, ipam })
  const request = { host: world.host, netns: world.sandbox.path }
  const added = await call(reference.dir, 'bridge', { ...request, verb: 'ADD', config })
  if (!succeeded(t, 'ADD by the reference', added)) return
  const withResult = { ...config, prevResult: added.json }
  succeeded(t, 'CHECK', await world.call('CHECK', withResult))
  succeeded(t, 'DEL', await world.call('DEL', withResult))
  const { ports, sandbox, leases } = await world.facts()
  t.strictSame({ ports, sandbox, leases }, { ports: [], sandbox: {}, leases: [] })
})

ownTest('the elements of an attachment stayed where ipMasq was taken away before DEL', async (t, world) => {
  const config = { isDefaultGateway: true, ipMasq: true, macspoofchk: true, ipam }
  if (!succeeded(t, 'ADD', await world.call('ADD', world.config(config)))) return
  t.match((await world.facts()).ruleset, /\b10\.1\.0\.2\b/)
  const later = world.config({ ...config, ipMasq: false, macspoofchk: false })
  succeeded(t, 'DEL', await world.call('DEL', later))
  await nothingLeft(t, world)
})

ownTest('the elements of an attachment stayed where prevResult had another address', async (t, world) => {
  const config = world.config({ isDefaultGateway: true, ipMasq: true, ipam })
  const added = await world.call('ADD', config)
  if (!succeeded(t, 'ADD', added)) return
  t.match((await world.facts()).ruleset, /\b10\.1\.0\.2\b/)
  const prevResult = { ...added.json, ips: [{ address: '10.1.0.99/24', gateway: '10.1.0.1' }] }
  succeeded(t, 'DEL', await world.call('DEL', { ...config, prevResult }))
  await nothingLeft(t, world)
})

for (const hasOwnBridge of [false, true]) {
  const where = hasOwnBridge ? 'where ours is there' : 'where ours is not there'
  ownTest(`DEL removed the eth0 of another's bridge, ${where}`, async (t, { host, sandbox, ...world }) => {
    if (hasOwnBridge)
      await host.run('ip', 'link', 'add', 'cni0', 'address', '02:00:00:00:00:09', 'type', 'bridge')
    await host.run('ip', 'link', 'add', 'docker0', 'address', '02:00:00:00:00:08', 'type', 'bridge')
    const peer = ['peer', 'name', 'eth0', 'netns', sandbox.name]
    await host.run('ip', 'link', 'add', 'other', 'master', 'docker0', 'type', 'veth', ...peer)
    const before = settled(await world.snapshot())
    const config = world.config({ ipMasq: true, ipam })
    succeeded(t, 'DEL', await world.call('DEL', config, { containerId: 'gone' }))
    t.equal(settled(await world.snapshot()), before, 'nothing is changed')
  })
}

const ROUNDS = 20

ownTest('the undo of a first ADD took the bridge from another in parallel', async (t, world) => {
  await using second = await makeNetns('second')
  const exhausted = hostLocal([], {
    ranges: [[{ subnet: '10.2.0.0/30', rangeStart: '10.2.0.1', rangeEnd: '10.2.0.1', gateway: '10.2.0.1' }]],
  })
  for (let round = 1; round <= ROUNDS; round++) {
    const bridge = `br${round}`
    const good = world.config({ bridge, isGateway: true, ipam })
    const bad = world.config({ name: 'exhausted', bridge, isGateway: true, ipam: exhausted })
    const failing = world.call('ADD', bad, { containerId: 'bad', netns: second.path })
    await new Promise(resolve => setTimeout(resolve, round % 10))
    const [failed, added] = await Promise.all([failing, world.call('ADD', good)])
    t.equal(failed.json?.['code'], 50, 'without an address')
    succeeded(t, `ADD in round ${round}`, added)
    const { ports, bridges } = await world.facts()
    t.match(ports, [{ master: bridge }], 'it is a port of the bridge')
    t.strictSame(bridges[bridge]?.addresses, ['10.1.0.1/24'])
    succeeded(t, 'DEL', await world.call('DEL', good))
    await world.host.attempt('ip', ['link', 'del', bridge])
  }
})

ownTest('GC removed nothing where the IPAM plugin is missing', async (t, world) => {
  const config = world.config({ cniVersion: '1.1.0', ipMasq: true, ipam })
  if (!succeeded(t, 'ADD', await world.call('ADD', config))) return
  const collect = { ...config, ipam: { type: 'nowhere' }, 'cni.dev/valid-attachments': [] }
  const answer = await world.call('GC', collect, { containerId: '', netns: '', ifname: '' })
  t.equal(answer.code, 1)
  t.equal(answer.json?.['code'], 999)
  t.match(String(answer.json?.['msg']), /nowhere/, 'it tells which')
  const { ports, sandbox, ruleset } = await world.facts()
  t.strictSame({ ports, sandbox }, { ports: [], sandbox: {} })
  t.notMatch(ruleset, /\b10\.1\.0\.2\b/)
})

ownTest('an ADD that failed kept the address that forceAddress took', async (t, world) => {
  const { host } = world
  await host.run('ip', 'link', 'add', 'br0', 'address', '02:00:00:00:00:09', 'type', 'bridge')
  await host.run('ip', 'addr', 'add', '192.0.2.1/24', 'dev', 'br0')
  await host.run('ip', 'link', 'set', 'br0', 'up')
  const before = settled(await world.snapshot())
  const config = world.config({ bridge: 'br0', isGateway: true, forceAddress: true, ipam })
  t.not((await addUnheard(world, config)).code, 0, 'the answer cannot be written')
  t.strictSame((await world.facts()).bridges['br0']?.addresses, ['192.0.2.1/24'])
  t.equal(settled(await world.snapshot()), before, 'nothing is changed')
})

ownTest('an ADD that failed kept an adopted bridge as it had changed it', async (t, world) => {
  const { host } = world
  await host.run('ip', 'link', 'add', 'br0', 'address', '02:00:00:00:00:09', 'mtu', '9000', 'type', 'bridge')
  await host.run('ip', 'link', 'set', 'br0', 'up')
  const before = (await world.facts()).bridges
  const config = world.config({ bridge: 'br0', mtu: 1400, promiscMode: true, ipMasq: true, ipam })
  t.not((await addUnheard(world, config)).code, 0, 'the answer cannot be written')
  const after = (await world.facts()).bridges
  t.strictSame(after, before)
  t.match(after, { br0: { mtu: 9000, promisc: false } })
})

ownTest(
  "an IPAM plugin's ips[].interface was held against interfaces that it cannot know",
  async (t, world) => {
    const folder = t.testdir()
    writeStranger(join(folder, 'fixed'), {
      cniVersion: '1.0.0',
      ips: [{ interface: 0, address: '10.1.0.9/24' }],
    })
    const config = world.config({ ipam: { type: 'fixed' } })
    const request = { env: { CNI_PATH: folder } }
    const added = await world.call('ADD', config, request)
    if (!succeeded(t, 'ADD', added)) return
    t.match(
      added.json,
      { ips: [{ address: '10.1.0.9/24', interface: 2 }] },
      "the sandbox's end, by our count",
    )
    succeeded(t, 'CHECK', await world.call('CHECK', { ...config, prevResult: added.json }, request))
    succeeded(t, 'DEL', await world.call('DEL', config, request))
  },
)

ownTest('addresses of a plugin that tells no interfaces stopped who came after it', async (t, world) => {
  const prevResult = { cniVersion: '1.0.0', ips: [{ interface: 0, address: '10.1.0.9/24' }] }
  for (const type of ['portmap', 'firewall']) {
    const added = await world.call('ADD', world.config({ type, prevResult }), { type })
    if (!succeeded(t, 'ADD', added)) return
    t.match(added.json, { ips: [{ address: '10.1.0.9/24' }] })
    succeeded(t, 'DEL', await world.call('DEL', world.config({ type, prevResult }), { type }))
  }
})

ownTest('CHECK looked for a route of table 0 in table 0', async (t, world) => {
  const routes = [{ dst: '10.9.0.0/16', gw: '10.1.0.1', table: 0 }]
  const section = hostLocal(['10.1.0.0/24'], { routes })
  const config = world.config({ cniVersion: '1.1.0', isGateway: true, ipam: section })
  const added = await world.call('ADD', config)
  if (!succeeded(t, 'ADD', added)) return
  t.strictSame((await world.facts()).routes, ['10.9.0.0/16 via 10.1.0.1'], 'in the main table')
  const withResult = { ...config, prevResult: added.json }
  succeeded(t, 'CHECK', await world.call('CHECK', withResult))
  await world.sandbox.run('ip', 'route', 'del', '10.9.0.0/16')
  t.equal((await world.call('CHECK', withResult)).code, 1, 'it is missed once it is gone')
})

ownTest("DEL removed another's eth0 where ADD had told of a different one", async (t, world) => {
  const { host, sandbox } = world
  const peer = ['peer', 'name', 'eth0', 'address', '02:00:00:00:00:07', 'netns', sandbox.name]
  await host.run('ip', 'link', 'add', 'cali1', 'type', 'veth', ...peer)
  await sandbox.run('ip', 'address', 'add', '192.168.77.5/32', 'dev', 'eth0')
  const before = settled(await world.snapshot())
  const told = (mac: string, address: string) => ({
    cniVersion: '1.0.0',
    interfaces: [{ name: 'eth0', mac, sandbox: sandbox.path }],
    ips: [{ interface: 0, address }],
  })
  for (const type of ['bridge', 'ptp']) {
    const config = world.config({ type, ipam })
    const prevResult = told('02:00:00:00:00:02', '10.1.0.2/24')
    succeeded(t, `DEL of ${type}`, await world.call('DEL', { ...config, prevResult }))
    t.equal(settled(await world.snapshot()), before, `${type}: nothing is changed`)
  }
  const prevResult = told('02:00:00:00:00:02', '192.168.77.5/32')
  succeeded(t, 'DEL', await world.call('DEL', { ...world.config({ type: 'ptp', ipam }), prevResult }))
  t.strictSame((await world.facts()).sandbox, {}, 'where an address is as told, only the MAC address changed')
})

ownTest("DEL removed another's link with the name of a VLAN's gateway", async (t, world) => {
  const { host } = world
  await host.run('ip', 'link', 'add', 'br0', 'address', '02:00:00:00:00:09', 'type', 'bridge')
  await host.run('ip', 'link', 'add', 'br0.100', 'type', 'veth', 'peer', 'name', 'lab')
  const before = settled(await world.snapshot())
  const config = world.config({ bridge: 'br0', vlan: 100, isGateway: true, ipam })
  succeeded(t, 'DEL', await world.call('DEL', config, { containerId: 'gone' }))
  t.not((await world.call('ADD', config)).code, 0, 'the name is taken, or the kernel has no VLAN filtering')
  t.equal(settled(await world.snapshot()), before, 'nothing is changed')
})

ownTest("DEL failed where the bridge's name was another link's", async (t, world) => {
  await world.host.run('ip', 'link', 'add', 'br0', 'type', 'veth', 'peer', 'name', 'lab')
  const before = settled(await world.snapshot())
  const config = world.config({ cniVersion: '1.1.0', bridge: 'br0', vlan: 100, isGateway: true, ipam })
  succeeded(t, 'DEL', await world.call('DEL', config, { containerId: 'gone', netns: '' }))
  const all = { ...config, 'cni.dev/valid-attachments': [] }
  succeeded(t, 'GC', await world.call('GC', all, { containerId: '', netns: '', ifname: '' }))
  t.equal(settled(await world.snapshot()), before, 'nothing is changed')
})

ownTest('anybody could keep ADD waiting, by a lock on the namespace of the host', async (t, world) => {
  const nobody = ['setpriv', '--bounding-set=-all', '--inh-caps=-all']
  const script = 'exec flock --exclusive /proc/self/ns/net sh -c "echo held; exec cat"'
  const holding = spawn('nsenter', [`--net=${world.host.path}`, ...nobody, 'sh', '-c', script])
  await once(holding.stdout, 'data')
  const config = world.config({ isGateway: true, ipam })
  succeeded(t, 'ADD', await world.call('ADD', config))
  succeeded(t, 'DEL', await world.call('DEL', config))
  t.equal(holding.exitCode, null, 'it was held all the time')
  const ended = once(holding, 'exit')
  holding.stdin.end()
  await ended
})

ownTest('ADD failed where the master had no carrier', async (t, world) => {
  await world.host.run('ip', 'link', 'add', 'card', 'type', 'veth', 'peer', 'name', 'unplugged')
  await world.host.run('ip', 'link', 'set', 'card', 'up')
  const config = world.config({ type: 'macvlan', master: 'card', ipam: hostLocal(['fd00:1::/64']) })
  succeeded(t, 'ADD', await world.call('ADD', config))
  await world.host.run('ip', 'link', 'set', 'unplugged', 'up')
  const address = () => world.sandbox.run('ip', '-6', 'address', 'show', 'dev', 'eth0', 'scope', 'global')
  await until('the address is used', async () => !(await address()).includes('tentative'))
  succeeded(t, 'DEL', await world.call('DEL', config))
})

ownTest('tnet-ipam could not give back what it had no folder for', async (t, world) => {
  const config = world.config({ type: 'tnet-ipam', ipam: { type: 'tnet-ipam', network: 'kept' } })
  await run('mount', ['-o', 'remount,bind,ro', '/var/lib'])
  t.teardown(() => run('mount', ['-o', 'remount,bind,rw', '/var/lib']))
  t.match(await world.call('ADD', config), { code: 1, json: { code: 5 } })
  succeeded(t, 'DEL', await world.call('DEL', config))
  succeeded(t, 'DEL by bridge', await world.call('DEL', { ...config, type: 'bridge' }, { type: 'bridge' }))
})

for (const subject of subjects()) {
  t.test(`${subject.name}: why an IPAM plugin died is told in the answer`, async t => {
    await using world = await makeWorld(subject)
    const folder = t.testdir()
    const script = "#!/bin/sh\necho 'panic: cannot reach etcd' >&2\nexit 2\n"
    writeFileSync(join(folder, 'dying'), script, { mode: 0o755 })
    const config = world.config({ ipam: { type: 'dying' } })
    const added = await world.call('ADD', config, { env: { CNI_PATH: folder } })
    t.equal(added.code, 1)
    t.match(added.stdout, 'cannot reach etcd')
    // The reference keeps it for the answer.
    if (subject.name === 'tnet') t.match(added.stderr, /^panic: cannot reach etcd\n/)
  })
}
