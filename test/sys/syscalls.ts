import fs from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { addon } from '../../src/sys/addon.ts'
import { errnoName } from '../../src/sys/errno.ts'
import * as sys from '../../src/sys/syscalls.ts'
import { temporary } from '../harness/temporary.ts'

t.test('flags and errnos are those of this machine', async t => {
  for (const name of [
    'O_RDONLY',
    'O_WRONLY',
    'O_RDWR',
    'O_CREAT',
    'O_EXCL',
    'O_NONBLOCK',
    'O_NOFOLLOW',
  ] as const)
    t.equal(sys[name], fs.constants[name], name)
  const names = Object.entries(constants.errno).filter(([name]) => !['EWOULDBLOCK', 'ENOTSUP'].includes(name))
  for (const [name, number] of names) t.equal(errnoName(number), name)
  t.ok(names.length > 70)
  for (const [number, name] of [
    [54, 'EXFULL'],
    [85, 'ERESTART'],
    [133, 'EHWPOISON'],
    [524, 'ENOTSUPP'],
    [41, 'E41'],
    [999, 'E999'],
    [0, 'E0'],
  ] as const)
    t.equal(errnoName(number), name)
})

t.test('files, as node:fs sees them', async t => {
  using directory = temporary()
  const path = join(directory.path, 'file')
  const fd = sys.open(path, sys.O_RDWR | sys.O_CREAT | sys.O_EXCL, 0o600)
  const bytes = (text: string) => new TextEncoder().encode(text)
  t.equal(sys.write(fd, bytes('hello')), 5)
  t.equal(sys.write(fd, bytes('J'), 0), 1)
  const into = new Uint8Array(16)
  t.equal(sys.read(fd, into), 0, 'it stands at the end')
  t.equal(sys.read(fd, into.subarray(1, 4), 1), 3)
  t.same([...into.subarray(0, 5)], [0, ...bytes('ell'), 0])
  sys.ftruncate(fd, 2)
  t.equal(fs.readFileSync(path, 'utf8'), 'Je')
  t.equal(sys.fileSystem(fd), fs.statfsSync(path).type)
  const seen = sys.fstat(fd)
  sys.close(fd)
  t.throws(() => sys.close(fd), { code: 'EBADF', syscall: 'close' })
  t.same(sys.stat(path), seen)
  t.ok(sys.isFile(seen))
  t.notOk(sys.isDirectory(seen))

  const link = join(directory.path, 'link')
  sys.symlink('file', link)
  t.equal(sys.readlink(link), 'file')
  t.throws(() => sys.readlink(path), { code: 'EINVAL' })
  sys.lutimes(link, 1_234_567_890)
  const status = sys.lstat(link)
  const { dev, ino, mode, uid, mtimeNs } = fs.lstatSync(link, { bigint: true })
  t.same(status, { dev, ino, mode: Number(mode), uid: Number(uid), mtimeNs })
  t.equal(mtimeNs, 1_234_567_890n * 1_000_000_000n)
  t.ok(sys.isSymbolicLink(status))
  t.same(sys.stat(link), seen, 'through the link')

  sys.mkdir(join(directory.path, 'folder'), 0o700)
  t.ok(sys.isDirectory(sys.stat(join(directory.path, 'folder'))))
  t.throws(() => sys.mkdir(path, 0o700), { code: 'EEXIST', errno: constants.errno.EEXIST })
  t.notOk(sys.isExecutable(path))
  fs.chmodSync(path, 0o700)
  t.ok(sys.isExecutable(path))
  sys.unlink(path)
  t.throws(() => sys.stat(path), { code: 'ENOENT' })
})

t.test('random bytes', async t => {
  const [a, b] = [new Uint8Array(16), new Uint8Array(16)]
  sys.getrandom(a)
  sys.getrandom(b)
  t.notSame(a, b)
})

t.test('wrong arguments throw, whatever they are', async t => {
  const wrong: unknown[] = [
    undefined,
    null,
    {},
    'a\0b',
    1.5,
    new Uint8Array(1),
    new BigUint64Array(1),
    [],
    ['a', 1],
  ]
  const own = Object.entries(addon() as unknown as Record<string, (...args: unknown[]) => unknown>)
  for (const [name, call] of own) {
    t.throws(() => call(), TypeError, `${name}()`)
    for (const value of wrong) t.throws(() => call(value, value, value, value, value), TypeError, name)
  }
  t.equal(addon().stat('/', 0, new BigUint64Array(1)), 0, 'what does not fit is left out')
})
