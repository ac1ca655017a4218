// Named network namespaces: files in a folder of our own, with a namespace mounted on each.
import { closeSync, constants, lstatSync, openSync, readdirSync, statfsSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { errnoCode, TnetError } from '../errors.ts'
import { lock } from '../sys/lock.ts'
import { ownFolder } from '../sys/own-folder.ts'
import { createNetns, removeNetns } from '../sys/syscalls.ts'
import { checkedName } from './names.ts'
import { NSFS_MAGIC } from './netns.ts'

/** Creation and removal take turns. */
const LOCK = 'netns.lock'

export interface NamedNetns {
  readonly name: string
  readonly path: string
}

/** Where the namespaces of tnet's own sandboxes are named. */
export function netnsFolder(runDir: string): string {
  return join(runDir, 'netns')
}

/** Makes a namespace. Throws TnetError EXISTS, BAD_CONFIG for the name, IO for the folder. */
export async function createNamed(runDir: string, name: string): Promise<NamedNetns> {
  checkedName('sandbox', name)
  ownFolder(runDir)
  const folder = ownFolder(netnsFolder(runDir))
  using _lock = await lock(join(runDir, LOCK))
  const path = join(folder, name)
  if (isMounted(path)) {
    throw new TnetError('EXISTS', `sandbox ${name}: it exists already`, `tnet sandbox rm ${name} removes it`)
  }
  discard(path)
  const fd = openSync(
    path,
    constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | constants.O_RDONLY,
    0o444,
  )
  try {
    // By its fd: whatever happens to the path, the mount lands on the file that was just made.
    createNetns(`/proc/self/fd/${fd}`)
  } catch (error) {
    discard(path)
    throw error
  } finally {
    closeSync(fd)
  }
  return { name, path }
}

/** Removes a name, and with it a namespace in which nothing runs. Throws TnetError NOT_FOUND. */
export async function removeNamed(runDir: string, name: string): Promise<void> {
  const { path } = findNamed(runDir, name)
  using _lock = await lock(join(runDir, LOCK))
  // Nothing is mounted, or somebody else was faster.
  ignoring(['EINVAL', 'ENOENT'], () => removeNetns(path))
  discard(path)
}

/** The namespace of this name. Throws TnetError NOT_FOUND, BAD_CONFIG for the name. */
export function findNamed(runDir: string, name: string): NamedNetns {
  const path = join(netnsFolder(runDir), checkedName('sandbox', name))
  if (ignoring(['ENOENT', 'ENOTDIR'], () => lstatSync(path)) === undefined) {
    throw new TnetError(
      'NOT_FOUND',
      `sandbox ${name}: there is none of this name`,
      'tnet sandbox ls shows them',
    )
  }
  return { name, path }
}

/** All names with a namespace, in order. */
export function listNamed(runDir: string): NamedNetns[] {
  const folder = netnsFolder(runDir)
  const names = ignoring(['ENOENT', 'ENOTDIR'], () => readdirSync(folder)) ?? []
  return names
    .map(name => ({ name, path: join(folder, name) }))
    .filter(({ path }) => isMounted(path))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** A file without a namespace is what an interrupted creation or a restart of the machine left. */
function isMounted(path: string): boolean {
  const stat = ignoring(['ENOENT', 'ENOTDIR'], () => lstatSync(path))
  return stat?.isFile() === true && statfsSync(path).type === NSFS_MAGIC
}

function discard(path: string): void {
  ignoring(['ENOENT'], () => unlinkSync(path))
}

function ignoring<T>(codes: readonly string[], deed: () => T): T | undefined {
  try {
    return deed()
  } catch (error) {
    if (codes.includes(errnoCode(error) ?? '')) return undefined
    throw error
  }
}
