// Stops a plugin at its system calls, one after the other, and looks at what is left.
import { readFileSync } from 'node:fs'
import { callEnvironment, type Verb } from './plugins.ts'
import type { Ran } from './run.ts'
import { ownTool, scratch } from './tools.ts'
import type { World } from './world.ts'

/** The calls that change something outside the process, or whose failure may change what it does. */
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

/** `syscall` number `n` of all threads of the process; `deed` is any that changes something outside it. */
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
  const file = ownTool('inject')
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

/** The names of the system calls that the call makes, in their order. Runs it once, to its end. */
async function trace(target: Target): Promise<string[]> {
  const { ran, report } = await inject(target, ['trace'])
  if (ran.code !== 0) throw new Error(`${target.verb} of ${target.type}: ${ran.stdout}${ran.stderr}`)
  return report.split('\n').map(line => line.split(' ')[0] ?? '')
}

/** Those that tell, of the ones that the call makes. */
export async function tellingCalls(target: Target): Promise<string[]> {
  const calls = await trace(target)
  return TELLING.filter(syscall => calls.includes(syscall))
}

/**
 * The same, each with the number at which a sweep begins: a little before the process has done its first deed, since
 * calls of other threads may come earlier or later in another run.
 */
export async function callsFromDeeds(target: Target): Promise<Map<string, number>> {
  const calls = await trace(target)
  // The launcher has a socket too, which asks whether somebody stands by: until it executes the runtime, it does nothing else.
  const program = calls.lastIndexOf('execve')
  const first = calls.findIndex((call, index) => index > program && FIRST_DEEDS.includes(call))
  const before = calls.slice(0, Math.max(0, first))
  const start = (syscall: string) => Math.max(1, before.filter(call => call === syscall).length - 2)
  const seen = TELLING.filter(syscall => calls.includes(syscall))
  return new Map(seen.map(syscall => [syscall, start(syscall)]))
}
