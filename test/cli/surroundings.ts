// Neither the directory nor the environment that tnet is called in changes what runs.
import t from 'tap'
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BARE_ENVIRONMENT, EXECUTABLE, executable as tnet } from '../harness/command-line.ts'
import { isolated } from '../harness/namespaces.ts'
import { attempt, run } from '../harness/run.ts'
import { temporary } from '../harness/temporary.ts'

isolated(import.meta)

const skip = existsSync(EXECUTABLE) ? false : 'dist/bin is not built'

t.test('a directory full of traps', { skip }, async t => {
  using folder = temporary()
  const trap = `require('fs').writeFileSync(${JSON.stringify(join(folder.path, 'sprung'))}, '')\n`
  const file = (name: string, text: string) => writeFileSync(join(folder.path, name), text)
  file('trap.js', trap)
  file('bunfig.toml', 'preload = ["./trap.js"]\n[run]\npreload = ["./trap.js"]\n')
  file('.env', 'TNET_RUN_DIR=/nowhere\nTNET_STATE_DIR=/nowhere\n')
  file('tsconfig.json', '{"compilerOptions": {"paths": {"yargs": ["./trap.js"]}}}')
  for (const name of ['yargs', 'ipaddr.js', 'ajv']) {
    mkdirSync(join(folder.path, 'node_modules', name), { recursive: true })
    file(`node_modules/${name}/index.js`, trap)
    file(`node_modules/${name}/package.json`, `{"name": "${name}", "main": "index.js"}`)
  }
  // Whoever opens it waits for ever.
  await run('mkfifo', [join(folder.path, 'package.json')])
  const env = {
    BUN_OPTIONS: `--preload ${folder.path}/trap.js`,
    BUN_BE_BUN: '1',
    BUN_INSPECT: '1',
    NODE_OPTIONS: `--require ${folder.path}/trap.js`,
    NODE_PATH: join(folder.path, 'node_modules'),
    LD_PRELOAD: '/nowhere/preload.so',
    LD_LIBRARY_PATH: folder.path,
    TMPDIR: '/nowhere',
    HOME: folder.path,
    LC_ALL: 'de_DE.UTF-8',
  }
  const call = async (...words: string[]) => {
    const strange = await tnet.run(words, { cwd: folder.path, env })
    const usual = await tnet.run(words)
    t.strictSame(strange, usual, words.join(' '))
    return strange
  }
  await call('version')
  await call('network', '--help')
  await call('network', 'create')
  t.equal((await tnet.run(['sandbox', 'create', 'web'], { cwd: folder.path, env })).stdout, 'web\n')
  await call('sandbox', 'ls')
  await call('network', 'ls')
  t.equal(
    (await tnet.run(['sandbox', 'exec', 'web', 'pwd'], { cwd: folder.path })).stdout,
    `${folder.path}\n`,
  )
  await tnet.must('sandbox', 'rm', 'web')
  t.notOk(existsSync(join(folder.path, 'sprung')))
})

t.test('a directory that is gone', { skip }, async t => {
  using folder = temporary()
  const gone = join(folder.path, 'gone')
  mkdirSync(gone)
  rmdirSync(gone)
  const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" version'
  const { code, stdout } = await attempt('sh', ['-c', script, EXECUTABLE], {
    cwd: folder.path,
    env: BARE_ENVIRONMENT,
  })
  t.equal(code, 0)
  t.match(stdout, /^tnet /)
})

t.test('an argument list without a name', { skip }, async t => {
  const { code } = await attempt('bash', ['-c', 'exec -a "" "$0" version', EXECUTABLE], {
    env: BARE_ENVIRONMENT,
  })
  t.equal(code, 2, 'it says that it does not know what it is called as')
})
