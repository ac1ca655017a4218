// A plugin whose system calls fail, one at a time: it succeeds, or it says so and nothing is left.
import { constants } from 'node:os'
import type { Test } from 'tap'
import { difference } from './kill-sweep.ts'
import { settled } from './refusals.ts'
import { callsFromDeeds, stopAt, type Point, type Stopped, type Target } from './sweep.ts'
import type { World } from './world.ts'

/**
 * What each call may rightly return, the likeliest first; read and write are those of netlink sockets too. The calls
 * of the process's start are left out, as is execve: before it runs, a plugin has no way to say anything. So is setns:
 * a process that cannot come back to its own namespace has to end at once.
 */
const ERRNOS: Readonly<Record<string, readonly (keyof typeof constants.errno)[]>> = {
  read: ['ENOBUFS', 'EINTR', 'EIO', 'ENOMEM'],
  write: ['ENOBUFS', 'EINTR', 'ENOSPC', 'EIO', 'ENOMEM'],
  recvfrom: ['ENOBUFS', 'EINTR', 'ENOMEM'],
  recvmsg: ['ENOBUFS', 'EINTR', 'ENOMEM'],
  sendto: ['ENOBUFS', 'EINTR', 'ENOMEM'],
  sendmsg: ['ENOBUFS', 'EINTR', 'ENOMEM'],
  openat: ['EMFILE', 'ENOSPC', 'EIO', 'EACCES'],
  open: ['EMFILE', 'ENOSPC', 'EIO', 'EACCES'],
  pwrite64: ['ENOSPC', 'EINTR', 'EIO'],
  ftruncate: ['ENOSPC', 'EIO'],
  fsync: ['EIO', 'ENOSPC'],
  fdatasync: ['EIO', 'ENOSPC'],
  getdents64: ['EIO'],
  mkdir: ['ENOSPC', 'EROFS', 'EIO'],
  mkdirat: ['ENOSPC', 'EROFS', 'EIO'],
  unlink: ['EIO', 'EROFS'],
  unlinkat: ['EIO', 'EROFS'],
  rename: ['ENOSPC', 'EIO'],
  renameat: ['ENOSPC', 'EIO'],
  renameat2: ['ENOSPC', 'EIO'],
  link: ['ENOSPC', 'EIO'],
  linkat: ['ENOSPC', 'EIO'],
  symlink: ['ENOSPC', 'EIO'],
  utimensat: ['EIO', 'EROFS'],
  flock: ['EINTR', 'ENOLCK'],
  socket: ['EMFILE', 'ENOBUFS', 'EPERM'],
  bind: ['ENOBUFS', 'ENOMEM'],
  setsockopt: ['ENOBUFS', 'ENOMEM'],
}

/** All errnos instead of the two likeliest of each call. */
const IS_FULL = process.env['TNET_TEST_FULL'] === '1'

export interface ErrnoSweep {
  readonly world: World
  readonly type: string
  readonly config: object
  readonly failing: 'ADD' | 'DEL'
}

export interface Fault extends Point {
  readonly errno: string
  readonly what: string
}

/** Fails every call in every way; answers what went wrong by that. */
export async function errnoSweep(t: Test, sweep: ErrnoSweep): Promise<Fault[]> {
  const { world, type, failing, config } = sweep
  const call = (verb: 'ADD' | 'DEL') => world.call(verb, config, { type })
  await call('ADD')
  await call('DEL')
  const before = settled(await world.snapshot())
  const target: Target = { world, type, verb: failing, config }
  if (failing === 'DEL') await call('ADD')
  const first = await callsFromDeeds(target)
  if (failing === 'ADD') await call('DEL')

  const faults: Fault[] = []
  let injected = 0
  for (const [syscall, start] of first) {
    for (const errno of (ERRNOS[syscall] ?? []).slice(0, IS_FULL ? Infinity : 2)) {
      for (let n = start; ; n++) {
        if (failing === 'DEL') await call('ADD')
        const stopped = await stopAt(target, { syscall, n }, { by: 'error', errno: constants.errno[errno] })
        const what = [...answer(stopped, syscall), ...(await remains(sweep, stopped, before))]
        if (what.length > 0) {
          faults.push({ syscall, n, errno, what: what.join('\n') })
          await call('DEL')
        }
        if (!stopped.hit) break
        injected++
      }
    }
  }
  t.comment(`${type} ${failing}: ${injected} errors of system calls`)
  t.ok(injected > 0, 'calls did fail')
  return faults
}

/** Success, or an error of CNI on standard output; never a signal or a trace. */
function answer({ code, stdout, stderr }: Stopped, syscall: string): string[] {
  if (code === 0) return []
  // Where standard output itself fails, the exit status is all that can be said.
  if (syscall === 'write' && code === 1 && stdout === '') return []
  try {
    const { code: number, msg } = JSON.parse(stdout) as Record<string, unknown>
    if (code === 1 && typeof number === 'number' && typeof msg === 'string') return []
  } catch {
    // Told below.
  }
  return [`exit status ${code}: ${stdout}${stderr}`]
}

/** A failed ADD has undone all; a DEL that says 0 has left nothing; and after one more DEL nothing is left in any case. */
async function remains(
  { world, type, config, failing }: ErrnoSweep,
  { code }: Stopped,
  before: string,
): Promise<string[]> {
  const left: string[] = []
  const look = async (when: string) => {
    const after = settled(await world.snapshot())
    if (after !== before) left.push(`${when}: ${difference(before, after)}`)
  }
  if (failing === 'ADD' ? code !== 0 : code === 0)
    await look(failing === 'ADD' ? 'a failed ADD left' : 'a DEL that said 0 left')
  const deleted = await world.call('DEL', config, { type })
  if (deleted.code !== 0) left.push(`DEL: ${deleted.stdout}${deleted.stderr}`)
  await look('after DEL')
  return left
}
