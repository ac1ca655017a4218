import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import t from 'tap'
import { TnetError } from '../../src/errors.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { storeCompliance } from '../compliance/store.ts'
import { isolated } from '../harness/namespaces.ts'
import { attempt, run } from '../harness/run.ts'
import { temporary } from '../harness/temporary.ts'

isolated(import.meta)

const WORKER = join(import.meta.dirname, '../harness/store-worker.ts')

await storeCompliance(t, 'sqlite', {
  async make() {
    const directory = temporary()
    return {
      open: () => sqliteStore(join(directory.path, 'state')),
      [Symbol.asyncDispose]: async () => directory[Symbol.dispose](),
    }
  },
})

/** A store with some records, closed. */
async function filled(stateDir: string): Promise<void> {
  await using store = await sqliteStore(stateDir)
  const put = Array.from({ length: 400 }, (_, n) => ({ key: `k/${n}`, value: { n, text: 'x'.repeat(80) } }))
  await store.commit({ put })
}

t.test('files and modes', async t => {
  const state = '/run/modes/state'
  process.umask(0)
  await using store = await sqliteStore(state)
  await store.commit({ put: [{ key: 'a', value: 1 }] })
  t.equal((lstatSync(state).mode & 0o7777).toString(8), '700')
  t.same(readdirSync(state).sort(), ['tnet.db', 'tnet.db-shm', 'tnet.db-wal'])
  for (const name of readdirSync(state))
    t.equal((lstatSync(join(state, name)).mode & 0o7777).toString(8), '600', name)
  await store[Symbol.asyncDispose]()
  t.same(readdirSync(state), ['tnet.db'])
})

t.test('a damaged file is said to be, and never begun anew', async t => {
  const state = '/run/damaged'
  const path = join(state, 'tnet.db')
  const damages: Record<string, () => void> = {
    empty: () => truncateSync(path, 0),
    'half a header': () => truncateSync(path, 50),
    text: () => writeFileSync(path, 'not a database, '.repeat(500)),
    zeros: () => writeFileSync(path, Buffer.alloc(8192)),
    'half of it': () => truncateSync(path, 4096 * 5),
    'an odd size': () => truncateSync(path, lstatSync(path).size - 1000),
    'a broken page': () => overwrite(path, 4096 * 3, Buffer.alloc(4096, 0xff)),
    'a page that has lost records': () => overwrite(path, 4096 * 5 + 3, Buffer.from([0, 1])),
    'a broken first page': () => overwrite(path, 100, Buffer.alloc(3000, 0xff)),
    'the database of somebody else': () => {
      rmSync(path)
      const other = new DatabaseSync(path)
      other.exec('CREATE TABLE entry (a)')
      other.close()
    },
    'a newer version': () => pragma(path, 'user_version = 99'),
    'a record that is no JSON': () => {
      const database = new DatabaseSync(path)
      database.exec("UPDATE entry SET value = '{' WHERE key = 'k/0'")
      database.close()
    },
  }
  for (const [name, damage] of Object.entries(damages)) {
    rmSync(state, { recursive: true, force: true })
    await filled(state)
    damage()
    const before = readFileSync(path)
    await t.rejects(readAll(state), { code: 'IO', message: path }, name)
    await t.rejects(readAll(state), { code: 'IO' }, `${name}, again`)
    t.ok(readFileSync(path).equals(before), `${name}: the file is as it was`)
  }
})

async function readAll(state: string): Promise<number> {
  await using store = await sqliteStore(state)
  return (await store.range('')).length
}

function overwrite(path: string, offset: number, bytes: Uint8Array): void {
  const whole = readFileSync(path)
  whole.set(bytes, offset)
  writeFileSync(path, whole)
}

function pragma(path: string, text: string): void {
  const database = new DatabaseSync(path)
  database.exec(`PRAGMA ${text}`)
  database.close()
}

t.test('any bytes overwritten: no error but a typed one', async t => {
  await filled('/run/whole')
  const whole = readFileSync('/run/whole/tnet.db')
  mkdirSync('/run/bitten', { mode: 0o700 })
  let refused = 0
  await fc.assert(
    fc.asyncProperty(
      fc.nat(whole.length - 1),
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      async (offset, bytes) => {
        const copy = Buffer.from(whole)
        copy.set(bytes.subarray(0, copy.length - offset), offset)
        for (const name of readdirSync('/run/bitten')) rmSync(join('/run/bitten', name))
        writeFileSync('/run/bitten/tnet.db', copy)
        try {
          await readAll('/run/bitten')
        } catch (error) {
          if (!(error instanceof TnetError)) throw error
          refused++
          if (error.code !== 'IO') throw new Error(`${error.code}: ${error.message}`, { cause: error })
        }
      },
    ),
    { numRuns: 150 },
  )
  t.ok(refused > 0)
  t.comment(`${refused} of 150 were noticed`)
})

t.test('planted symbolic links, and what is no file', async t => {
  mkdirSync('/run/prey')
  writeFileSync('/run/prey/file', 'untouched')
  await filled('/run/prey/state')
  copyFileSync('/run/prey/state/tnet.db', '/run/prey/tnet.db')
  for (const name of ['tnet.db', 'tnet.db-wal', 'tnet.db-shm', 'tnet.db-journal']) {
    rmSync('/run/links', { recursive: true, force: true })
    if (name === 'tnet.db') mkdirSync('/run/links', { mode: 0o700 })
    else await filled('/run/links')
    symlinkSync(name === 'tnet.db' ? '/run/prey/tnet.db' : '/run/prey/file', join('/run/links', name))
    await t.rejects(sqliteStore('/run/links'), { code: 'IO' }, name)
  }
  rmSync('/run/links', { recursive: true, force: true })
  mkdirSync('/run/links', { mode: 0o700 })
  symlinkSync('/run/prey/made', '/run/links/tnet.db.new')
  await (await sqliteStore('/run/links'))[Symbol.asyncDispose]()
  symlinkSync('/run/prey/state', '/run/state')
  await t.rejects(sqliteStore('/run/state'), { code: 'IO' }, 'the directory itself')
  t.equal(readFileSync('/run/prey/file', 'utf8'), 'untouched')
  t.same(readdirSync('/run/prey').sort(), ['file', 'state', 'tnet.db'])
  mkdirSync('/run/folder/tnet.db', { recursive: true, mode: 0o700 })
  await t.rejects(sqliteStore('/run/folder'), { code: 'IO' })
  writeFileSync('/run/plain', '')
  await t.rejects(sqliteStore('/run/plain'), { code: 'IO' })
  await t.rejects(sqliteStore('/run/plain/below'), { code: 'IO' })
  await t.rejects(sqliteStore('/proc/none'), { code: 'IO' })
})

t.test('a directory that others may write to', async t => {
  mkdirSync('/run/open')
  chmodSync('/run/open', 0o777)
  await t.rejects(sqliteStore('/run/open'), { code: 'PERMISSION' })
  chmodSync('/run/open', 0o755)
  await (await sqliteStore('/run/open'))[Symbol.asyncDispose]()
  // In a user namespace there may be no second user to give it to.
  if (readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/)[2] === '1') return
  chownSync('/run/open', 12_345, 12_345)
  await t.rejects(sqliteStore('/run/open'), { code: 'PERMISSION' })
})

t.test('read-only', async t => {
  mkdirSync('/run/ro')
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=700', 'tnet', '/run/ro'])
  execFileSync('mount', ['-o', 'remount,bind,ro', '/run/ro'])
  await t.rejects(sqliteStore('/run/ro'), { code: 'IO' }, 'cannot be made')
  execFileSync('mount', ['-o', 'remount,bind,rw', '/run/ro'])
  await filled('/run/ro')
  execFileSync('mount', ['-o', 'remount,bind,ro', '/run/ro'])
  await t.rejects(readAll('/run/ro'), { code: 'IO' }, 'cannot be opened')
})

t.test('full', async t => {
  mkdirSync('/run/full')
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=700,size=512k', 'tnet', '/run/full'])
  await using store = await sqliteStore('/run/full')
  await store.commit({ put: [{ key: 'a', value: 1 }] })
  const put = [{ key: 'b', value: 'x'.repeat(600_000) }]
  await t.rejects(store.commit({ put }), { code: 'IO' })
  t.same(
    (await store.range('')).map(({ key }) => key),
    ['a'],
  )
  await store.commit({ put: [{ key: 'a', value: 2 }] })
  t.equal((await store.get('a'))?.value, 2, 'and goes on')
})

t.test('what an interrupted start left', async t => {
  mkdirSync('/run/unfinished', { mode: 0o700 })
  for (const suffix of ['', '-wal', '-shm', '-journal'])
    writeFileSync(`/run/unfinished/tnet.db.new${suffix}`, 'half')
  await filled('/run/unfinished')
  t.equal(await readAll('/run/unfinished'), 400)
  t.same(readdirSync('/run/unfinished'), ['tnet.db'])
})

t.test('another process writes', async t => {
  await filled('/run/busy')
  await using store = await sqliteStore('/run/busy', 100)
  const other = new DatabaseSync('/run/busy/tnet.db')
  other.exec('BEGIN IMMEDIATE')
  await t.rejects(store.commit({ put: [{ key: 'a', value: 1 }] }), { code: 'TRY_AGAIN' })
  t.equal((await store.get<{ n: number }>('k/7'))?.value.n, 7, 'reading does not wait')
  other.exec('ROLLBACK')
  other.close()
  t.equal(await store.commit({ put: [{ key: 'a', value: 1 }] }), true)
})

t.test('8 processes make it and write to it at once, 4 are killed', async t => {
  using directory = temporary()
  const state = join(directory.path, 'state')
  const ended = await Promise.all([
    ...Array.from({ length: 4 }, () => run(process.execPath, [WORKER, state, '25'], { timeout: 60_000 })),
    ...Array.from({ length: 4 }, () =>
      attempt(process.execPath, [WORKER, state, '-25'], { timeout: 60_000 }),
    ),
  ])
  t.equal(ended.filter(each => typeof each === 'object' && each.signal === 'SIGKILL').length, 4)
  await using store = await sqliteStore(state)
  t.equal((await store.get('a'))?.value, 200)
  t.equal((await store.get('b'))?.value, -200)
})
