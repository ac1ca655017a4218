// The system calls of the addon as functions that throw. On the way of a plugin's call nothing else enters the kernel:
// loading node:fs would take a millisecond of it.
import { addon } from './addon.ts'
import { errnoName } from './errno.ts'
import { scratch } from './scratch.ts'

/** include/uapi/asm-generic/fcntl.h */
export const O_RDONLY = 0
export const O_WRONLY = 1
export const O_RDWR = 2
export const O_CREAT = 0o100
export const O_EXCL = 0o200
export const O_NONBLOCK = 0o4000
/** The one that aarch64 numbers otherwise. */
export const O_NOFOLLOW = process.arch === 'arm64' ? 0o100000 : 0o400000

const AT_SYMLINK_NOFOLLOW = 0x100
const X_OK = 1
const S_IFMT = 0o170000
const S_IFREG = 0o100000
const S_IFDIR = 0o040000
const S_IFLNK = 0o120000
const PATH_MAX = 4096

/** A refused system call. `code` is the errno's name, as in Node's own errors. */
export class SystemError extends Error {
  readonly code: string
  readonly errno: number
  readonly syscall: string

  constructor(syscall: string, errno: number, thing?: string) {
    const code = errnoName(errno)
    super(`${syscall}${thing === undefined ? '' : ` ${thing}`}: ${code}`)
    this.name = 'SystemError'
    this.code = code
    this.errno = errno
    this.syscall = syscall
  }
}

/** The result of a call of the addon. Throws SystemError where it is an errno. */
export function done(syscall: string, result: number, thing?: string): number {
  if (result < 0) throw new SystemError(syscall, -result, thing)
  return result
}

/** An fd of a network namespace, or nothing for that of this process. */
export type NetnsFd = number | undefined

/** socket(2), made in the namespace `netns`. The socket stays there; its fd is closed on exec. */
export function socket(domain: number, type: number, protocol: number, netns?: NetnsFd): number {
  return done('socket', addon().socket(domain, type, protocol, netns ?? -1))
}

/** open(2), made in the namespace `netns`: what /proc/sys/net shows depends on it. */
export function open(path: string, flags: number, mode: number, netns?: NetnsFd): number {
  return done('open', addon().open(path, flags, mode, netns ?? -1), path)
}

export function close(fd: number): void {
  done('close', addon().close(fd))
}

/** read(2), or pread(2) from `offset`. Answers with the count of bytes; 0 at the end. */
export function read(fd: number, into: Uint8Array, offset = -1): number {
  return done('read', addon().read(fd, into, offset))
}

/** write(2), or pwrite(2) at `offset`. Answers with the count of bytes that were taken. */
export function write(fd: number, bytes: Uint8Array, offset = -1): number {
  return done('write', addon().write(fd, bytes, offset))
}

const EVENTS = { readable: 0x1, writable: 0x4 } as const

/** Waits until a read or a write would not: poll(2). Throws EINTR. */
export function wait(fd: number, until: keyof typeof EVENTS): void {
  done('poll', addon().poll(fd, EVENTS[until]))
}

export function ftruncate(fd: number, length: number): void {
  done('ftruncate', addon().ftruncate(fd, length))
}

export function mkdir(path: string, mode: number): void {
  done('mkdir', addon().mkdir(path, mode), path)
}

export function unlink(path: string): void {
  done('unlink', addon().unlink(path), path)
}

export function symlink(target: string, path: string): void {
  done('symlink', addon().symlink(target, path), path)
}

/** What a symbolic link says. Throws EINVAL where it is something else. */
export function readlink(path: string): string {
  const into = scratch(PATH_MAX)
  const length = done('readlink', addon().readlink(path, into), path)
  return new TextDecoder().decode(into.subarray(0, length))
}

/** Whether this process may execute the file. */
export function isExecutable(path: string): boolean {
  return addon().access(path, X_OK) === 0
}

/** Dates a file, or a symbolic link itself, in seconds since 1970. */
export function lutimes(path: string, seconds: number): void {
  done('utimensat', addon().lutimes(path, seconds), path)
}

/** struct stat, as much of it as is asked for. Numbers that identify are whole: a double cannot hold every inode. */
export interface Status {
  readonly dev: bigint
  readonly ino: bigint
  readonly mode: number
  readonly uid: number
  readonly mtimeNs: bigint
}

export function stat(path: string): Status {
  return statAt(path, 0)
}

/** As `stat`; of a symbolic link itself. */
export function lstat(path: string): Status {
  return statAt(path, AT_SYMLINK_NOFOLLOW)
}

export function fstat(fd: number): Status {
  const fields = new BigUint64Array(6)
  done('fstat', addon().fstat(fd, fields))
  return status(fields)
}

function statAt(path: string, flags: number): Status {
  const fields = new BigUint64Array(6)
  done('stat', addon().stat(path, flags, fields), path)
  return status(fields)
}

function status([dev = 0n, ino = 0n, mode, uid, seconds = 0n, nanoseconds = 0n]: BigUint64Array): Status {
  return {
    dev,
    ino,
    mode: Number(mode),
    uid: Number(uid),
    mtimeNs: BigInt.asIntN(64, seconds) * 1_000_000_000n + nanoseconds,
  }
}

export function isFile({ mode }: Status): boolean {
  return (mode & S_IFMT) === S_IFREG
}

export function isDirectory({ mode }: Status): boolean {
  return (mode & S_IFMT) === S_IFDIR
}

export function isSymbolicLink({ mode }: Status): boolean {
  return (mode & S_IFMT) === S_IFLNK
}

/** The type of the file system that an open file is on: include/uapi/linux/magic.h */
export function fileSystem(fd: number): number {
  return done('fstatfs', addon().fstatfs(fd))
}

/** Random bytes, as many as `into` takes. */
export function getrandom(into: Uint8Array): void {
  done('getrandom', addon().getrandom(into))
}

export function bind(fd: number, address: Uint8Array): void {
  done('bind', addon().bind(fd, address))
}

export function setsockopt(fd: number, level: number, name: number, value: Uint8Array): void {
  done('setsockopt', addon().setsockopt(fd, level, name, value))
}

/** ioctl(2) with a number, or with a struct that the kernel reads and may change. */
export function ioctl(fd: number, request: number, argument: number | Uint8Array): number {
  return done('ioctl', addon().ioctl(fd, request, argument))
}

export const LOCK_SH = 1
export const LOCK_EX = 2
export const LOCK_NB = 4

/** flock(2). Throws EAGAIN with LOCK_NB where another holds it. */
export function flock(fd: number, operation: number): void {
  done('flock', addon().flock(fd, operation))
}

/** Mounts a new network namespace on the existing file `path`. */
export function createNetns(path: string): void {
  done('create network namespace', addon().createNetns(path), path)
}

/** Unmounts the namespace from `path`; the file stays. Throws EINVAL where nothing is mounted. */
export function removeNetns(path: string): void {
  done('umount', addon().removeNetns(path), path)
}

/** Replaces this process by the program `file` in the namespace `netns`. Returns only by throwing. */
export function exec(netns: number, file: string, argv: readonly string[], env: readonly string[]): never {
  done('exec', addon().exec(netns, file, argv, env), file)
  throw new SystemError('exec', 0, file)
}
