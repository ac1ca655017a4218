// Finds and loads the native addon: beside the compiled executable, else where node-gyp builds it.
import { parentOf } from './path.ts'

/** Each function returns what the system call returned, or -errno. */
export interface Addon {
  socket(domain: number, type: number, protocol: number, netns: number): number
  open(path: string, flags: number, mode: number, netns: number): number
  close(fd: number): number
  read(fd: number, into: Uint8Array, offset: number): number
  write(fd: number, bytes: Uint8Array, offset: number): number
  ftruncate(fd: number, length: number): number
  mkdir(path: string, mode: number): number
  unlink(path: string): number
  symlink(target: string, path: string): number
  readlink(path: string, into: Uint8Array): number
  access(path: string, mode: number): number
  lutimes(path: string, seconds: number): number
  /** Puts device, inode, mode, owner, and the modification time's seconds and nanoseconds into `into`. */
  stat(path: string, flags: number, into: BigUint64Array): number
  fstat(fd: number, into: BigUint64Array): number
  fstatfs(fd: number): number
  getrandom(into: Uint8Array): number
  bind(fd: number, address: Uint8Array): number
  setsockopt(fd: number, level: number, name: number, value: Uint8Array): number
  getsockopt(fd: number, level: number, name: number, into: Uint8Array): number
  listen(fd: number, backlog: number): number
  accept(fd: number): number
  shutdown(fd: number, how: number): number
  /** Puts the count of descriptors, then the descriptors into `fds`. */
  recvmsg(fd: number, into: Uint8Array, fds: BigUint64Array): number
  poll(fd: number, events: number): number
  dup2(from: number, to: number): number
  fcntl(fd: number, command: number, argument: number): number
  ioctl(fd: number, request: number, argument: number | Uint8Array): number
  flock(fd: number, operation: number): number
  createNetns(path: string): number
  removeNetns(path: string): number
  exec(netns: number, file: string, argv: readonly string[], env: readonly string[]): number
}

let loaded: Addon | undefined

/** The addon, loaded on first use: a VERSION call never pays for it. */
export function addon(): Addon {
  loaded ??= load(location())
  return loaded
}

function load(path: string): Addon {
  const module = { exports: {} }
  process.dlopen(module, path)
  return module.exports as Addon
}

/** `compiled` is set by the build of the executables: they load only what lies beside them. */
declare const TNET_COMPILED: boolean | undefined

function location(): string {
  if (typeof TNET_COMPILED !== 'undefined') return `${parentOf(process.execPath)}/tnet.node`
  const { existsSync } = process.getBuiltinModule('node:fs')
  let folder = import.meta.dirname
  while (!existsSync(`${folder}/binding.gyp`)) {
    if (folder === parentOf(folder))
      throw new Error(`no binding.gyp above ${import.meta.dirname}: is the package complete?`)
    folder = parentOf(folder)
  }
  return `${folder}/build/Release/tnet.node`
}
