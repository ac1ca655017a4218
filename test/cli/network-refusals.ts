// What tnet network refuses: the exit status says whose fault it is, one line what, and nothing has changed.
import t, { type Test } from 'tap'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { type CommandLine, commandLines, EXECUTABLE, executable } from '../harness/command-line.ts'
import { isolated, makeNetns } from '../harness/namespaces.ts'
import { attempt, run } from '../harness/run.ts'
import { snapshot } from '../harness/snapshot.ts'
import { scratch } from '../harness/tools.ts'

isolated(import.meta)

const FAILED = 1
const WRONG = 2

type Row = readonly [status: number, ...words: string[]]

async function refusedAll(t: Test, tnet: CommandLine, rows: readonly Row[]): Promise<void> {
  const before = await snapshot()
  const networks = await tnet.must('network', 'ls', '--no-trunc')
  for (const [status, ...words] of rows) {
    const line = words.join(' ').slice(0, 100)
    const { code, stdout, stderr } = await tnet.run(['network', ...words])
    t.equal(code, status, `${line}: ${stderr}`)
    t.equal(stdout, '', line)
    t.match(stderr, /^tnet[^\n]*: [^\n]+\n( {2}[^\n]+\n)?$/, line)
    t.equal(await snapshot(), before, `${line}: the kernel is as it was`)
  }
  t.equal(await tnet.must('network', 'ls', '--no-trunc'), networks, 'the networks are as they were')
}

for (const tnet of commandLines()) {
  t.test(`${tnet.name}: create`, async t => {
    await run('ip', ['link', 'add', 'lower', 'type', 'veth', 'peer', 'name', 'peer'])
    await run('ip', ['link', 'set', 'lower', 'up'])
    await run('ip', ['link', 'set', 'peer', 'up'])
    await run('ip', ['addr', 'add', '10.9.0.1/24', 'dev', 'lower'])
    await run('ip', ['route', 'add', '10.10.0.0/16', 'via', '10.9.0.2'])
    await run('ip', ['addr', 'add', 'fd00:9::1/64', 'dev', 'lower', 'nodad'])
    await tnet.must('network', 'create', '--subnet', '10.1.0.0/16', '-o', 'bridge=br-one', 'one')
    await refusedAll(t, tnet, [
      [FAILED, 'create', 'one'],
      [FAILED, 'create', 'two', '--subnet', '10.1.0.0/16'],
      [FAILED, 'create', 'two', '--subnet', '10.1.200.0/24'],
      [FAILED, 'create', 'two', '--subnet', '10.0.0.0/8'],
      [FAILED, 'create', 'two', '--subnet', '10.9.0.0/24'],
      [FAILED, 'create', 'two', '--subnet', '10.9.0.0/28'],
      [FAILED, 'create', 'two', '--subnet', '10.10.77.0/24'],
      [FAILED, 'create', 'two', '--subnet', 'fd00:9::/80'],
      [FAILED, 'create', 'two', '-o', 'bridge=br-one'],
      [WRONG, 'create', 'two', '-o', 'bridge=lower'],
      [WRONG, 'create', 'two', '-o', 'bridge=lo'],
      [WRONG, 'create', 'two', '-o', 'bridge=a/b'],
      [WRONG, 'create', 'two', '-o', `bridge=${'x'.repeat(16)}`],
      [WRONG, 'create', 'two', '-o', 'mtu=0'],
      [WRONG, 'create', 'two', '-o', 'mtu=1000', '--ipv6'],
      [WRONG, 'create', 'two', '-o', 'nope=1'],
      [WRONG, 'create', 'two', '-o', 'mtu'],
      [WRONG, 'create', 'two', '-o', 'mtu=1500', '-o', 'mtu=1500'],
      [WRONG, 'create', 'two', '-d', 'macvlan'],
      [WRONG, 'create', 'two', '-d', ''],
      [WRONG, 'create', 'two', '--subnet', '10.2.0.1/24'],
      [WRONG, 'create', 'two', '--subnet', '010.2.0.0/24'],
      [WRONG, 'create', 'two', '--subnet', '10.2/16'],
      [WRONG, 'create', 'two', '--subnet', '10.2.0.0'],
      [WRONG, 'create', 'two', '--subnet', '10.2.0.0/33'],
      [WRONG, 'create', 'two', '--subnet', '10.2.0.0/31'],
      [WRONG, 'create', 'two', '--subnet', 'fe80::1%eth0/64'],
      [WRONG, 'create', 'two', '--subnet', '10.2.0.0/24', '--subnet', '10.3.0.0/24'],
      [WRONG, 'create', 'two', '--subnet', '10.2.0.0/24', '--gateway', '10.3.0.1'],
      [WRONG, 'create', 'two', '--subnet', '10.2.0.0/24', '--gateway', '10.2.0.0'],
      [WRONG, 'create', 'two', '--gateway', '10.2.0.1'],
      [WRONG, 'create', 'two', '--ip-range', '10.2.0.0/24'],
      [WRONG, 'create', 'two', '--subnet', '10.2.0.0/24', '--ip-range', '10.2.0.0/16'],
      [WRONG, 'create', 'two', '--subnet', '10.2.0.0/24', '--ip-range', '10.3.0.0/24'],
      [WRONG, 'create', 'two', '--subnet', '10.2.0.0/24', '--aux-address', 'a=10.3.0.1'],
      [WRONG, 'create', 'two', '--subnet', '10.2.0.0/24', '--aux-address', '10.2.0.5'],
      [
        WRONG,
        'create',
        'two',
        '--subnet',
        '10.2.0.0/24',
        '--aux-address',
        'a=10.2.0.5',
        '--aux-address',
        'a=10.2.0.6',
      ],
      [WRONG, 'create', 'two', '--ipv4=false'],
      [WRONG, 'create', 'two', '--label', '=x'],
      [WRONG, 'create', 'a/b'],
      [WRONG, 'create', '..'],
      [WRONG, 'create', ''],
      [WRONG, 'create', '-x'],
      [WRONG, 'create', 'a\nb'],
      [WRONG, 'create', 'a\x1b[2J'],
      [WRONG, 'create', 'x'.repeat(300)],
    ])
    await tnet.must('network', 'rm', 'one')
    await run('ip', ['link', 'del', 'lower'])
  })

  t.test(`${tnet.name}: connect, disconnect, rm, inspect, export`, async t => {
    await using web = await makeNetns('web')
    await using db = await makeNetns('db')
    await tnet.must('network', 'create', '--subnet', '10.2.0.0/30', 'tiny')
    await tnet.must(
      'network',
      'create',
      '--subnet',
      '10.3.0.0/24',
      '--ip-range',
      '10.3.0.128/25',
      '--aux-address',
      'printer=10.3.0.9',
      'front',
    )
    await tnet.must('network', 'connect', 'tiny', web.path)
    await tnet.must('network', 'connect', '--ip', '10.3.0.7', '--ifname', 'lan0', 'front', web.path)
    const connect = (...words: string[]): Row => [WRONG, 'connect', 'front', db.path, ...words]
    const failing = (...words: string[]): Row => [FAILED, 'connect', 'front', db.path, ...words]
    await refusedAll(t, tnet, [
      [FAILED, 'connect', 'front', web.path],
      [FAILED, 'connect', 'tiny', db.path],
      [FAILED, 'connect', 'nope', db.path],
      [FAILED, 'connect', 'front', 'nope'],
      [WRONG, 'connect', 'front', '/run/netns/nope'],
      [WRONG, 'connect', 'front', '/etc/passwd'],
      [WRONG, 'connect', 'front', '/run/netns'],
      [WRONG, 'connect', 'front', '/proc/self/ns/net'],
      [WRONG, 'connect', 'front', '/proc/self/ns/mnt'],
      [WRONG, 'connect', 'front', `pid:${process.pid}`],
      [WRONG, 'connect', 'front', 'pid:'],
      [WRONG, 'connect', 'front', 'pid:0'],
      [WRONG, 'connect', 'front', 'pid:-1'],
      [WRONG, 'connect', 'front', '..'],
      [WRONG, 'connect', 'front', 'x'.repeat(300)],
      failing('--ip', '10.3.0.7'),
      connect('--ip', '10.3.0.1'),
      connect('--ip', '10.3.0.9'),
      connect('--ip', '10.3.0.0'),
      connect('--ip', '10.3.0.255'),
      connect('--ip', '10.4.0.1'),
      connect('--ip', '010.3.0.8'),
      connect('--ip', '10.3.8'),
      connect('--ip', 'fd00::1'),
      connect('--ip6', '10.3.0.8'),
      connect('--ip6', 'fd00::1'),
      connect('--mac', '1:2:3'),
      connect('--mac', '01:00:00:00:00:01'),
      connect('--mac', '00:00:00:00:00:00'),
      connect('--ifname', ''),
      connect('--ifname', 'a/b'),
      connect('--ifname', '..'),
      connect('--ifname', 'x'.repeat(16)),
      failing('--ifname', 'lo'),
      [FAILED, 'disconnect', 'front', db.path],
      [FAILED, 'disconnect', 'nope', web.path],
      [FAILED, 'rm', 'front'],
      [FAILED, 'rm', 'nope'],
      [FAILED, 'export', 'nope'],
    ])
    const refusal = async (...words: string[]) => (await tnet.run(['network', 'connect', ...words])).stderr
    t.match(await refusal('--ip6', 'fd00::1', 'front', db.path), 'front has no IPv6 subnet')
    t.match(await refusal('--ip', '10.4.0.1', 'front', db.path), /in 10\.3\.0\.0\/24, got "10\.4\.0\.1"$/m)
    const users = await tnet.run(['network', 'rm', 'front'])
    t.match(users.stderr, web.path, 'who is on it is named')
    const [found, missing] = [
      await tnet.run(['network', 'inspect', 'front', 'nope']),
      await tnet.run(['network', 'inspect', 'nope']),
    ]
    t.strictSame([found.code, missing.code, missing.stdout], [FAILED, FAILED, '[]\n'])
    t.match(JSON.parse(found.stdout), [{ Name: 'front' }], 'what there is is shown')
    t.match(await tnet.run(['network', 'rm', '-f', 'nope']), { code: 0, stdout: '', stderr: '' })
    t.match(await tnet.run(['network', 'disconnect', '-f', 'front', db.path]), {
      code: 0,
      stdout: '',
      stderr: '',
    })
    const mac = '02:00:00:00:00:07'
    await tnet.must('network', 'disconnect', 'front', web.path)
    t.match(await tnet.run(['network', 'connect', '--mac', mac, 'front', web.path]), { code: 0, stderr: '' })
    const same = await tnet.run(['network', 'connect', '--mac', mac, 'front', db.path])
    t.match(same, { code: 0, stderr: /^tnet: [^\n]*02:00:00:00:00:07\n$/ }, 'two of one MAC address')
    await tnet.must('network', 'disconnect', 'front', db.path)
    for (const network of ['tiny', 'front']) await tnet.must('network', 'disconnect', network, web.path)
    await tnet.must('network', 'rm', 'tiny', 'front')
  })

  t.test(`${tnet.name}: an id of which there are several beginnings`, async t => {
    const names = Array.from({ length: 17 }, (_, index) => `n${index}`)
    const ids: string[] = []
    for (const name of names) ids.push((await tnet.must('network', 'create', name)).trim())
    const [digit] = [...'0123456789abcdef'].filter(each => ids.filter(id => id.startsWith(each)).length > 1)
    t.equal((await tnet.run(['network', 'inspect', digit ?? ''])).code, WRONG)
    t.equal((await tnet.run(['network', 'rm', digit ?? ''])).code, WRONG)
    await tnet.must('network', 'rm', ...ids)
  })

  t.test(`${tnet.name}: state that is damaged, of others, full or read-only`, async t => {
    const made = (name: string) => {
      const path = scratch(`${tnet.name}-${name}`)
      mkdirSync(path, { mode: 0o700 })
      return path
    }
    const status = async (stateDir: string, ...words: string[]) => {
      const { code, stderr } = await tnet.run(['network', ...words], { env: { TNET_STATE_DIR: stateDir } })
      t.match(stderr, /^tnet: [^\n]+\n( {2}[^\n]+\n)?$/)
      return code
    }
    const damaged = made('damaged')
    writeFileSync(`${damaged}/tnet.db`, 'this is no database')
    for (const words of [['ls'], ['create', 'a'], ['prune', '-f']])
      t.equal(await status(damaged, ...words), FAILED)

    const shared = made('shared')
    chmodSync(shared, 0o777)
    t.equal(await status(shared, 'create', 'a'), FAILED)

    const planted = `${made('planted')}/link`
    await run('ln', ['-s', made('elsewhere'), planted])
    t.equal(await status(planted, 'create', 'a'), FAILED)

    const readOnly = made('read-only')
    await run('mount', ['-t', 'tmpfs', '-o', 'ro,mode=700', 'tnet', readOnly])
    t.equal(await status(readOnly, 'create', 'a'), FAILED)
    await run('umount', [readOnly])

    const frozen = made('frozen')
    await run('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tnet', frozen])
    const env = { TNET_STATE_DIR: frozen }
    t.equal((await tnet.run(['network', 'create', 'kept'], { env })).code, 0)
    await attempt('dd', ['if=/dev/zero', `of=${frozen}/filling`, 'bs=1k'])
    const reads = async (why: string) => {
      t.match(await tnet.run(['network', 'ls'], { env }), { code: 0, stdout: 'kept', stderr: '' }, why)
      t.match(await tnet.run(['network', 'inspect', 'kept'], { env }), { code: 0, stderr: '' }, why)
      // Its status is about all namespaces of the machine, those of others too.
      t.notMatch((await tnet.run(['debug', 'veth'], { env })).stderr, 'store', why)
      t.equal(await status(frozen, 'create', 'b'), FAILED)
      t.equal(await status(frozen, 'rm', 'kept'), FAILED)
    }
    await reads('a full file system')
    await run('mount', ['-o', 'remount,bind,ro', frozen])
    await reads('a read-only file system')
    await run('mount', ['-o', 'remount,bind,rw', frozen])
    await run('rm', [`${frozen}/filling`])
    t.equal((await tnet.run(['network', 'rm', 'kept'], { env })).code, 0)
    await run('umount', [frozen])

    const full = made('full')
    await run('mount', ['-t', 'tmpfs', '-o', 'size=16k,mode=700', 'tnet', full])
    t.equal(await status(full, 'create', 'a'), FAILED)
    await run('umount', [full])
    t.notMatch(await run('ip', ['link']), 'br-')
  })
}

t.test('another user is told to be root', async t => {
  if (commandLines().length < 2) return t.pass('the executable is not built')
  const user = ['--reuid=65534', '--regid=65534', '--clear-groups']
  const able = await attempt('setpriv', [...user, EXECUTABLE, 'version'])
  if (able.code !== 0) return t.pass('there is no other user here who may run the executable')
  await executable.must('network', 'create', 'front')
  await executable.must('sandbox', 'create', 'web')
  for (const line of [
    'network ls',
    'network create a',
    'network rm front',
    'sandbox create a',
    'debug veth',
  ]) {
    const { code, stderr } = await attempt('setpriv', [...user, EXECUTABLE, ...line.split(' ')])
    t.equal(code, line === 'debug veth' ? 2 : FAILED, line)
    t.match(stderr, 'run as root', line)
    t.notMatch(stderr, 'SystemError', line)
  }
  await executable.must('sandbox', 'rm', 'web')
  await executable.must('network', 'rm', 'front')
})

t.test('without CAP_NET_ADMIN', async t => {
  if (commandLines().length < 2) return t.pass('the executable is not built')
  const before = await snapshot()
  const drop = ['--bounding-set=-net_admin', '--inh-caps=-all', '--ambient-caps=-all']
  const { code, stderr } = await attempt('setpriv', [...drop, EXECUTABLE, 'network', 'create', 'a'])
  t.equal(code, FAILED, stderr)
  t.equal(await snapshot(), before)
})
