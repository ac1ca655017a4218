// Input that nobody should send, and machines that are not as they should be: one clear error, nothing changed.
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t, { type Test } from 'tap'
import { isolated } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { refusals, tellsWell, type Refusal } from '../harness/refusals.ts'
import { run } from '../harness/run.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const ours = 'the reference takes it, or takes it badly'
const ipam = hostLocal(['10.1.0.0/24'])
const start = '{"cniVersion":"1.0.0","name":"net","type":"bridge",'
const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

const rows: Refusal[] = ['bridge', 'host-local'].flatMap((type): Refusal[] => [
  {
    name: `${type}: 10 MB of one string`,
    type,
    onlyOurs: ours,
    config: `${start}"x":"${'x'.repeat(10_000_000)}"}`,
    code: 6,
  },
  { name: `${type}: 10 MB of white space`, type, onlyOurs: ours, config: ' '.repeat(10_000_000), code: 6 },
  { name: `${type}: depth 10,000`, type, onlyOurs: ours, config: `${start}"x":${deep(10_000)}}`, code: 6 },
  {
    name: `${type}: depth 1,000,000, cut short`,
    type,
    onlyOurs: ours,
    config: `${start}"x":${'['.repeat(1_000_000)}`,
    code: 6,
  },
  {
    name: `${type}: __proto__`,
    type,
    onlyOurs: ours,
    config: `${start}"__proto__":{"isGateway":true}}`,
    code: 6,
  },
  {
    name: `${type}: __proto__ inside`,
    type,
    onlyOurs: ours,
    config: `${start}"ipam":{"type":"host-local","__proto__":{"subnet":"10.1.0.0/24"}}}`,
    code: 6,
  },
  { name: `${type}: NaN`, type, config: `${start}"mtu":NaN}`, code: 6, referenceCode: 6 },
  { name: `${type}: a comment`, type, config: `${start}"mtu":1400} // text`, code: 6, referenceCode: 6 },
  { name: `${type}: a trailing comma`, type, config: `${start}"mtu":1400,}`, code: 6, referenceCode: 6 },
  { name: `${type}: ipam is a list`, type, config: { ipam: [] }, code: 7 },
  { name: `${type}: ipam.type is a number`, type, config: { ipam: { type: 5 } }, code: 7 },
])
const wrongTypes: object[] = [
  { bridge: 5 },
  { isGateway: 'yes' },
  { isDefaultGateway: 1 },
  { ipMasq: 'true' },
  { mtu: '1500' },
  { mtu: 1.5 },
  { mtu: 1e300 },
  { hairpinMode: {} },
  { vlan: 'ten' },
  { vlanTrunk: 5 },
  { vlanTrunk: [5] },
  { vlanTrunk: [{ id: '5' }] },
  { macspoofchk: 'on' },
  { dns: 'none' },
  { dns: { nameservers: '192.0.2.53' } },
  { args: [] },
  { runtimeConfig: { mac: 5 } },
]
for (const config of wrongTypes) {
  rows.push({
    name: `a wrong type: ${JSON.stringify(config)}`,
    config: { ...config, ipam },
    code: 7,
    onlyOurs: 'some keys are newer than 1.1.1',
  })
}
refusals(t, rows)

const subject = subjects().find(({ name }) => name === 'tnet')

/** A test of ours in a world of its own. */
function ownTest(name: string, body: (t: Test, world: World) => Promise<void>): void {
  t.test(name, async t => {
    if (subject === undefined) return t.pass('the reference alone was asked for')
    await using world = await makeWorld(subject)
    await body(t, world)
  })
}

ownTest('a misspelled key is accepted, with a hint on standard error', async (t, world) => {
  const config = world.config({
    isGatway: true,
    ipam: { type: 'host-local', subnet: '10.1.0.0/24', rangeStrat: '10.1.0.9' },
  })
  const { code, stderr, stdout } = await world.call('ADD', config)
  t.equal(code, 0, stdout)
  t.match(stderr, /isGatway.*isGateway/s)
  t.match(stderr, /rangeStrat.*rangeStart/s)
  t.equal((await world.call('DEL', config)).code, 0)
})

ownTest('control characters of the input are not passed on to a terminal', async (t, world) => {
  const answer = await world.call('ADD', world.config({ bridge: '\u001b[31mred\r' }))
  t.equal(answer.code, 1)
  for (const control of ['\u001b', '\r']) t.notOk(`${answer.stderr}${answer.stdout}`.includes(control))
  tellsWell(t, answer)
})

/** ADD fails with the code and leaves nothing; when the machine is well again, ADD and DEL succeed. */
async function failsThenWorks(
  t: Test,
  world: World,
  code: number,
  more: object = {},
  repair?: () => Promise<unknown>,
): Promise<void> {
  const config = world.config({ isDefaultGateway: true, ipMasq: true, ipam, ...more })
  const before = await world.snapshot()
  const answer = await world.call('ADD', config)
  t.equal(answer.code, 1, answer.stdout)
  t.equal(answer.json?.['code'], code, answer.stdout)
  tellsWell(t, answer)
  t.equal(
    (await world.snapshot()).replace(/^files[^]*/m, ''),
    before.replace(/^files[^]*/m, ''),
    'the kernel as it was',
  )
  if (repair === undefined) return
  await repair()
  t.equal((await world.call('DEL', config)).code, 0)
  const again = await world.call('ADD', config)
  t.equal(again.code, 0, again.stdout)
  t.equal((await world.call('DEL', config)).code, 0)
  t.strictSame((await world.facts()).leases, [])
}

ownTest('a state folder that is read-only', async (t, world) => {
  mkdirSync('/run/state')
  await run('mount', ['-t', 'tmpfs', '-o', 'ro', 'tnet', '/run/state'])
  const repair = () => run('umount', ['/run/state'])
  await failsThenWorks(
    t,
    world,
    5,
    { ipam: { type: 'host-local', subnet: '10.1.0.0/24', dataDir: '/run/state/leases' } },
    repair,
  )
  rmSync('/run/state', { recursive: true })
})

for (const options of [
  'size=4k',
  'nr_inodes=2',
  'nr_inodes=3',
  'nr_inodes=4',
  'nr_inodes=5',
  'nr_inodes=6',
]) {
  ownTest(`a state folder that is full: ${options}`, async (t, world) => {
    mkdirSync('/run/state')
    await run('mount', ['-t', 'tmpfs', '-o', options, 'tnet', '/run/state'])
    if (options === 'size=4k') writeFileSync('/run/state/filler', 'x'.repeat(4096))
    const config = { ipam: { type: 'host-local', subnet: '10.1.0.0/24', dataDir: '/run/state/leases' } }
    const whole = world.config({ isDefaultGateway: true, ipMasq: true, ...config })
    const before = await world.snapshot()
    const answer = await world.call('ADD', whole)
    if (answer.code === 0) {
      t.ok(answer.json?.['ips'], 'there was room enough')
    } else {
      t.equal(answer.json?.['code'], 5, answer.stdout)
      t.equal(
        (await world.snapshot()).replace(/^files[^]*/m, ''),
        before.replace(/^files[^]*/m, ''),
        'the kernel as it was',
      )
    }
    const deleted = await world.call('DEL', whole)
    t.equal(deleted.code, 0, `DEL where nothing can be written: ${deleted.stdout}`)
    t.strictSame((await world.facts()).ports, [])
    await run('umount', ['/run/state'])
    rmSync('/run/state', { recursive: true })
  })
}

ownTest('no CAP_NET_ADMIN', async (t, world) => {
  const config = JSON.stringify(world.config({ isGateway: true, ipam }))
  const before = await world.snapshot()
  const env = [
    'env',
    '-i',
    'CNI_COMMAND=ADD',
    'CNI_CONTAINERID=c1',
    'CNI_IFNAME=eth0',
    `CNI_NETNS=${world.sandbox.path}`,
    `CNI_PATH=${world.subject.dir}`,
  ]
  const drop = ['--bounding-set', '-net_admin', '--inh-caps', '-net_admin']
  const answer = await world.host.attempt('setpriv', [...drop, ...env, `${world.subject.dir}/bridge`], {
    input: config,
  })
  t.equal(answer.code, 1, answer.stdout)
  const json = JSON.parse(answer.stdout) as Record<string, unknown>
  t.equal(json['code'], 101)
  t.match(JSON.stringify(json), 'CAP_NET_ADMIN')
  t.equal((await world.snapshot()).replace(/^files[^]*/m, ''), before.replace(/^files[^]*/m, ''))
  t.strictSame((await world.facts()).leases, [])
})

ownTest('a network whose lease folder is something else', async (t, world) => {
  mkdirSync('/var/lib/cni/networks', { recursive: true })
  writeFileSync(world.leaseFolder, 'a file')
  const { code } = await world.call('ADD', world.config({ ipam }))
  t.equal(code, 1)
  rmSync(world.leaseFolder)
  mkdirSync('/run/elsewhere')
  symlinkSync('/run/elsewhere', world.leaseFolder)
  chmodSync(dirname(world.leaseFolder), 0o777)
  const config = world.config({ ipam })
  await failsOrFollowsNothing(t, world, config)
  rmSync('/run/elsewhere', { recursive: true })
})

/** A symbolic link in place of a folder of ours, which others may have made: refused. */
async function failsOrFollowsNothing(t: Test, world: World, config: object): Promise<void> {
  const { code, stdout } = await world.call('ADD', config)
  t.equal(code, 1, stdout)
  t.strictSame(await run('ls', ['/run/elsewhere']), '')
}

ownTest('damaged files among the leases block nothing', async (t, world) => {
  mkdirSync(`${world.leaseFolder}/10.1.0.3`, { recursive: true })
  for (const [name, content] of Object.entries({
    'last_reserved_ip.0': '\0\0\0',
    '10.1.0.2': '',
    'not-an-address': 'x',
    '10.1.0.999': 'c9\r\neth0',
  })) {
    writeFileSync(`${world.leaseFolder}/${name}`, content)
  }
  const config = world.config({ ipam })
  const answer = await world.call('ADD', config)
  t.equal(answer.code, 0, answer.stdout)
  const check = await world.call('CHECK', { ...config, prevResult: answer.json })
  t.equal(check.code, 0, check.stdout)
  t.equal((await world.call('DEL', config)).code, 0)
})
