// What the command line makes of words alone: nothing here needs the kernel or may touch the state.
import t from 'tap'
import { existsSync } from 'node:fs'
import { PassThrough, Writable } from 'node:stream'
import { main } from '../../src/cli/main.ts'
import { commandLines, sources } from '../harness/command-line.ts'
import { temporary } from '../harness/temporary.ts'
import manifest from '../../package.json' with { type: 'json' }

const COMMANDS = [
  'network create',
  'network ls',
  'network inspect',
  'network rm',
  'network prune',
  'network connect',
  'network disconnect',
  'network export',
  'sandbox create',
  'sandbox ls',
  'sandbox rm',
  'sandbox exec',
  'debug veth',
  'install',
  'standby',
  'completion',
  'version',
]

for (const tnet of commandLines()) {
  t.test(`${tnet.name}: help of every command, with examples`, async t => {
    for (const command of COMMANDS) {
      const { code, stdout, stderr } = await tnet.run([...command.split(' '), '--help'])
      t.equal(code, 0, command)
      t.ok(stdout.includes(`tnet ${command}`), `${command}: names itself`)
      t.ok(stdout.includes('Examples:'), `${command}: has examples`)
      t.equal(stderr, '')
    }
    for (const group of [[], ['network'], ['sandbox'], ['debug']]) {
      t.equal((await tnet.run([...group, '--help'])).code, 0)
    }
  })

  t.test(`${tnet.name}: the version is that of the package`, async t => {
    t.equal(await tnet.must('version'), `tnet ${manifest.version}\n`)
    t.equal(await tnet.must('--version'), `${manifest.version}\n`)
    t.strictSame(await tnet.json('version', '--format', 'json'), [{ Version: manifest.version }])
  })
}

t.test('wrong usage: status 2, one line and where to look, nothing on standard output', async t => {
  using folder = temporary()
  const env = { TNET_RUN_DIR: `${folder.path}/run`, TNET_STATE_DIR: `${folder.path}/state` }
  const wrong = [
    [],
    ['network'],
    ['nope'],
    ['network', 'nope'],
    ['network', 'create'],
    ['network', 'create', 'a', 'b'],
    ['network', 'create', 'a', '--nope'],
    ['network', 'create', 'a', '--subnet'],
    ['network', 'ls', '--format', 'yaml'],
    ['network', 'ls', '--format', '{{.ID}}'],
    ['network', 'ls', '--filter', 'nope=1'],
    ['network', 'ls', '--filter', 'label!=1'],
    ['network', 'ls', '--filter', 'name'],
    ['network', 'prune', '-f', '--filter', 'name=a'],
    ['network', 'connect', 'a'],
    ['network', 'rm'],
    ['network', 'inspect'],
    ['network', 'export', 'a', '--cni-version', '9.9.9'],
    ['sandbox', 'create'],
    ['sandbox', 'rm'],
    ['sandbox', 'exec'],
    ['sandbox', 'exec', 'a'],
    ['sandbox', 'exec', 'a', '--'],
    ['debug', 'veth', '--nope'],
    ['debug', 'veth', 'a', 'b'],
    ['install'],
    ['install', '--bin-dir', '/tmp/nowhere'],
    ['standby'],
    ['standby', '--workers', '0'],
    ['standby', '--workers', 'x'],
    ['completion', 'tcsh'],
  ]
  for (const words of wrong) {
    const { code, stdout, stderr } = await sources.run(words, { env })
    t.equal(code, 2, words.join(' '))
    t.equal(stdout, '', words.join(' '))
    t.match(stderr, /^tnet[^\n]*: [^\n]+\n( {2}[^\n]+\n)?$/, words.join(' '))
  }
  t.notOk(existsSync(env.TNET_RUN_DIR), 'and nothing was made')
  t.notOk(existsSync(env.TNET_STATE_DIR), 'and nothing was made')
})

t.test('a word of TNET_DEBUG that nobody knows is told once', async t => {
  const told = async (words: string) =>
    (await sources.run(['version'], { env: { TNET_DEBUG: words } })).stderr
  t.match(await told('stepz'), /^tnet: [^\n]*"stepz"[^\n]*\n$/)
  t.match(await told('steps,stepz'), /^tnet: [^\n]*\n$/)
  for (const known of ['', 'steps', 'netlink,stack,']) t.equal(await told(known), '')
})

t.test('what a user typed does not reach the terminal as it is', async t => {
  const { stderr } = await sources.run(['sandbox', 'create', 'a\x1b[2J\r\u202e'])
  for (const character of '\x1b\r\u202e') t.notOk(stderr.includes(character))
})

t.test('a reader that has gone is no failure; a full disk is one', async t => {
  const refusing = (code: string) =>
    new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })) })
  const call = async (code: string) => {
    const stderr = new PassThrough()
    const status = await main(['version'], {
      stdin: new PassThrough(),
      stdout: refusing(code),
      stderr,
      env: {},
      cwd: '/',
    })
    return [status, String(stderr.read() ?? '')] as const
  }
  t.strictSame(await call('EPIPE'), [0, ''])
  const [status, told] = await call('ENOSPC')
  t.equal(status, 1)
  t.match(told, 'standard output')
  t.notMatch(told, 'state directory')
})
