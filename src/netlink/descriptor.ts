// The fd of a netlink socket: opened, bound and set up by system calls.
import { errnoCode } from '../errors.ts'
import { bind, close, type NetnsFd, read, setsockopt, socket, write } from '../sys/syscalls.ts'
import { encode, i32, u16, u32, u64 } from '../wire/codec.ts'
import { pad, struct } from '../wire/struct.ts'

const AF_NETLINK = 16
const SOCK_RAW = 3
const SOL_SOCKET = 1
const SO_SNDBUF = 7
const SO_RCVBUF = 8
const SO_RCVTIMEO = 20
const SO_SNDBUFFORCE = 32
const SO_RCVBUFFORCE = 33
const SOL_NETLINK = 270
const NETLINK_ADD_MEMBERSHIP = 1
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11
const NETLINK_GET_STRICT_CHK = 12

export const NETLINK_ROUTE = 0
export const NETLINK_NETFILTER = 12
export const NETLINK_GENERIC = 16

/** struct sockaddr_nl { sa_family_t nl_family; unsigned short nl_pad; __u32 nl_pid; __u32 nl_groups; } */
const sockaddr = struct({ family: u16, pad: pad(2), port: u32, groups: u32 })
const timeval = struct({ seconds: u64, microseconds: u64 })

const ONE = encode(i32, 1)

/** An fd in the namespace `netns`, with full error messages and strict checks of dump requests. Throws SystemError. */
export function openNetlink(protocol: number, groups: readonly number[], netns: NetnsFd): number {
  const fd = socket(AF_NETLINK, SOCK_RAW, protocol, netns)
  try {
    bind(fd, encode(sockaddr, { family: AF_NETLINK, port: 0, groups: 0 }))
    setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, ONE)
    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, ONE)
    if (protocol === NETLINK_ROUTE) setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, ONE)
    for (const group of groups) setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, encode(i32, group))
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}

/** How long a read waits before it fails with EAGAIN. */
export function receiveTimeout(fd: number, milliseconds: number): void {
  const seconds = Math.floor(milliseconds / 1000)
  const microseconds = Math.max(1, Math.round((milliseconds - 1000 * seconds) * 1000))
  setsockopt(
    fd,
    SOL_SOCKET,
    SO_RCVTIMEO,
    encode(timeval, { seconds: BigInt(seconds), microseconds: BigInt(microseconds) }),
  )
}

/** Asks for room for `bytes` of unread messages. */
export function receiveBuffer(fd: number, bytes: number): void {
  buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, bytes)
}

/** The kernel takes a datagram whole or not at all: what is larger than the buffer for sending makes that grow. */
export function writeDatagram(fd: number, bytes: Uint8Array): void {
  try {
    again(() => write(fd, bytes))
  } catch (error) {
    if (errnoCode(error) !== 'EMSGSIZE') throw error
    buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, bytes.length)
    again(() => write(fd, bytes))
  }
}

/** Waits for one datagram and puts it into `into`; answers with that part of it. */
export function readDatagram(fd: number, into: Uint8Array): Uint8Array {
  return into.subarray(
    0,
    again(() => read(fd, into)),
  )
}

/** Without CAP_NET_ADMIN on the machine, buffers grow only as far as its settings allow. */
function buffer(fd: number, force: number, ask: number, bytes: number): void {
  try {
    setsockopt(fd, SOL_SOCKET, force, encode(i32, bytes))
  } catch (error) {
    if (errnoCode(error) !== 'EPERM') throw error
    setsockopt(fd, SOL_SOCKET, ask, encode(i32, bytes))
  }
}

function again<T>(deed: () => T): T {
  for (;;) {
    try {
      return deed()
    } catch (error) {
      if (errnoCode(error) !== 'EINTR') throw error
    }
  }
}
