// The embedded store of one machine: SQLite, in the file tnet.db of the state directory.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { TnetError } from '../errors.ts'
import { BUSY_MILLISECONDS, openDatabase } from './sqlite-file.ts'
import { storeError } from './sqlite-error.ts'
import { type Entry, refuseRepeated, type Store, type Transaction } from './store.ts'

/** No key has it, and it sorts after all others. */
const LAST_CHARACTER = '\u{10ffff}'

interface Row {
  readonly key: string
  readonly value: string
  readonly revision: number
}

/**
 * Opens the store in `stateDir`; both are made where they are missing. Throws TnetError IO for a damaged, foreign or
 * unwritable file, PERMISSION, and TRY_AGAIN where another process holds it too long.
 */
export async function sqliteStore(stateDir: string, busy = BUSY_MILLISECONDS): Promise<Store> {
  const { database, path } = await openDatabase(stateDir, busy)
  return new SqliteStore(database, path)
}

class SqliteStore implements Store {
  readonly #database: DatabaseSync
  readonly #path: string
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync, path: string) {
    this.#database = database
    this.#path = path
  }

  async get<T>(key: string): Promise<Entry<T> | undefined> {
    const [row] = this.#rows('SELECT key, value, revision FROM entry WHERE key = ?', key)
    return row && this.#entry(row)
  }

  async range<T>(prefix: string): Promise<Entry<T>[]> {
    const sql = 'SELECT key, value, revision FROM entry WHERE key >= ? AND key < ? ORDER BY key'
    const rows = this.#rows(sql, prefix, `${prefix}${LAST_CHARACTER}`)
    return rows.map(row => this.#entry<T>(row))
  }

  async commit(transaction: Transaction): Promise<boolean> {
    refuseRepeated(transaction)
    return this.#guarded(() => {
      this.#database.exec('BEGIN IMMEDIATE')
      try {
        if (!this.#holds(transaction.when ?? [])) return false
        this.#write(transaction)
        this.#database.exec('COMMIT')
        return true
      } finally {
        // Where there is no space left, SQLite has rolled back by itself.
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isOpen) this.#database.close()
  }

  #holds(conditions: NonNullable<Transaction['when']>): boolean {
    const statement = this.#prepared('SELECT revision FROM entry WHERE key = ?')
    return conditions.every(({ key, revision }) => {
      const row = statement.get(key) as Pick<Row, 'revision'> | undefined
      return (row?.revision ?? 0) === revision
    })
  }

  /** One number for all changes of a transaction, and never the same for two: a key made anew is no match for the old. */
  #write({ put = [], remove = [] }: Transaction): void {
    const count = this.#prepared('UPDATE counter SET revision = revision + 1 RETURNING revision')
    const { revision } = count.get() as Pick<Row, 'revision'>
    const set = this.#prepared(
      'INSERT INTO entry (key, value, revision) VALUES (?, ?, ?) ' +
        'ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision',
    )
    for (const { key, value } of put) set.run(key, JSON.stringify(value), revision)
    const unset = this.#prepared('DELETE FROM entry WHERE key = ?')
    for (const key of remove) unset.run(key)
  }

  #rows(sql: string, ...values: string[]): Row[] {
    return this.#guarded(() => this.#prepared(sql).all(...values) as unknown as Row[])
  }

  #entry<T>({ key, value, revision }: Row): Entry<T> {
    try {
      return { key, value: JSON.parse(value) as T, revision }
    } catch (error) {
      throw new TnetError('IO', `store ${this.#path}: the record ${key} is damaged`, '', { cause: error })
    }
  }

  #prepared(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #guarded<T>(deed: () => T): T {
    try {
      return deed()
    } catch (error) {
      throw storeError(this.#path, error)
    }
  }
}
