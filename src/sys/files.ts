// Small files and directories that a program running as root keeps: no symbolic link is followed, no signal ends a call
// early, and a refusal says what is in the way.
import type { Dirent } from 'node:fs'
import { errnoCode, TnetError } from '../errors.ts'
import { parentOf } from './path.ts'
import { scratch } from './scratch.ts'
import {
  close,
  ftruncate,
  isDirectory,
  lstat,
  lutimes,
  mkdir,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  open,
  read,
  readlink,
  stat,
  type Status,
  symlink,
  unlink,
  write,
} from './syscalls.ts'

/** Makes a call again that a signal interrupted. */
export function uninterrupted<T>(call: () => T): T {
  for (;;) {
    try {
      return call()
    } catch (error) {
      if (errnoCode(error) !== 'EINTR') throw error
    }
  }
}

/** What `call` answers, or undefined where the thing is absent. */
export function ifPresent<T>(call: () => T): T | undefined {
  try {
    return uninterrupted(call)
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The first `limit` bytes of a file as text. Never waits, whatever kind of file it is. Throws ENOENT, ELOOP... */
export function readText(path: string, limit = 2048): string {
  const fd = uninterrupted(() => open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0))
  try {
    return readStart(fd, limit)
  } finally {
    letGo(fd)
  }
}

export function readStart(fd: number, limit = 2048): string {
  const bytes = scratch(limit)
  const length = uninterrupted(() => read(fd, bytes, 0))
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, length))
}

/** Makes a file that holds `text`, or none. Throws EEXIST, ENOSPC... */
export function createText(path: string, text: string, mode: number): void {
  const fd = uninterrupted(() => open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode))
  let isOpen = true
  try {
    writeAll(fd, new TextEncoder().encode(text))
    isOpen = false
    finish(fd)
  } catch (error) {
    if (isOpen) letGo(fd)
    removeFile(path)
    throw error
  }
}

/** Closes a file that was read, or whose loss does no harm: the kernel lets go of it whatever close(2) returns. */
export function letGo(fd: number): void {
  try {
    close(fd)
  } catch (error) {
    if (['EBADF', undefined].includes(errnoCode(error))) throw error
  }
}

/** Closes a file that was written: some file systems tell only now that they had no space. */
function finish(fd: number): void {
  try {
    close(fd)
  } catch (error) {
    if (errnoCode(error) !== 'EINTR') throw error
  }
}

/** Opens a file for reading and writing, and makes it where `mode` is given. Throws ELOOP for a symbolic link. */
export function openFile(path: string, mode?: number): number {
  const create = mode === undefined ? 0 : O_CREAT
  return uninterrupted(() => open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | create, mode ?? 0))
}

/** Opens a file to be locked. It may be on a file system without room, or read-only, where it exists. */
export function openLock(path: string, mode?: number): number {
  const create = mode === undefined ? 0 : O_CREAT
  return uninterrupted(() => open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | create, mode ?? 0))
}

/** Replaces the beginning of a file, and cuts off what is left of the `before` bytes; it is never empty in between. */
export function rewrite(fd: number, text: string, before: number): void {
  const bytes = new TextEncoder().encode(text)
  writeAll(fd, bytes)
  if (before > bytes.length) uninterrupted(() => ftruncate(fd, bytes.length))
}

/** Removes a file; that it is absent already is success. */
export function removeFile(path: string): void {
  ifPresent(() => unlink(path))
}

/** Throws EEXIST where there is something. */
export function makeLink(target: string, path: string): void {
  uninterrupted(() => symlink(target, path))
}

/** What a symbolic link says; undefined where there is none. Throws EINVAL where it is something else. */
export function readLink(path: string): string | undefined {
  return ifPresent(() => readlink(path))
}

/** Dates a file or directory, in seconds since 1970. */
export function setDate(path: string, seconds: number): void {
  uninterrupted(() => lutimes(path, seconds))
}

/** The entries of a directory; none where it is absent. Loads node:fs: most calls read no directory. */
export function entries(path: string): Dirent[] {
  const { readdirSync } = process.getBuiltinModule('node:fs')
  return ifPresent(() => readdirSync(path, { withFileTypes: true })) ?? []
}

/** Makes a directory where there is none; its parent exists. Throws ENOTDIR for anything else, a symbolic link included. */
export function makeDirectory(path: string, mode: number): void {
  try {
    uninterrupted(() => mkdir(path, mode))
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw error
    requireDirectory(path)
  }
}

/**
 * Makes a directory and those above it, where they are missing; links to directories will do. (Node's own recursive
 * mkdir never returns where the kernel says ENOENT for ever, as it does in /proc.)
 */
export function makeDirectories(path: string, mode: number): void {
  const found = ifPresent(() => stat(path))
  if (found !== undefined && isDirectory(found)) return
  const parent = parentOf(path)
  if (parent !== path) makeDirectories(parent, mode)
  makeDirectory(path, mode)
}

/** Throws ENOENT, or ENOTDIR for anything that is not a directory itself, a symbolic link to one included. */
export function requireDirectory(path: string): Status {
  const found = uninterrupted(() => lstat(path))
  if (isDirectory(found)) return found
  throw Object.assign(new Error(`ENOTDIR: not a directory, lstat '${path}'`), { code: 'ENOTDIR', path })
}

const REASONS: Readonly<Record<string, string>> = {
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the file system',
  EDQUOT: 'the quota is used up',
  EIO: 'the device reports an error',
  ELOOP: 'a symbolic link stands there, which is not followed',
  ENOTDIR: 'want a directory, found something else or a symbolic link',
  ESPIPE: 'want a regular file',
  EISDIR: 'want a regular file, found a directory',
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
}

/** IO, or PERMISSION, for a refused call: `create lease /var/lib/cni/networks/a/10.0.0.2: no space is left`. */
export function fileError(deed: string, path: string, error: unknown): TnetError {
  if (error instanceof TnetError) return error
  const errno = errnoCode(error) ?? ''
  const why = REASONS[errno] ?? (error instanceof Error ? error.message : String(error))
  const code = errno === 'EACCES' || errno === 'EPERM' ? 'PERMISSION' : 'IO'
  return new TnetError(code, `${deed} ${path}: ${why}`, remedy(errno), { cause: error })
}

function remedy(errno: string): string {
  if (['EACCES', 'EPERM'].includes(errno)) return process.geteuid?.() === 0 ? '' : 'run as root'
  if (['EROFS', 'ENOSPC', 'EDQUOT', 'EIO'].includes(errno))
    return 'it must be on a writable file system with space left'
  return ''
}

function writeAll(fd: number, bytes: Uint8Array): void {
  let offset = 0
  while (offset < bytes.length) {
    offset += uninterrupted(() => write(fd, bytes.subarray(offset), offset))
  }
}
