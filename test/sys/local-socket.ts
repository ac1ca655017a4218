import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fstatSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import {
  accept,
  bound,
  listen,
  peerOf,
  receive,
  receiveTimeout,
  replaceDescriptor,
  shutdown,
} from '../../src/sys/local-socket.ts'
import { close, open, write } from '../../src/sys/syscalls.ts'
import { temporary } from '../harness/temporary.ts'

/** A process of another program that connects, sends `messages`, and waits for its input to end. */
function client(path: string, sends: string) {
  const script = `import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
rights = lambda *fds: [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))]
${sends}
sys.stdin.read()`
  const child = spawn('python3', ['-c', script, path], { stdio: ['pipe', 'inherit', 'inherit'] })
  const ended = once(child, 'exit')
  return { pid: child.pid, end: () => (child.stdin.end(), ended) }
}

t.test('messages, and descriptors with them', async t => {
  using folder = temporary()
  const path = join(folder.path, 'socket')
  const socket = bound(path)
  listen(socket, 4)
  const other = client(
    path,
    `s.sendmsg([b'one'], rights(os.open('/', 0), os.open('/tmp', 0)))
s.sendmsg([b'two'])
s.sendmsg([b'many'], rights(*[0] * 9))
s.sendmsg([b'x' * 100000])`,
  )
  const connection = accept(socket)
  t.strictSame(peerOf(connection), { pid: other.pid, uid: process.getuid?.() })
  const { bytes, descriptors } = receive(connection)
  t.equal(Buffer.from(bytes).toString(), 'one')
  t.strictSame(
    descriptors.map(fd => fstatSync(fd).ino),
    [statSync('/').ino, statSync('/tmp').ino],
  )
  replaceDescriptor(descriptors[0] ?? -1, descriptors[1] ?? -1)
  t.equal(fstatSync(descriptors[1] ?? -1).ino, statSync('/').ino)
  descriptors.forEach(close)
  const next = open('/', 0, 0)
  close(next)
  const second = receive(connection)
  t.strictSame([Buffer.from(second.bytes).toString(), second.descriptors], ['two', []])
  t.throws(() => receive(connection), { code: 'EMSGSIZE' })
  t.equal(receive(connection).bytes.length, 100_000)
  const free = open('/', 0, 0)
  t.equal(free, next, 'the descriptors of the message that was too much are closed')
  close(free)
  await other.end()
  t.equal(receive(connection).bytes.length, 0)
  t.throws(() => write(connection, Uint8Array.of(1)), { code: 'EPIPE' })
  close(connection)
  close(socket)
})

t.test('waiting has an end', async t => {
  using folder = temporary()
  const socket = bound(join(folder.path, 'socket'))
  t.throws(() => bound(join(folder.path, 'socket')), { code: 'EADDRINUSE' })
  t.throws(() => bound(join(folder.path, 'none/socket')), { code: 'ENOENT' })
  listen(socket, 4)
  receiveTimeout(socket, 1)
  t.throws(() => accept(socket), { code: 'EAGAIN' })
  shutdown(socket)
  t.throws(() => accept(socket), { code: 'EINVAL' })
  close(socket)
})

/** Reads a pipe as a process of its own: the answer is how that ends, once another one has written into the pipe and has closed it. */
async function reading(after: string): Promise<unknown[]> {
  const module = join(import.meta.dirname, '../../src/sys/local-socket.ts')
  const script = `import { dieWithWriter, outliveWriter } from '${module}'
${after}
console.log('reads')
setTimeout(() => process.exit(3), 1000)`
  const child = spawn(
    'sh',
    ['-c', 'cat | "$@"', 'sh', process.execPath, '--input-type=module-typescript', '-e', script],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  child.stdin.end()
  return ended
}

t.test('the kernel ends who dies with the other end', async t => {
  t.strictSame(await reading('dieWithWriter(0)'), [128 + constants.signals.SIGKILL, null])
  t.strictSame(await reading('dieWithWriter(0); outliveWriter(0)'), [3, null])
})
