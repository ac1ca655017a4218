// The file of an SQLite store: finding it safe and whole, and making it.
import { closeSync, constants, fsyncSync, lstatSync, openSync, renameSync, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { TnetError } from '../errors.ts'
import {
  createText,
  fileError,
  ifPresent,
  makeDirectories,
  makeDirectory,
  removeFile,
  requireDirectory,
} from '../sys/files.ts'
import { takeLock } from '../sys/lock.ts'
import { damaged, storeError } from './sqlite-error.ts'

/** How long a transaction waits for that of another process. */
export const BUSY_MILLISECONDS = 10_000

/** `tnet` in a file's header, and the version of the tables in it. */
const APPLICATION = 0x746e6574
const SCHEMA = 1

const TABLES = `
  CREATE TABLE entry (key TEXT PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE counter (revision INTEGER NOT NULL) STRICT;
  INSERT INTO counter VALUES (0);
  PRAGMA application_id = ${APPLICATION};
  PRAGMA user_version = ${SCHEMA};
`

/** Loaded on first use: most plugin calls need no store. */
type Open = (path: string) => DatabaseSync

/** Throws TnetError IO, PERMISSION, TRY_AGAIN. */
export async function openDatabase(
  stateDir: string,
  busy: number,
): Promise<{ database: DatabaseSync; path: string }> {
  const { DatabaseSync } = await import('node:sqlite')
  const open: Open = file => {
    const database = new DatabaseSync(file)
    try {
      database.exec(`PRAGMA busy_timeout = ${busy}; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY`)
      return database
    } catch (error) {
      database.close()
      throw error
    }
  }
  const path = join(stateDir, 'tnet.db')
  try {
    safeDirectory(stateDir)
    if (fileAt(path) === undefined) await create(stateDir, path, open, busy)
    for (const suffix of ['-wal', '-shm', '-journal']) fileAt(`${path}${suffix}`)
    if (fileAt(path)?.size === 0) throw damaged(path, 'it is empty')
    const database = open(path)
    try {
      requireWhole(database, path)
      return { database, path }
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    throw storeError(path, error)
  }
}

/**
 * Makes the file under another name and moves it into place, so that whoever finds it finds it whole, and an empty one
 * is known to be damaged.
 */
async function create(stateDir: string, path: string, open: Open, busy: number): Promise<void> {
  const directory = openSync(stateDir, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    await takeLock(directory, stateDir, busy)
    if (fileAt(path) !== undefined) return
    const unfinished = `${path}.new`
    for (const suffix of ['', '-wal', '-shm', '-journal']) removeFile(`${unfinished}${suffix}`)
    createText(unfinished, '', 0o600)
    const database = open(unfinished)
    try {
      database.exec(`PRAGMA journal_mode = WAL; BEGIN; ${TABLES} COMMIT`)
    } finally {
      database.close()
    }
    renameSync(unfinished, path)
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** Our tables, whole: SQLite alone would notice damage only where it happens to read, and miss records without a word. */
export function requireWhole(database: DatabaseSync, path: string): void {
  const ask = (name: string): unknown => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  if (ask('application_id') !== APPLICATION) throw damaged(path, 'it is not a store of tnet')
  const version = ask('user_version')
  if (version !== SCHEMA) {
    throw new TnetError(
      'IO',
      `store ${path}: want version ${SCHEMA} of its tables, got ${version}`,
      'use the tnet that wrote it',
    )
  }
  const found = ask('quick_check(1)')
  if (found !== 'ok') throw damaged(path, String(found).replaceAll(/\s+/g, ' '))
}

/** What lies here says which addresses are whose: nobody else may have written it. */
function safeDirectory(path: string): void {
  if (ifPresent(() => lstatSync(path)) === undefined) {
    makeDirectories(dirname(path), 0o755)
    makeDirectory(path, 0o700)
  }
  const { uid, mode } = requireDirectory(path)
  const own = process.geteuid?.()
  if (uid === own && (mode & 0o022) === 0) return
  if (uid !== own && own !== 0) {
    throw new TnetError('PERMISSION', `state directory ${path}: it belongs to user ${uid}`, 'run as root')
  }
  const why = uid === own ? `its mode is ${(mode & 0o777).toString(8)}` : `it belongs to user ${uid}`
  throw new TnetError(
    'PERMISSION',
    `state directory ${path}: ${why}`,
    `want a directory of user ${own} that nobody else can write to`,
  )
}

/** Undefined where there is none. Throws IO for anything that is not a regular file. */
function fileAt(path: string): Stats | undefined {
  const stats = ifPresent(() => lstatSync(path))
  if (stats === undefined || stats.isFile()) return stats
  throw fileError(
    'open store',
    path,
    Object.assign(new Error('it is not a regular file'), { code: 'ENOTFILE' }),
  )
}
