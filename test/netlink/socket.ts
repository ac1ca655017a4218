import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import t from 'tap'
import { deleteAddress, getAddress, ifaddrmsg, newAddress } from '../../src/netlink/route/address.ts'
import { RTNLGRP_LINK } from '../../src/netlink/route/groups.ts'
import { newLink } from '../../src/netlink/route/link.ts'
import { NETLINK_ROUTE, NetlinkSocket, request, type Request } from '../../src/netlink/socket.ts'
import { attributes } from '../../src/wire/attributes.ts'
import { DecodeError } from '../../src/wire/bytes.ts'
import { u8 } from '../../src/wire/codec.ts'
import { message, NLM_F_ACK } from '../../src/wire/message.ts'
import { isolated } from '../harness/namespaces.ts'
import { addBridge, linkOf, NEW, scene } from '../harness/netlink.ts'

isolated(import.meta)

/** Changes that cost the kernel little: addresses of lo. */
const address = (n: number) => ({ family: 2, index: 1, prefixLength: 32, local: `10.0.${n >> 8}.${n & 255}` })
const add = (n: number): Request => request(newAddress, address(n), NEW)
const remove = (n: number): Request => request(deleteAddress, address(n))
const many = (count: number): Request[] => Array.from({ length: count }, (_, i) => add(i))

/** Which of the addresses there are. */
async function numbers(socket: NetlinkSocket): Promise<number[]> {
  const all = await socket.dump(getAddress, { family: 2 }, newAddress)
  return all
    .map(({ local = '' }) => local.split('.').map(Number))
    .flatMap(([first, , high = 0, low = 0]) => (first === 10 ? [256 * high + low] : []))
}

t.test('a batch is worked off in order, whatever fails', async t => {
  const { socket } = await scene(t)
  const results = await socket.attempt([add(1), add(1), remove(9), add(2), remove(1)])
  t.same(
    results.map(error => error?.code),
    [undefined, 'EEXIST', 'EADDRNOTAVAIL', undefined, undefined],
  )
  t.same(await numbers(socket), [2])
  await t.rejects(socket.batch([remove(9), add(3), add(2)]), {
    code: 'EADDRNOTAVAIL',
    request: 'RTM_DELADDR',
  })
  t.same(await numbers(socket), [2, 3], 'the first error is told after all was done')
  t.same(await socket.attempt([]), [])
})

t.test('more requests than fit into one batch', async t => {
  const { socket } = await scene(t)
  const results = await socket.attempt([...many(300), add(299), add(300)])
  t.equal(results.length, 302)
  t.same(
    results.flatMap((error, i) => (error === undefined ? [] : [[i, error.code]])),
    [[300, 'EEXIST']],
  )
  t.equal((await numbers(socket)).length, 301)
})

t.test('one system call for a batch', async t => {
  const { fd } = await scene(t)
  let sent = 0
  const trace = (direction: string) => direction === 'send' && sent++
  using socket = new NetlinkSocket(NETLINK_ROUTE, { netns: fd, trace })
  await socket.batch(many(128))
  t.equal(sent, 1)
})

t.test('a batch that is larger than the buffer for sending', async t => {
  const { socket } = await scene(t)
  const unknown = [{ type: 0x3fff, payload: new Uint8Array(60_000) }]
  const index = await addBridge(socket)
  await socket.batch(Array.from({ length: 8 }, (_, i) => request(newLink, { index, mtu: 1400 + i, unknown })))
  t.equal((await linkOf(socket, 'br0')).mtu, 1407)
})

t.test('what is missing is an error, and the socket goes on', async t => {
  const { socket } = await scene(t)
  await t.rejects(linkOf(socket, 'none'), { code: 'ENODEV', errno: 19, request: 'RTM_GETLINK' })
  t.equal((await linkOf(socket, 'lo')).index, 1)
})

/** More than three datagrams of 32 KiB: the kernel has two ready before the first is read. */
const ENOUGH = 2000

/** Makes a change in the middle of each dump, as long as `more` says so: the kernel hands a dump out piece by piece. */
function disturbed(fd: number, other: NetlinkSocket, more: (dumps: number) => boolean) {
  const count = { dumps: 0, changes: 0 }
  let fresh = false
  const socket = new NetlinkSocket(NETLINK_ROUTE, {
    netns: fd,
    trace: direction => {
      if (direction === 'send') {
        count.dumps++
        fresh = true
      } else if (fresh && more(count.dumps)) {
        fresh = false
        other.send([add(ENOUGH + count.changes++)])
      }
    },
  })
  return { socket, count }
}

t.test('a dump that a change interrupted is repeated', async t => {
  const { socket: other, fd } = await scene(t)
  await other.batch(many(ENOUGH))
  const { socket, count } = disturbed(fd, other, dumps => dumps <= 3)
  using _ = socket
  const all = await numbers(socket)
  t.equal(count.dumps, 4)
  t.equal(all.length, ENOUGH + 3)
  t.equal(new Set(all).size, ENOUGH + 3, 'each of them once')
})

t.test('a dump that is interrupted for ever is an error in the end', async t => {
  const { socket: other, fd } = await scene(t)
  await other.batch(many(ENOUGH))
  const { socket } = disturbed(fd, other, () => true)
  using _ = socket
  await t.rejects(numbers(socket), { code: 'EINTR', request: 'RTM_GETADDR' })
})

t.test('a dump that cannot be read is read to its end', async t => {
  const { socket } = await scene(t)
  await socket.batch(many(ENOUGH))
  const wrong = message('RTM_NEWADDR', newAddress.type, ifaddrmsg, attributes({ local: [2, u8] }))
  await t.rejects(socket.dump(getAddress, { family: 2 }, wrong), DecodeError)
  t.equal((await numbers(socket)).length, ENOUGH, 'the next dump is not refused')
})

t.test('a signal does not end a read', async t => {
  const { fd, netns } = await scene(t)
  using socket = new NetlinkSocket(NETLINK_ROUTE, { netns: fd, groups: [RTNLGRP_LINK] })
  const seen = once(process, 'SIGUSR2')
  const script = 'sleep 0.2; kill -USR2 $1; sleep 0.2; ip -n $2 link add x type bridge'
  const child = spawn('sh', ['-c', script, 'sh', String(process.pid), netns.name])
  const [event] = socket.receive()
  t.equal(event?.type, newLink.type)
  await Promise.all([seen, once(child, 'close')])
})

t.test('a read ends at its timeout', async t => {
  const { socket } = await scene(t)
  socket.timeout(30)
  const start = performance.now()
  t.throws(() => socket.receive(), { code: 'EAGAIN' })
  t.ok(performance.now() - start >= 29)
  socket.timeout(0)
  t.throws(() => socket.receive(), { code: 'EAGAIN' }, 'no timeout is not for ever')
})

t.test('messages that were lost are an error of their own', async t => {
  const { socket: other, fd } = await scene(t)
  using socket = new NetlinkSocket(NETLINK_ROUTE, { netns: fd, groups: [RTNLGRP_LINK] })
  socket.receiveBuffer(1)
  const index = await addBridge(other)
  await other.batch(Array.from({ length: 20 }, (_, i) => request(newLink, { index, mtu: 1400 + i })))
  t.throws(() => socket.receive(), { code: 'ENOBUFS' })
})

t.test('requests without waiting', async t => {
  const { socket } = await scene(t)
  const { bytes, starts, first } = socket.send([add(1), remove(1)], NLM_F_ACK)
  t.equal(starts.length, 2)
  t.equal(new Uint32Array(bytes.slice(starts[1] ?? 0).buffer, 8, 1)[0], first + 1)
  const sequences = [...socket.receive(), ...socket.receive()].map(({ sequence }) => sequence)
  t.same(sequences, [first, first + 1])
  t.same(await numbers(socket), [])
})

t.test('closing is idempotent, and leaves nothing open', async t => {
  const { fd } = await scene(t)
  const open = () => readdirSync('/proc/self/fd').length
  const before = open()
  const socket = new NetlinkSocket(NETLINK_ROUTE, { netns: fd })
  t.equal(open(), before + 1)
  socket[Symbol.dispose]()
  const reused = new NetlinkSocket(NETLINK_ROUTE, { netns: fd })
  socket[Symbol.dispose]()
  t.equal((await linkOf(reused, 'lo')).index, 1, 'the second call closes nobody else')
  reused[Symbol.dispose]()
  t.equal(open(), before)
  t.throws(() => new NetlinkSocket(NETLINK_ROUTE, { groups: [9999] }), {
    code: 'EINVAL',
    syscall: 'setsockopt',
  })
  t.throws(() => new NetlinkSocket(NETLINK_ROUTE, { netns: 9999 }), { code: 'EBADF' })
  t.throws(() => new NetlinkSocket(99), { code: 'EPROTONOSUPPORT' })
  t.equal(open(), before)
})

t.test('a socket works in the namespace that it was made for', async t => {
  const here = await scene(t)
  const there = await scene(t)
  await here.socket.batch([add(7)])
  t.same(await numbers(here.socket), [7])
  t.same(await numbers(there.socket), [])
})
