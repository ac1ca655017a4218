import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  createText,
  entries,
  fileError,
  makeDirectories,
  makeDirectory,
  openFile,
  readLink,
  readStart,
  readText,
  letGo,
  removeFile,
  requireDirectory,
  rewrite,
  uninterrupted,
} from '../../src/sys/files.ts'
import { faults } from '../harness/file-faults.ts'
import { temporary } from '../harness/temporary.ts'

t.test('a file is made whole or not at all, and never in the place of another', async t => {
  using directory = temporary()
  const path = join(directory.path, 'file')
  createText(path, 'one', 0o600)
  t.throws(() => createText(path, 'two', 0o600), { code: 'EEXIST' })
  t.equal(readText(path), 'one')
  removeFile(path)
  removeFile(path)
  for (const [call, errno] of [
    [1, 'ENOSPC'],
    [2, 'ENOSPC'],
    [3, 'EDQUOT'],
  ] as const) {
    using _ = faults({ fail: call, errno })
    t.throws(() => createText(path, 'text', 0o600), { code: errno })
    t.notOk(existsSync(path))
  }
  symlinkSync('elsewhere', path)
  t.throws(() => createText(path, 'text', 0o600), { code: 'EEXIST' })
  t.throws(() => readText(path), { code: 'ELOOP' })
  t.throws(() => openFile(path, 0o600), { code: 'ELOOP' })
  t.equal(readLink(path), 'elsewhere')
  t.equal(readLink(join(directory.path, 'none')), undefined)
  t.same(readdirSync(directory.path), ['file'])
})

t.test('a file is rewritten in place', async t => {
  using directory = temporary()
  const path = join(directory.path, 'file')
  for (const [before, text] of [
    ['', 'abc'],
    ['abc', 'abcdef'],
    ['abcdef', 'xy'],
  ] as const) {
    const fd = openFile(path, 0o600)
    t.equal(readStart(fd), before)
    rewrite(fd, text, before.length)
    letGo(fd)
    t.equal(readFileSync(path, 'utf8'), text)
  }
})

t.test('at most as much as is asked for', async t => {
  using directory = temporary()
  const path = join(directory.path, 'file')
  writeFileSync(path, 'x'.repeat(10_000))
  t.equal(readText(path).length, 2048)
  t.equal(readText(path, 5), 'xxxxx')
})

t.test('directories', async t => {
  using directory = temporary()
  const path = (name: string) => join(directory.path, name)
  makeDirectories(path('a/b/c'), 0o755)
  makeDirectories(path('a/b/c'), 0o755)
  makeDirectory(path('a/d'), 0o700)
  makeDirectory(path('a/d'), 0o700)
  t.equal(lstatSync(path('a/d')).mode & 0o777, 0o700)
  t.same(
    entries(path('a'))
      .map(entry => entry.name)
      .sort(),
    ['b', 'd'],
  )
  t.same(entries(path('none')), [])
  symlinkSync('a', path('link'))
  makeDirectories(path('link/e'), 0o755)
  t.ok(existsSync(path('a/e')), 'the way may lead over links')
  t.throws(() => makeDirectory(path('link'), 0o755), { code: 'ENOTDIR' })
  t.throws(() => requireDirectory(path('link')), { code: 'ENOTDIR' })
  t.throws(() => requireDirectory(path('none')), { code: 'ENOENT' })
  writeFileSync(path('file'), '')
  t.throws(() => makeDirectories(path('file/x'), 0o755), { code: 'ENOTDIR' })
  t.throws(() => makeDirectories('/proc/none/x', 0o755), { code: 'ENOENT' }, 'comes to an end')
})

t.test('a signal ends no call', async t => {
  let left = 3
  const call = (): string => {
    if (left-- > 0) throw Object.assign(new Error('EINTR'), { code: 'EINTR' })
    return 'done'
  }
  t.equal(uninterrupted(call), 'done')
  t.throws(() => uninterrupted(() => readText('/none')), { code: 'ENOENT' })
})

t.test('close(2) that fails has closed', async t => {
  using directory = temporary()
  const path = join(directory.path, 'file')
  writeFileSync(path, 'text')
  using _ = faults({ fail: 3, errno: 'EIO' })
  t.equal(readText(path), 'text')
  t.throws(() => letGo(9999), { code: 'EBADF' })
})

t.test('errors for people', async t => {
  using directory = temporary()
  mkdirSync(join(directory.path, 'shut'))
  chmodSync(join(directory.path, 'shut'), 0)
  const code = (errno: string) =>
    fileError('open', '/a', Object.assign(new Error(errno), { code: errno })).code
  t.equal(code('ENOSPC'), 'IO')
  t.equal(code('EROFS'), 'IO')
  t.equal(code('EWHATEVER'), 'IO')
  t.equal(code('EACCES'), 'PERMISSION')
  t.equal(code('EPERM'), 'PERMISSION')
  const own = fileError('open', '/a', new Error('no code'))
  t.equal(fileError('again', '/b', own), own, 'is not told twice')
  chmodSync(join(directory.path, 'shut'), 0o700) // or else only root can remove it
})
