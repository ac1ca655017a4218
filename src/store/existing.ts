// The store where there is one: to look for something, or to give it back, is no reason to make it.
import { fileError, ifPresent } from '../sys/files.ts'
import { stat } from '../sys/syscalls.ts'
import type { Store } from './store.ts'

/** An empty one where there is none yet. With `look`, one that cannot be written will do. Throws TnetError IO, PERMISSION. */
export async function existingStore(stateDir: string, { look = false } = {}): Promise<Store> {
  if (!hasStore(`${stateDir}/tnet.db`)) return NOTHING
  if (look) return (await import('./sqlite-snapshot.ts')).readableStore(stateDir)
  return (await import('./sqlite.ts')).sqliteStore(stateDir)
}

function hasStore(path: string): boolean {
  try {
    return ifPresent(() => stat(path)) !== undefined
  } catch (error) {
    throw fileError('open store', path, error)
  }
}

const NOTHING: Store = {
  get: async () => undefined,
  range: async () => [],
  commit: async () => false,
  async [Symbol.asyncDispose]() {},
}
