// Sockets between the processes of one machine, named in the file system: whole messages, and descriptors with them.
import { addon } from './addon.ts'
import { scratch } from './scratch.ts'
import { bind, close, done, setsockopt, socket } from './syscalls.ts'

const AF_UNIX = 1
const SOCK_SEQPACKET = 5
const SOL_SOCKET = 1
const SO_PEERCRED = 17
const SO_RCVTIMEO = 20
const SHUT_RDWR = 2
const F_GETFD = 1
const F_SETFL = 4
const F_SETOWN = 8
const F_SETSIG = 10
const F_DUPFD_CLOEXEC = 1030
const O_NONBLOCK = 0o4000
const O_ASYNC = 0o20000
const SIGKILL = 9
/** A message and its descriptors: more than the environment of a call takes. */
const ROOM = 256 * 1024
const MOST_DESCRIPTORS = 8

/** A socket bound to `path`, which must not exist. */
export function bound(path: string): number {
  const fd = socket(AF_UNIX, SOCK_SEQPACKET, 0)
  try {
    const name = new TextEncoder().encode(path)
    const address = new Uint8Array(2 + name.length + 1)
    new DataView(address.buffer).setUint16(0, AF_UNIX, true)
    address.set(name, 2)
    bind(fd, address)
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}

export function listen(fd: number, backlog: number): void {
  done('listen', addon().listen(fd, backlog))
}

/** A new connection. Throws EAGAIN after the socket's `receiveTimeout`, EINVAL once it was shut down. */
export function accept(fd: number): number {
  return done('accept', addon().accept(fd))
}

/** Ends all waiting on the socket, in every process that has it. */
export function shutdown(fd: number): void {
  done('shutdown', addon().shutdown(fd, SHUT_RDWR))
}

/** How long accept and receive wait at the most. */
export function receiveTimeout(fd: number, seconds: number): void {
  const value = new BigInt64Array([BigInt(seconds), 0n])
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(value.buffer))
}

/** The process at the other end, as it was when it connected. */
export function peerOf(fd: number): { readonly pid: number; readonly uid: number } {
  const into = new Int32Array(3)
  done('getsockopt', addon().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, new Uint8Array(into.buffer)))
  const [pid = 0, uid = -1] = into
  return { pid, uid }
}

export interface Message {
  readonly bytes: Uint8Array
  /** Whoever receives them closes them. */
  readonly descriptors: readonly number[]
}

/** The next message; an empty one where the other end is closed. Throws EMSGSIZE, and EAGAIN after the timeout. */
export function receive(fd: number): Message {
  const into = scratch(ROOM)
  const fds = new BigUint64Array(1 + MOST_DESCRIPTORS)
  const size = done('recvmsg', addon().recvmsg(fd, into, fds))
  const [count = 0n, ...descriptors] = fds
  return { bytes: into.subarray(0, size), descriptors: descriptors.slice(0, Number(count)).map(Number) }
}

/**
 * Has the kernel kill this process as soon as the pipe is written into, or nobody can any more. A socket that has had
 * messages is of no use here: the kernel tells of one a little after it can be received, and that would kill too.
 */
export function dieWithWriter(fd: number): void {
  done('fcntl', addon().fcntl(fd, F_SETOWN, process.pid))
  done('fcntl', addon().fcntl(fd, F_SETSIG, SIGKILL))
  done('fcntl', addon().fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK))
}

export function outliveWriter(fd: number): void {
  done('fcntl', addon().fcntl(fd, F_SETFL, 0))
}

/** dup2(2): `to` becomes another descriptor of what `from` is one of. */
export function replaceDescriptor(from: number, to: number): void {
  done('dup2', addon().dup2(from, to))
}

/** Another descriptor of the same, closed on exec. */
export function duplicate(fd: number): number {
  return done('fcntl', addon().fcntl(fd, F_DUPFD_CLOEXEC, 0))
}

export function isOpen(fd: number): boolean {
  return addon().fcntl(fd, F_GETFD, 0) >= 0
}
