import t from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { installDirectory } from '../../src/engine/install.ts'
import { EXECUTABLE } from '../harness/command-line.ts'
import { attempt } from '../harness/run.ts'
import { temporary } from '../harness/temporary.ts'

/** A plugin directory in small, whose program is sleep(1). */
function source(folder: string): string {
  const from = join(folder, 'from')
  mkdirSync(from)
  copyFileSync('/bin/sleep', join(from, 'tnet-runtime'))
  chmodSync(join(from, 'tnet-runtime'), 0o755)
  writeFileSync(join(from, 'tnet.node'), 'addon')
  writeFileSync(join(from, 'tnet'), 'launcher', { mode: 0o755 })
  linkSync(join(from, 'tnet'), join(from, 'hard'))
  symlinkSync('tnet', join(from, 'bridge'))
  mkdirSync(join(from, 'folder'))
  return from
}

t.test('files, modes and links, and nothing else', async t => {
  using folder = temporary()
  const from = source(folder.path)
  const to = join(folder.path, 'new/bin')
  const names = ['bridge', 'hard', 'tnet', 'tnet-runtime', 'tnet.node']
  t.strictSame(await installDirectory(from, to), names)
  t.strictSame(readdirSync(to).sort(), names)
  t.equal(readlinkSync(join(to, 'bridge')), 'tnet')
  t.equal(statSync(join(to, 'hard')).ino, statSync(join(to, 'tnet')).ino)
  t.equal(statSync(join(to, 'tnet-runtime')).mode & 0o777, 0o755)
  t.equal(readFileSync(join(to, 'tnet.node'), 'utf8'), 'addon')
})

t.test('what stands in the way is named as it was given', async t => {
  using folder = temporary()
  const from = source(folder.path)
  const file = join(folder.path, 'file')
  writeFileSync(file, '')
  await t.rejects(installDirectory(from, file), { code: 'BAD_CONFIG' })
  await t.rejects(installDirectory(from, join(file, 'below')), { code: 'IO' })
  const to = join(folder.path, 'to')
  mkdirSync(join(to, 'bridge'), { recursive: true })
  await t.rejects(installDirectory(from, to), { code: 'IO', message: join(to, 'bridge') })
})

t.test('what runs goes on, and what is there is replaced, not written through', async t => {
  using folder = temporary()
  const from = source(folder.path)
  const to = join(folder.path, 'to')
  await installDirectory(from, to)
  const running = spawn(join(to, 'tnet-runtime'), ['60'])
  await once(running, 'spawn')
  writeFileSync(join(folder.path, 'victim'), 'as it was')
  symlinkSync('../victim', join(to, 'host-local'))
  writeFileSync(join(from, 'host-local'), 'plugin')
  await installDirectory(from, to)
  t.equal(running.exitCode, null)
  t.equal(readFileSync(join(folder.path, 'victim'), 'utf8'), 'as it was')
  t.equal(readFileSync(join(to, 'host-local'), 'utf8'), 'plugin')
  t.notOk(readdirSync(to).some(name => name.startsWith('.tnet-install-')))
  const ended = once(running, 'exit')
  running.kill('SIGKILL')
  await ended
})

t.test('what an interrupted one left is removed, but not what another is about to rename', async t => {
  using folder = temporary()
  const to = join(folder.path, 'to')
  mkdirSync(to)
  writeFileSync(join(to, '.tnet-install-999999999'), '')
  writeFileSync(join(to, `.tnet-install-${process.ppid}`), '')
  await installDirectory(source(folder.path), to)
  t.strictSame(
    readdirSync(to).filter(name => name.startsWith('.')),
    [`.tnet-install-${process.ppid}`],
  )
})

t.test('what is refused', async t => {
  using folder = temporary()
  const from = source(folder.path)
  await t.rejects(installDirectory(from, from), { code: 'BAD_CONFIG' })
  symlinkSync(from, join(folder.path, 'same'))
  await t.rejects(installDirectory(from, join(folder.path, 'same')), { code: 'BAD_CONFIG' })
  await t.rejects(installDirectory(from, join(from, 'tnet')), { code: 'BAD_CONFIG' })
})

t.test('the executables', { skip: existsSync(EXECUTABLE) ? false : 'dist/bin is not built' }, async t => {
  using folder = temporary()
  const bin = join(folder.path, 'bin')
  const { code, stdout, stderr } = await attempt(EXECUTABLE, ['install', '--bin-dir', 'bin'], {
    cwd: folder.path,
  })
  t.equal(code, 0, stderr)
  for (const name of ['bridge', 'host-local', 'tnet', 'tnet-ipam'])
    t.ok(stdout.split('\n').includes(name), name)
  const env = { CNI_COMMAND: 'VERSION' }
  t.match((await attempt(join(bin, 'bridge'), [], { env })).stdout, 'supportedVersions')
  t.match((await attempt(join(bin, 'tnet'), ['version'])).stdout, /^tnet /)
  t.equal((await attempt(join(bin, 'tnet'), ['install', '--bin-dir', bin])).code, 2, 'not into itself')
})
