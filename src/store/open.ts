// Opens the store. To look for something, or to give it back, is no reason to make it.
import { fileError, ifPresent } from '../sys/files.ts'
import { stat } from '../sys/syscalls.ts'
import type { Store } from './store.ts'

/**
 * With `make`, it is there then; otherwise it is an empty one where there is none yet. With `look`, one that cannot be
 * written will do. Throws TnetError IO, PERMISSION.
 */
export async function openStore(stateDir: string, { make = false, look = false } = {}): Promise<Store> {
  if (!make && !hasStore(`${stateDir}/tnet.db`)) return NOTHING
  if (look && !make) return (await import('./sqlite-snapshot.ts')).readableStore(stateDir)
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
