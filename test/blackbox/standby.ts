// Calls that processes which stand by serve, in place of one that the launcher starts: what a runtime sees is the same.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { chain, gc } from '../harness/chain.ts'
import { type Feature, isolated, lacks, makeNetns } from '../harness/namespaces.ts'
import { callEnvironment, subjects } from '../harness/plugins.ts'
import { until } from '../harness/run.ts'
import { bridged, type Sample, samples } from '../harness/samples.ts'
import { copyOf, SOCKET, type Standby, standbyOf, startable } from '../harness/standby.ts'
import { withoutHistory } from '../harness/snapshot.ts'
import { scratch } from '../harness/tools.ts'
import { makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const ours = subjects().find(({ name }) => name === 'tnet')
const subject = ours === undefined ? undefined : copyOf(ours)

/** A test in a world where only those who stand by can serve a call, as long as nothing else is said. */
function standbyTest(
  name: string,
  body: (t: Test, world: World, own: Standby) => Promise<void>,
  skip: false | string = false,
): void {
  t.test(name, { timeout: 300_000, skip }, async t => {
    if (subject === undefined) return t.pass('the reference alone was asked for')
    startable(subject, true)
    await using world = await makeWorld(subject)
    await using own = await standbyOf(world.subject.dir, 1, world.host)
    await own.workers(1)
    startable(subject, false)
    await body(t, world, own)
    startable(subject, true)
  })
}

/** An IPAM plugin that notes what it was called with, after `first`. */
function writeStranger(name: string, first = ''): string {
  const path = join(subject?.dir ?? '', name)
  const answer = `echo '{ "cniVersion": "1.0.0", "ips": [{ "address": "10.1.0.9/24" }] }'`
  const text = `#!/bin/sh\n${first}\n{ env | sort; pwd; cat; } > ${path}.$CNI_COMMAND\n${answer}\n`
  writeFileSync(path, text, { mode: 0o755 })
  return path
}

const CONTAINER = 'one1'
const VERSION = { cniVersion: '1.1.0' }

async function each(world: World, sample: Sample): Promise<string[]> {
  const container = { containerId: CONTAINER, netns: world.sandbox.path }
  const one = chain(world, sample, container, VERSION)
  await one.add()
  const answers = [
    ...(await one.check()),
    await world.call('STATUS', { ...world.config(VERSION), ...bridged }, { type: sample.type }),
    ...(await gc(world, sample, [container])),
    ...(await one.del()),
    ...(await one.del({ netns: '' })),
    await world.call('VERSION', VERSION, { type: sample.type }),
    await world.call('DEL', '{', { type: sample.type }),
  ]
  return answers.map(({ code, stdout, stderr }) => `${code} ${stdout} ${stderr}`)
}

for (const sample of samples) {
  const skip = sample.needs === undefined ? false : lacks(sample.needs)
  t.test(`every verb of ${sample.type}, by one process`, { skip, timeout: 300_000 }, async t => {
    if (subject === undefined) return
    await using world = await makeWorld(subject)
    await sample.prepare?.(world)
    await sample.devices?.(world, [CONTAINER])
    await sample.furnish?.(world.sandbox, world)
    startable(subject, true)
    const alone = await each(world, sample)
    await using own = await standbyOf(world.subject.dir, 1, world.host)
    const before = withoutHistory(await world.snapshot())
    const workers = await own.workers(1)
    startable(subject, false)
    t.strictSame(await each(world, sample), alone)
    t.strictSame(await each(world, sample), alone)
    t.strictSame(await own.workers(1), workers, 'it is the same process still: nothing was left open')
    t.equal(withoutHistory(await world.snapshot()), before, 'nothing is left')
    startable(subject, true)
  })
}

standbyTest(
  'environment, directory and input of the caller reach the programs that it starts',
  async (t, world) => {
    const stranger = writeStranger('stranger')
    const config = world.config({ ipam: { type: 'stranger' }, more: 'x'.repeat(100_000) })
    const call = async () => {
      const env = {
        LD_PRELOAD: '/none',
        BUN_OPTIONS: '--none',
        MINE: 'a=b\n c',
        EMPTY: '',
        TNET_DEBUG: 'steps',
      }
      const { code, stderr } = await world.call('ADD', config, { env, cwd: '/usr/share' })
      t.equal(code, 0, stderr)
      t.match(stderr, 'tnet bridge: ADD', 'what is asked of this call')
      t.equal((await world.call('DEL', config)).code, 0)
      return readFileSync(`${stranger}.ADD`, 'utf8')
    }
    const served = await call()
    startable(world.subject, true)
    rmSync(SOCKET)
    t.equal(served, await call())
    t.match(served, '/usr/share')
  },
)

standbyTest('a launcher that is killed takes the call with it', async (t, world, own) => {
  const started = scratch('started')
  writeStranger('slow', `touch ${started}; sleep 20`)
  const [worker = 0] = await own.workers(1)
  const config = world.config({ ipam: { type: 'slow' } })
  const before = await world.snapshot()
  const env = callEnvironment(world.subject.dir, { verb: 'ADD', config, netns: world.sandbox.path })
  const launcher = spawn('nsenter', [`--net=${world.host.path}`, `${world.subject.dir}/bridge`], { env })
  const ended = once(launcher, 'exit')
  launcher.stdin.end(JSON.stringify(config))
  await until('the call is under way', async () => existsSync(started), 30_000)
  t.ok(existsSync(`/proc/${worker}`))
  launcher.kill('SIGKILL')
  await ended
  await until('the process that served has ended', async () => !existsSync(`/proc/${worker}`), 10_000)
  startable(world.subject, true)
  const [next] = await own.workers(1)
  t.not(next, worker, 'another one stands by')
  writeStranger('slow')
  t.equal((await world.call('DEL', config)).code, 0)
  const lines = (text: string) => text.split('\n').filter(line => !line.includes('cni0'))
  t.strictSame(lines(await world.snapshot()), lines(before), 'one DEL, and nothing is left')
})

const PLACES: Readonly<Record<string, readonly string[]>> = {
  'without a capability': ['setpriv', '--bounding-set', '-net_admin', '--inh-caps', '-net_admin'],
  'as another user': ['setpriv', '--reuid', '65534', '--clear-groups'],
  'that may gain no privileges': ['setpriv', '--no-new-privs'],
  'in another network namespace': ['unshare', '--net'],
  'in another mount namespace': ['unshare', '--mount'],
  'in another user namespace': ['unshare', '--user', '--map-root-user'],
  'with another umask': ['sh', '-c', 'umask 077; exec "$@"', 'sh'],
}

const NEEDS: Readonly<Record<string, Feature>> = {
  'as another user': 'second user',
  'in another user namespace': 'user namespace',
}

for (const [where, before] of Object.entries(PLACES)) {
  const body = async (t: Test, world: World) => {
    const program = `${world.subject.dir}/bridge`
    const env = ['-i', `PATH=${process.env['PATH']}`, 'CNI_COMMAND=VERSION']
    const call = () => world.host.attempt('env', [...env, ...before, program])
    const refused = await call()
    t.not(refused.code, 0)
    t.match(refused.stderr, 'cannot execute')
    startable(world.subject, true)
    t.match(await call(), { code: 0, stdout: /supportedVersions/ })
  }
  const needs = NEEDS[where]
  const skip = needs !== undefined && lacks(needs)
  standbyTest(`a caller ${where} has to do it itself`, body, skip)
}

standbyTest('paths that mean the caller itself, and a stream that is closed', async (t, world) => {
  const refuses = async (netns: string) => {
    const { stderr } = await world.call('ADD', world.config(), { netns })
    t.match(stderr, 'cannot execute', netns)
  }
  await refuses('/proc/self/fd/9')
  await refuses('/proc/thread-self/ns/net')
  await refuses('/dev/fd/9')
  const closed = ['-c', `CNI_COMMAND=VERSION exec ${world.subject.dir}/bridge <&-`]
  t.match((await world.host.attempt('sh', closed)).stderr, 'cannot execute')
  startable(world.subject, true)
  t.equal((await world.host.attempt('sh', closed)).code, 0)
})

standbyTest('an input that does not block leaves nothing behind', async (t, world, own) => {
  const workers = await own.workers(1)
  const script = `import fcntl, os, subprocess, time
r, w = os.pipe()
fcntl.fcntl(r, fcntl.F_SETFL, os.O_NONBLOCK)
env = { 'CNI_COMMAND': 'STATUS' }
child = subprocess.Popen(['${world.subject.dir}/bridge'], stdin=r, env=env)
os.close(r)
for part in ['{ "cniVersion": "1.1.0", ', '"name": "n", ', '"type": "bridge" }']:
    time.sleep(0.1)
    os.write(w, part.encode())
os.close(w)
raise SystemExit(child.wait())`
  for (const _ of [1, 2, 3]) {
    const { code, stdout, stderr } = await world.host.attempt('python3', ['-c', script])
    t.equal(code, 0, stdout + stderr)
  }
  t.strictSame(await own.workers(1), workers)
})

standbyTest('a process that dies during a call', async (t, world, own) => {
  const [worker = 0] = await own.workers(1)
  const started = scratch('dying')
  writeStranger('dies', `touch ${started}; sleep 1`)
  const call = world.call('ADD', world.config({ ipam: { type: 'dies' } }))
  await until('the call is under way', async () => existsSync(started), 30_000)
  process.kill(worker, 'SIGKILL')
  const { code, stdout, stderr } = await call
  t.strictSame([code, stdout], [1, ''])
  t.match(stderr, 'has ended before the call did')
  startable(world.subject, true)
  writeStranger('dies')
  t.equal((await world.call('DEL', world.config({ ipam: { type: 'dies' } }))).code, 0)
  const { ports, sandbox, leases } = await world.facts()
  t.strictSame(
    { ports, sandbox, leases },
    { ports: [], sandbox: {}, leases: [] },
    'one DEL, and nothing is left',
  )
})

standbyTest('an IPAM plugin that prints without end leaves nothing open', async (t, world, own) => {
  const workers = await own.workers(1)
  writeStranger('prints', 'exec yes')
  for (const _ of [1, 2]) {
    const { code, json } = await world.call('ADD', world.config({ ipam: { type: 'prints' } }))
    t.equal(code, 1)
    t.match(json?.['msg'], 'it printed more than')
  }
  t.strictSame(await own.workers(1), workers)
  t.equal(readFileSync(`/proc/${workers[0]}/task/${workers[0]}/children`, 'utf8'), '')
})

standbyTest('nobody waits long for one that does not answer', async (t, world, own) => {
  const [worker = 0] = await own.workers(1)
  process.kill(worker, 'SIGSTOP')
  const begun = Date.now()
  t.match((await world.call('VERSION', VERSION)).stderr, 'cannot execute')
  t.ok(Date.now() - begun < 10_000)
  startable(world.subject, true)
  t.equal((await world.call('VERSION', VERSION)).code, 0)
  startable(world.subject, false)
  process.kill(worker, 'SIGCONT')
  t.equal((await world.call('VERSION', VERSION)).code, 0, 'those that gave up are passed by')
  t.strictSame(await own.workers(1), [worker])
})

standbyTest('a runtime that was installed meanwhile runs what is new', async (t, world) => {
  const file = join(world.subject.dir, 'tnet-runtime')
  copyFileSync(file, `${file}.new`)
  startable(world.subject, true)
  renameSync(`${file}.new`, file)
  startable(world.subject, false)
  t.match((await world.call('VERSION', VERSION)).stderr, 'cannot execute')
  startable(world.subject, true)
  t.equal((await world.call('VERSION', VERSION)).code, 0)
})

standbyTest('a message that is none of a launcher', async (t, world, own) => {
  const workers = await own.workers(1)
  const script = `import array, os, socket, sys
def ask(message, fds):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1000000)
    s.connect('${SOCKET}')
    assert s.recv(9) == b'A'
    s.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else [])
    return s.recv(9)
import stat
of = os.stat('${world.subject.dir}/tnet-runtime')
runtime = of.st_dev.to_bytes(8, 'little') + of.st_ino.to_bytes(8, 'little')
for message, fds in [(b'x', []), (b'', []), (b'0' * 17, [0, 1, 2, 0]), (runtime + b'bridge\\0', [0, 1, 2]), (runtime, [0, 1, 2, 0]),
                     (runtime + b'bridge', [0, 1, 2, 0]), (runtime + b'bridge\\0', [0, 1, 2, 0]), (runtime + b'bridge\\0', [0] * 20),
                     (runtime + b'x' * 300000 + b'\\0', [0, 1, 2, 0])]:
    print(ask(message, fds))`
  const { stdout, stderr } = await world.host.attempt('python3', ['-c', script])
  t.equal(stderr, '')
  t.equal(stdout, "b'R'\n".repeat(9))
  t.equal((await world.call('VERSION', VERSION)).code, 0)
  t.strictSame(await own.workers(1), workers)
})

standbyTest('it is asked to end: what is under way is finished', async (t, world, own) => {
  const started = scratch('started-again')
  const gate = scratch('gate')
  writeStranger('waits', `touch ${started}; until [ -e ${gate} ]; do sleep 0.05; done`)
  const call = world.call('ADD', world.config({ ipam: { type: 'waits' } }))
  await until('the call is under way', async () => existsSync(started), 30_000)
  const ended = own.end()
  await until('the name is gone', async () => !existsSync(SOCKET))
  writeFileSync(gate, '')
  const { code, stdout } = await call
  t.equal(code, 0, stdout)
  t.equal(await ended, 0)
  startable(world.subject, true)
  t.equal((await world.call('DEL', world.config({ ipam: { type: 'waits' } }))).code, 0)
})

standbyTest('only one stands by; what a killed one left is taken over', async (t, world, own) => {
  startable(world.subject, true)
  const second = await world.host.attempt(`${world.subject.dir}/tnet`, ['standby'])
  t.equal(second.code, 1)
  t.match(second.stderr, 'another one runs')
  const orphans = await own.workers(1)
  t.equal(await own.end('SIGKILL'), 'SIGKILL')
  t.ok(lstatSync(SOCKET).isSocket())
  await using next = await standbyOf(world.subject.dir, 1, world.host)
  const [worker = 0] = await next.workers(1)
  startable(world.subject, false)
  t.equal((await world.call('VERSION', VERSION)).code, 0)
  await until(
    'orphans end by themselves',
    async () => orphans.every(pid => pid !== worker && !existsSync(`/proc/${pid}`)),
    20_000,
  )
})

standbyTest('a process serves a thousand calls, then a fresh one does', async (t, world, own) => {
  const [first = 0] = await own.workers(1)
  const call = (times: number) => {
    const script = `for i in $(seq ${times}); do ${world.subject.dir}/bridge > /dev/null || exit 1; done`
    const env = ['-i', 'PATH=/usr/bin:/bin', 'CNI_COMMAND=VERSION']
    return world.host.attempt('env', [...env, 'sh', '-c', script], { timeout: 240_000 })
  }
  t.equal((await call(999)).code, 0)
  t.strictSame(await own.workers(1), [first])
  startable(world.subject, true)
  t.equal((await call(1)).code, 0)
  await until('the first one has ended', async () => !existsSync(`/proc/${first}`), 10_000)
  const [second] = await own.workers(1)
  t.not(second, first)
})

/** Fields of /proc/PID/stat, the first of which is 1. */
function field(pid: number, number: number): number {
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[number - 3])
}

const groupOf = (pid: number) => field(pid, 5)
/** User time, in ticks. */
const timeOf = (pid: number) => field(pid, 14)

t.test('more callers than processes', { timeout: 300_000 }, async t => {
  if (subject === undefined) return
  startable(subject, true)
  await using world = await makeWorld(subject)
  await using own = await standbyOf(subject.dir, 2, world.host)
  await own.workers(2)
  const workers = await own.workers(2)
  t.ok(
    workers.every(pid => groupOf(pid) === pid),
    'what a service manager tells the group is not for them',
  )
  const before = workers.map(timeOf)
  const config = world.config({ ipam: { type: 'host-local', subnet: '10.1.0.0/24' } })
  const sandboxes = await Promise.all(Array.from({ length: 16 }, () => makeNetns()))
  const all = (verb: 'ADD' | 'DEL') =>
    Promise.all(
      sandboxes.map(({ name, path }) => world.call(verb, config, { containerId: name, netns: path })),
    )
  const added = await all('ADD')
  t.strictSame(
    added.map(({ code }) => code),
    added.map(() => 0),
  )
  const given = added.map(({ json }) => (json as { ips: { address: string }[] }).ips[0]?.address)
  t.equal(new Set(given).size, sandboxes.length, 'no address twice')
  t.ok((await all('DEL')).every(({ code }) => code === 0))
  t.strictSame((await world.facts()).leases, [])
  t.ok(
    (await own.workers(2)).every((pid, index) => timeOf(pid) > (before[index] ?? 0)),
    'both have served',
  )
  for (const sandbox of sandboxes) await sandbox.remove()
})
