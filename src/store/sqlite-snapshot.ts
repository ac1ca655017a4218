// What an SQLite store holds, for those who only look, where SQLite itself cannot read: its write-ahead log needs files
// beside the store, for which a read-only or full file system has no room.
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ifPresent } from '../sys/files.ts'
import { hasNoRoom } from './sqlite-error.ts'
import { requireWhole } from './sqlite-file.ts'
import { sqliteStore } from './sqlite.ts'
import type { Entry, Store } from './store.ts'

/** The store in `stateDir`, to be read. Nothing can be committed where it is a snapshot. Throws as `sqliteStore`. */
export async function readableStore(stateDir: string): Promise<Store> {
  try {
    return await sqliteStore(stateDir)
  } catch (error) {
    if (!hasNoRoom(error)) throw error
    const entries = await snapshot(join(stateDir, 'tnet.db'))
    if (entries === undefined) throw error
    return readOnly(entries, error)
  }
}

/** Read without locks: undefined where there is a log, or somebody wrote meanwhile. */
async function snapshot(path: string): Promise<Entry[] | undefined> {
  const before = state(path)
  if (before === undefined) return undefined
  const { DatabaseSync } = await import('node:sqlite')
  const file = pathToFileURL(path)
  file.searchParams.set('immutable', '1')
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    requireWhole(database, path)
    const rows = database.prepare('SELECT key, value, revision FROM entry ORDER BY key').all()
    if (state(path) !== before) return undefined
    return rows.map(row => ({
      key: String(row['key']),
      value: JSON.parse(String(row['value'])) as unknown,
      revision: Number(row['revision']),
    }))
  } finally {
    database.close()
  }
}

/** All writers go through the log. Undefined where it holds anything. */
function state(path: string): string | undefined {
  const log = ifPresent(() => lstatSync(`${path}-wal`))
  if (log !== undefined && log.size > 0) return undefined
  const { ino, size, mtimeNs } = lstatSync(path, { bigint: true })
  return [ino, size, mtimeNs].join(' ')
}

function readOnly(entries: readonly Entry[], why: unknown): Store {
  return {
    get: async <T>(key: string) => entries.find(entry => entry.key === key) as Entry<T> | undefined,
    range: async <T>(prefix: string) => entries.filter(({ key }) => key.startsWith(prefix)) as Entry<T>[],
    commit: async () => {
      throw why
    },
    async [Symbol.asyncDispose]() {},
  }
}
