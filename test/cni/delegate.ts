import { chmodSync, closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { delegatedIpam } from '../../src/cni/delegate.ts'
import { RelayedError } from '../../src/cni/error.ts'
import type { Version } from '../../src/cni/version.ts'
import type { Ipam } from '../../src/ipam/ipam.ts'

const OWNER = { network: 'n', containerId: 'c', ifname: 'eth0' }
const CONFIG = ' {"name": "n", "ipam": {"type": "theirs"}}\n'

/** Writes down what it was given; answers from the files `<verb>.answer` and `<verb>.status`. */
const SCRIPT = `#!/bin/sh
cd "$FOLDER"
cat > "$CNI_COMMAND.stdin"
env > "$CNI_COMMAND.env"
echo "$CNI_COMMAND" >> calls
cat "$CNI_COMMAND.answer" 2>/dev/null
exit "$(cat "$CNI_COMMAND.status" 2>/dev/null || echo 0)"
`

interface Theirs {
  readonly folder: string
  readonly path: string
  readonly log: string[]
  readonly ipam: Ipam
  calls(): string[]
  read(name: string): string
  answers(verb: string, answer: string, status?: number): void
}

function theirs(t: Test, version: Version = '1.1.0', script = SCRIPT): Theirs {
  const folder = t.testdir({ theirs: '' })
  const path = join(folder, 'theirs')
  writeFileSync(path, script, { mode: 0o755 })
  chmodSync(path, 0o755)
  const env = {
    PATH: process.env['PATH'],
    FOLDER: folder,
    CNI_COMMAND: 'WHATEVER',
    CNI_ARGS: 'A=b',
    'CALLER.LD_BIND_NOW': '1',
    'CALLER.TMPDIR': '/x',
  }
  const log: string[] = []
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  return {
    folder,
    path,
    log,
    read,
    ipam: delegatedIpam({
      path,
      stdin: new TextEncoder().encode(CONFIG),
      env,
      version,
      log: line => log.push(line),
    }),
    calls: () => (existsSync(join(folder, 'calls')) ? read('calls').trim().split('\n') : []),
    answers(verb, answer, status = 0) {
      writeFileSync(join(folder, `${verb}.answer`), answer)
      writeFileSync(join(folder, `${verb}.status`), `${status}`)
    },
  }
}

t.test('identical input; the environment of our caller, but for the verb', async t => {
  const plugin = theirs(t)
  plugin.answers('ADD', '{"ips": [{"address": "10.0.0.2/24"}]}')
  await plugin.ipam.allocate(OWNER)
  t.equal(plugin.read('ADD.stdin'), CONFIG)
  const env = plugin.read('ADD.env').split('\n')
  for (const variable of ['CNI_COMMAND=ADD', 'CNI_ARGS=A=b', 'LD_BIND_NOW=1', 'TMPDIR=/x'])
    t.ok(env.includes(variable), variable)
  t.notOk(env.some(variable => variable.startsWith('CALLER.')))
})

t.test('answers of every version, and none', async t => {
  const plugin = theirs(t)
  const assigned = {
    ips: [{ address: '10.0.0.2/24', gateway: '10.0.0.1' }],
    routes: [{ dst: '0.0.0.0/0' }],
    dns: {},
  }
  for (const answer of [
    '{"cniVersion":"1.1.0","ips":[{"address":"10.0.0.2/24","gateway":"10.0.0.1"}],"routes":[{"dst":"0.0.0.0/0"}]}',
    '{"ips":[{"version":"4","address":"10.0.0.2/24","gateway":"10.0.0.1"}],"routes":[{"dst":"0.0.0.0/0"}],"dns":{}}',
    '{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.2/24","gateway":"10.0.0.1","routes":[{"dst":"0.0.0.0/0"}]}}',
    '{"interfaces":[{"name":"x"}],"ips":[{"interface":0,"address":"10.0.0.2/24","gateway":"10.0.0.1"}],"routes":[{"dst":"0.0.0.0/0"}]}',
  ]) {
    plugin.answers('ADD', answer)
    t.same(await plugin.ipam.allocate(OWNER), assigned, answer)
  }
  plugin.answers('ADD', 'null\n')
  t.same(await plugin.ipam.allocate(OWNER), { ips: [], routes: [], dns: {} })
})

t.test('its errors are relayed, and a failed ADD is followed by a DEL', async t => {
  const plugin = theirs(t)
  plugin.answers('ADD', '{"code": 115, "msg": "no more", "details": "of those"}', 1)
  const error = await plugin.ipam.allocate(OWNER).catch((error: unknown) => error)
  t.ok(error instanceof RelayedError)
  t.match(error, { cni: 115, message: 'no more', details: 'of those' })
  t.same(plugin.calls(), ['ADD', 'DEL'])
  plugin.answers('DEL', '{"code": 5, "msg": "nor that"}', 1)
  t.match(await plugin.ipam.allocate(OWNER).catch((error: unknown) => error), { cni: 115 })
  t.match(plugin.log.join('\n'), /DEL after a failed ADD: .*nor that/)
  t.match(await plugin.ipam.release(OWNER).catch((error: unknown) => error), { cni: 5 })
})

t.test('an answer that is none', async t => {
  for (const [answer, status] of [
    ['', 0],
    ['[]', 0],
    ['{', 0],
    ['{"ips":[{"address":"x"}]}', 0],
    ['', 3],
    ['oops', 1],
    ['{"code":0,"msg":"x"}', 1],
    ['{"code":"7","msg":"x"}', 1],
    ['{"code":7.5,"msg":"x"}', 2],
    ['null', 1],
  ] as const) {
    await t.test(JSON.stringify([answer, status]), async t => {
      const plugin = theirs(t)
      plugin.answers('ADD', answer, status)
      await t.rejects(plugin.ipam.allocate(OWNER), { name: 'TnetError', code: /^(INTERNAL|BAD_CONFIG)$/ })
      t.same(plugin.calls(), ['ADD', 'DEL'])
    })
  }
})

t.test('a verb goes to who knows it by the version', async t => {
  for (const [version, verbs] of [
    ['0.3.1', ['DEL']],
    ['0.4.0', ['DEL', 'CHECK']],
    ['1.0.0', ['DEL', 'CHECK']],
    ['1.1.0', ['DEL', 'CHECK', 'GC', 'STATUS']],
  ] as const) {
    await t.test(version, async t => {
      const { ipam, calls } = theirs(t, version)
      await ipam.release(OWNER)
      await ipam.check(OWNER)
      await ipam.gc('n', [])
      await ipam.status('n')
      t.same(calls(), verbs)
    })
  }
})

t.test('their failure is ours', async t => {
  const plugin = theirs(t)
  for (const verb of ['CHECK', 'GC', 'STATUS', 'DEL']) plugin.answers(verb, '{"code":50,"msg":"down"}', 1)
  for (const call of [
    () => plugin.ipam.check(OWNER),
    () => plugin.ipam.gc('n', []),
    () => plugin.ipam.status('n'),
    () => plugin.ipam.release(OWNER),
  ]) {
    t.match(await call().catch((error: unknown) => error), { cni: 50, message: 'down' })
  }
})

t.test('a program that does not read, dies, floods or is none', async t => {
  const program = (script: string) => theirs(t, '1.1.0', script).ipam.status('n')
  await t.resolves(program('#!/bin/sh\nexec 0<&-\nexit 0\n'), 'closes its input')
  await t.rejects(program('#!/bin/sh\nkill -9 $$\n'), { code: 'INTERNAL', message: /SIGKILL/ })
  await t.rejects(program('#!/bin/sh\nexec cat /dev/zero\n'), { code: 'INTERNAL' }, 'endless output')
  await t.rejects(program('\u007fELF nonsense'), { code: 'INTERNAL' }, 'not for this machine')
  await t.rejects(program('#!/no/such/interpreter\n'), { code: 'INTERNAL' })
})

t.test('what it wrote last to standard error is told where it has no other words', async t => {
  const failure = (script: string) =>
    theirs(t, '1.1.0', `#!/bin/sh\n${script}\n`)
      .ipam.status('n')
      .catch((error: unknown) => error)
  const details = async (script: string) => ((await failure(script)) as { details: string }).details
  t.equal(
    await details("printf 'one\\npanic: no \\033[1metcd\\n' >&2; kill -9 $$"),
    String.raw`on standard error: "one\npanic: no \u001b[1metcd"`,
  )
  t.match(await details('seq 100000 >&2; exit 1'), /^on standard error: "\.{3}.{150,300}\\n100000"$/)
  t.match(await details("printf 'é%.0s' $(seq 2000) >&2; exit 1"), /"\.\.\.é{200}"$/, 'whole characters')
  t.match(await details('echo oops; echo why >&2; exit 1'), /"why"$/, 'what it printed is no JSON')
  t.equal(await details('exit 1'), 'it wrote nothing to standard error')
  const own = await failure(`echo '{"code": 115, "msg": "no more"}'; echo why >&2; exit 1`)
  t.match(own, { cni: 115, message: 'no more', details: '' })
})

t.test('a process that it leaves behind with its standard error is not waited for', async t => {
  const begun = Date.now()
  const { ipam } = theirs(t, '1.1.0', '#!/bin/sh\necho why >&2\nsleep 20 </dev/null >/dev/null &\nexit 1\n')
  const error = await ipam.status('n').catch((error: unknown) => error)
  t.match(error, { details: /why/ })
  t.ok(Date.now() - begun < 15_000)
})

t.test('a file that is just being written is tried again', async t => {
  const plugin = theirs(t)
  const writer = openSync(plugin.path, 'r+')
  setTimeout(() => closeSync(writer), 250)
  await plugin.ipam.status('n')
  t.same(plugin.calls(), ['STATUS'])
})
