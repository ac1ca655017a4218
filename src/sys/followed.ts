// Symbolic links to directories that an administrator has moved: followed where nobody else can have made them.
import { errnoCode, TnetError } from '../errors.ts'
import { ifPresent, uninterrupted } from './files.ts'
import { parentOf } from './path.ts'
import { isDirectory, isSymbolicLink, lstat, readlink, stat, type Status } from './syscalls.ts'

/** Writable by group or by all. */
const SHARED = 0o022
/** As the kernel has it. */
const MOST_LINKS = 40

/**
 * What `path` leads to: itself, unless it is a symbolic link to a directory. Throws TnetError IO for a link that is not ours
 * or root's, stands where others may write, or leads to no directory: that of a disk that is not there must not be made anew.
 */
export function followed(path: string): string {
  let place = path
  for (let left = MOST_LINKS; left > 0; left--) {
    const found = ifPresent(() => lstat(place))
    if (found === undefined || !isSymbolicLink(found)) return place
    const parent = parentOf(place)
    if (!isOurs(found)) throw refused(place, `it belongs to user ${found.uid}`)
    const within = uninterrupted(() => stat(parent))
    if (!isOurs(within)) throw refused(place, `${parent} belongs to user ${within.uid}`)
    if ((within.mode & SHARED) !== 0) throw refused(place, `others may write to ${parent}`)
    if (!leadsToDirectory(place)) throw refused(place, 'it leads to no directory')
    const target = uninterrupted(() => readlink(place))
    place = target.startsWith('/') ? target : `${parent}/${target}`
  }
  throw refused(path, 'it leads from link to link')
}

function isOurs({ uid }: Status): boolean {
  return uid === 0 || uid === process.geteuid?.()
}

function leadsToDirectory(path: string): boolean {
  try {
    return isDirectory(uninterrupted(() => stat(path)))
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoCode(error) ?? '')) throw error
    return false
  }
}

function refused(path: string, why: string): TnetError {
  return new TnetError(
    'IO',
    `symbolic link ${path}: ${why}`,
    'a link to a directory is followed where it, and the directory that it is in, are root’s and nobody else may write there',
  )
}
