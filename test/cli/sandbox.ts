import t from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { commandLines, EXECUTABLE, executable } from '../harness/command-line.ts'
import { isolated } from '../harness/namespaces.ts'
import { attempt, run } from '../harness/run.ts'
import { snapshot } from '../harness/snapshot.ts'
import { scratch } from '../harness/tools.ts'

isolated(import.meta)

for (const tnet of commandLines()) {
  t.test(`${tnet.name}: create, ls, rm`, async t => {
    await tnet.must('sandbox', 'create', 'first')
    await tnet.must('sandbox', 'rm', 'first')
    const before = await snapshot()
    t.equal(await tnet.must('sandbox', 'create', 'web', 'db'), 'web\ndb\n')
    t.equal(await tnet.must('sandbox', 'ls', '-q'), 'db\nweb\n')
    t.strictSame(await tnet.json('sandbox', 'ls', '--format', 'json'), [
      { Name: 'db', Path: '/run/tnet/netns/db', Processes: '0' },
      { Name: 'web', Path: '/run/tnet/netns/web', Processes: '0' },
    ])
    t.match(await tnet.must('sandbox', 'ls'), /^NAME +PATH +PROCESSES\ndb .*\nweb .*\n$/)
    t.match(
      await run('nsenter', ['--net=/run/tnet/netns/web', 'ip', '-o', 'link']),
      /^1: lo: <[^>]*UP[^\n]*\n$/,
    )
    t.equal(await tnet.must('sandbox', 'rm', 'web', 'db'), 'web\ndb\n')
    t.equal(await tnet.must('sandbox', 'ls', '-q'), '')
    t.equal(await snapshot(), before)
  })

  t.test(`${tnet.name}: what is refused changes nothing`, async t => {
    await tnet.must('sandbox', 'create', 'web')
    const before = await snapshot()
    const refused: [status: number, ...words: string[]][] = [
      [1, 'create', 'web'],
      [2, 'create', 'a/b'],
      [2, 'create', '..'],
      [2, 'create', '.'],
      [2, 'create', ''],
      [2, 'create', 'a\nb'],
      [2, 'create', 'a\x1b[2J'],
      [2, 'create', 'x'.repeat(300)],
      [1, 'rm', 'nope'],
      [2, 'rm', '../netns/web'],
      [2, 'rm', 'x'.repeat(300)],
      [1, 'exec', 'nope', 'true'],
      [2, 'exec', '/run/tnet/netns/nope', 'true'],
      [2, 'exec', '/etc/passwd', 'true'],
      [2, 'exec', '/proc/self/ns/mnt', 'true'],
      [2, 'exec', 'pid:0', 'true'],
      [2, 'exec', 'pid:x', 'true'],
      [2, 'exec', 'pid:4194305', 'true'],
      [127, 'exec', 'web', 'no-such-program'],
      [127, 'exec', 'web', '/no/such/program'],
      [127, 'exec', 'web', ''],
      [126, 'exec', 'web', '/etc/passwd'],
      [126, 'exec', 'web', '/etc'],
    ]
    for (const [status, ...words] of refused) {
      const { code, stdout, stderr } = await tnet.run(['sandbox', ...words])
      t.equal(code, status, `${words.join(' ')}: ${stderr}`)
      t.equal(stdout, '')
      t.match(stderr, /^tnet: [^\n]+\n( {2}[^\n]+\n)?$/)
      t.notMatch(stderr, '\x1b')
    }
    t.equal(await snapshot(), before)
    const { code, stdout } = await tnet.run(['sandbox', 'rm', 'nope', 'web'])
    t.strictSame([code, stdout], [1, 'web\n'], 'one that fails does not stop the next')
    const made = await tnet.run(['sandbox', 'create', 'a', 'a', 'a/b', 'c'])
    t.strictSame([made.code, made.stdout], [1, 'a\nc\n'], 'nor when they are made')
    t.strictSame(await tnet.run(['sandbox', 'rm', '-f', 'nope', 'a', 'c']), {
      code: 0,
      signal: null,
      stdout: 'a\nc\n',
      stderr: '',
    })
    t.equal((await tnet.run(['sandbox', 'rm', '-f', 'a/b'])).code, 2)
  })
}

t.test('exec', { skip: existsSync(EXECUTABLE) ? false : 'dist/bin is not built' }, async t => {
  const tnet = executable
  await tnet.must('sandbox', 'create', 'web')
  t.teardown(() => tnet.must('sandbox', 'rm', 'web'))

  t.equal((await tnet.run(['sandbox', 'exec', 'web', 'sh', '-c', 'exit 7'])).code, 7)
  t.equal((await tnet.run(['sandbox', 'exec', 'web', '--', 'sh', '-c', 'kill -TERM $$'])).signal, 'SIGTERM')
  t.equal((await tnet.run(['sandbox', 'exec', 'web', 'cat'], { input: 'through' })).stdout, 'through')
  t.equal((await tnet.run(['sandbox', 'exec', 'web', 'pwd'], { cwd: '/usr' })).stdout, '/usr\n')
  t.equal(
    await tnet.must('sandbox', 'exec', 'web', 'echo', '--help', '-f', '--'),
    '--help -f --\n',
    'options are the program’s',
  )
  t.match(await tnet.must('sandbox', 'exec', '/run/tnet/netns/web', 'ip', '-br', 'link'), /^lo .*\n$/)
  t.equal(await tnet.must('sandbox', 'exec', 'web', 'ls', '/sys/class/net'), 'lo\n', '/sys shows the sandbox')
  t.equal(
    await tnet.must('sandbox', 'exec', 'web', 'readlink', '/proc/self/ns/net'),
    await run('nsenter', ['--net=/run/tnet/netns/web', 'readlink', '/proc/self/ns/net']),
  )

  const script = scratch('script')
  writeFileSync(script, 'echo\n', { mode: 0o755 })
  t.equal((await tnet.run(['sandbox', 'exec', 'web', script])).code, 126, 'no program')
  writeFileSync(script, '#!/no/such/interpreter\n')
  t.equal((await tnet.run(['sandbox', 'exec', 'web', script])).code, 127, 'no interpreter')

  const env = ['FOO=bar', 'LD_LIBRARY_PATH=/x', 'NODE_OPTIONS=--x', 'PATH=/usr/bin:/bin', 'TNET_X=1']
  const printed = await run('env', ['-i', ...env, EXECUTABLE, 'sandbox', 'exec', 'web', 'env'])
  t.strictSame(printed.trim().split('\n').sort(), env, 'the caller’s environment, whole')

  const pipe = await tnet.must('sandbox', 'exec', 'web', 'sh', '-c', 'yes | head -n 1; cat /proc/self/status')
  t.match(pipe, /^y\n/)
  t.match(pipe, /SigIgn:\t0+\n/, 'no signal is ignored')
  const flags = 'for fd in 0 1 2; do grep flags /proc/self/fdinfo/$fd; done'
  const blocking = (await tnet.must('sandbox', 'exec', 'web', 'bash', '-c', flags)).match(/[0-7]+$/gm) ?? []
  t.strictSame(
    blocking.map(text => parseInt(text, 8) & 0o4000),
    [0, 0, 0],
    'standard streams block',
  )
})

t.test('a process in a sandbox is counted, and keeps its namespace when the name goes', async t => {
  for (const tnet of commandLines()) {
    await tnet.must('sandbox', 'create', 'web')
    const child = spawn('nsenter', ['--net=/run/tnet/netns/web', 'sh', '-c', 'echo ready; exec sleep 60'])
    await once(child.stdout, 'data')
    t.match(await tnet.json('sandbox', 'ls', '--format', 'json'), [{ Name: 'web', Processes: '1' }])
    await tnet.must('sandbox', 'rm', 'web')
    t.match(readFileSync(`/proc/${child.pid}/net/dev`, 'utf8'), /lo:/)
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
})

t.test('planted links where sandboxes live', async t => {
  for (const tnet of commandLines()) {
    const runDir = scratch(`planted-${tnet.name}`)
    const elsewhere = scratch(`elsewhere-${tnet.name}`)
    mkdirSync(elsewhere)
    mkdirSync(runDir)
    symlinkSync(elsewhere, `${runDir}/netns`)
    const { code } = await tnet.run(['sandbox', 'create', 'web'], { env: { TNET_RUN_DIR: runDir } })
    t.equal(code, 1)
    t.equal(await run('ls', ['-A', elsewhere]), '')
    symlinkSync(elsewhere, `${runDir}-link`)
    t.equal(
      (await tnet.run(['sandbox', 'create', 'web'], { env: { TNET_RUN_DIR: `${runDir}-link` } })).code,
      1,
    )
  }
})

t.test('without the right to make namespaces', async t => {
  if (!existsSync(EXECUTABLE)) return t.pass('the executable is not built')
  const drop = ['--bounding-set=-sys_admin,-net_admin', '--inh-caps=-all', '--ambient-caps=-all']
  const { code, stderr } = await attempt('setpriv', [...drop, EXECUTABLE, 'sandbox', 'create', 'web'])
  t.equal(code, 1, stderr)
  t.equal(await run('ls', ['-A', '/run/tnet/netns']), '')
})
