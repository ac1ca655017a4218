// Stops a plugin at its system calls, one after the other, and looks at what is left.
import { readFileSync } from 'node:fs'
import { callEnvironment, type Verb } from './plugins.ts'
import type { Ran } from './run.ts'
import { ownTool, scratch } from './tools.ts'
import type { World } from './world.ts'

/**
 * The calls that change something outside the process, or stand between two that do. What is left by a death at any
 * other call is what is left by one at the next of these.
 */
const TELLING = `
  openat open openat2 creat read pread64 write pwrite64 writev pwritev close getdents64 ftruncate fallocate fsync
  fdatasync utimensat fchmod fchmodat chmod mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat
  symlink symlinkat flock fcntl setns mount umount2 socket bind connect setsockopt sendto sendmsg sendmmsg recvfrom
  recvmsg recvmmsg ioctl execve vfork exit_group`
  .trim()
  .split(/\s+/)

/** The first of these ends the start of the process: what went before has changed nothing. */
const FIRST_DEEDS = 'socket setns flock mkdir mkdirat link linkat rename renameat renameat2 mount bind'.split(
  ' ',
)

/** A call of a plugin that is repeated, with a point at which it is stopped. */
export interface Target {
  readonly world: World
  readonly type: string
  readonly verb: Verb
  readonly config: object
  readonly containerId?: string
  readonly ifname?: string | undefined
}

/** `syscall` number `n` of all threads of the process. */
export interface Point {
  readonly syscall: string
  readonly n: number
}

export type Stop = { readonly by: 'kill' | 'killgroup' } | { readonly by: 'error'; readonly errno: number }

export interface Stopped extends Ran {
  /** False where the process ended without coming to the point. */
  readonly hit: boolean
}

async function inject(target: Target, args: readonly string[]): Promise<{ ran: Ran; report: string }> {
  const { world, type, verb, config, containerId, ifname } = target
  const report = scratch('report')
  const env = callEnvironment(world.subject.dir, {
    verb,
    config,
    containerId,
    ifname,
    netns: world.sandbox.path,
  })
  const file = await ownTool('inject')
  const program = `${world.subject.dir}/${type}`
  const ran = await world.host.attempt(file, [report, ...args, '--', program], {
    env,
    input: JSON.stringify(config),
  })
  return { ran, report: readFileSync(report, 'utf8') }
}

/** Runs the call and stops it at the point. */
export async function stopAt(target: Target, { syscall, n }: Point, stop: Stop): Promise<Stopped> {
  const more = stop.by === 'error' ? [String(stop.errno)] : []
  const { ran, report } = await inject(target, [stop.by, syscall, String(n), ...more])
  return { ...ran, hit: report === 'hit\n' }
}

/**
 * The system calls that the call makes, each with the number at which a sweep of it begins: the first, or with
 * `fromDeeds` a little before the process has done its first deed. Runs the call once, to its end.
 */
export async function starts(target: Target, fromDeeds = false): Promise<Map<string, number>> {
  const { ran, report } = await inject(target, ['trace'])
  if (ran.code !== 0) throw new Error(`${target.verb} of ${target.type}: ${ran.stdout}${ran.stderr}`)
  const calls = report.split('\n').map(line => line.split(' ')[0] ?? '')
  // The launcher has a socket too, which asks whether somebody stands by: until it executes the runtime, it does nothing else.
  const program = calls.lastIndexOf('execve')
  const first = calls.findIndex((call, index) => index > program && FIRST_DEEDS.includes(call))
  const deed = fromDeeds ? Math.max(0, first) : 0
  const before = (syscall: string) => calls.slice(0, deed).filter(call => call === syscall).length
  const seen = TELLING.filter(syscall => calls.includes(syscall))
  // A little, since calls of other threads may come earlier or later in another run.
  return new Map(seen.map(syscall => [syscall, Math.max(1, before(syscall) - 2)]))
}
