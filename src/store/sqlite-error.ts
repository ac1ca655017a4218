// What SQLite's result codes mean to the user of a store.
import { errnoCode, TnetError } from '../errors.ts'
import { fileError } from '../sys/files.ts'

/** SQLite's primary result codes: https://www.sqlite.org/rescode.html */
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26

const REASONS: Readonly<Record<number, string>> = {
  [READONLY]: 'it cannot be written',
  [IOERR]: 'the file system reports an error',
  [FULL]: 'no space is left on the file system',
  [CANTOPEN]: 'it cannot be opened',
}

/** TRY_AGAIN, IO or INTERNAL for an error of SQLite; errors of the file system as `fileError` has them. */
export function storeError(path: string, error: unknown): TnetError {
  if (error instanceof TnetError) return error
  const result = primaryCode(error)
  const words = error instanceof Error ? error.message : String(error)
  if (result === undefined) {
    if (errnoCode(error) !== undefined) return fileError('open store', path, error)
    return new TnetError('INTERNAL', `store ${path}: ${words}`, '', { cause: error })
  }
  if (result === CORRUPT || result === NOTADB) return damaged(path, words, error)
  if (result === BUSY || result === LOCKED) {
    return new TnetError(
      'TRY_AGAIN',
      `store ${path}: another process is writing to it`,
      `see who: fuser ${path}`,
      {
        cause: error,
      },
    )
  }
  const why = REASONS[result]
  if (why === undefined) return new TnetError('INTERNAL', `store ${path}: ${words}`, '', { cause: error })
  return new TnetError(
    'IO',
    `store ${path}: ${why}`,
    'it must be on a writable file system with space left',
    {
      cause: error,
    },
  )
}

/** Whether SQLite could not make or write the files that it needs beside the store. */
export function hasNoRoom(error: unknown): boolean {
  if (!(error instanceof TnetError)) return false
  return [READONLY, IOERR, FULL, CANTOPEN].includes(primaryCode(error.cause) ?? 0)
}

/** A store is never begun anew by itself: that would forget which addresses are in use. */
export function damaged(path: string, why: string, cause?: unknown): TnetError {
  return new TnetError(
    'IO',
    `store ${path}: the file is damaged: ${why}`,
    `put a copy back in its place; or move ${path}, ${path}-wal and ${path}-shm away to begin without networks`,
    { cause },
  )
}

function primaryCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}
