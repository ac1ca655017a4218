// Folders that only we write to: what another user planted in their place is refused, not followed.
import { lstatSync, mkdirSync } from 'node:fs'
import { TnetError } from '../errors.ts'

/** Writable by group or by all. */
const SHARED = 0o022

/**
 * Makes the folder where it is missing. Throws TnetError IO, or PERMISSION, where it is a symbolic link or no folder, belongs to
 * another user, or others may write to it.
 */
export function ownFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o755 })
  const stat = lstatSync(path)
  if (!stat.isDirectory()) {
    throw refused(path, stat.isSymbolicLink() ? 'it is a symbolic link' : 'it is no directory')
  }
  const uid = process.geteuid?.() ?? 0
  if (stat.uid !== uid && uid !== 0) {
    throw new TnetError('PERMISSION', `directory ${path}: it belongs to user ${stat.uid}`, 'run as root')
  }
  if (stat.uid !== uid) throw refused(path, `it belongs to user ${stat.uid}, not to ${uid}`)
  if ((stat.mode & SHARED) !== 0) throw refused(path, 'others may write to it')
  return path
}

function refused(path: string, why: string): TnetError {
  return new TnetError(
    'IO',
    `directory ${path}: ${why}`,
    'remove it, or set TNET_RUN_DIR and TNET_STATE_DIR to other directories',
  )
}
