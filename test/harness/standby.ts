// Processes that stand by for plugins' calls, on the host of a world.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Netns } from './namespaces.ts'
import type { Subject } from './plugins.ts'
import { until } from './run.ts'
import { scratch } from './tools.ts'

export const SOCKET = '/run/tnet/standby'

export interface Standby extends AsyncDisposable {
  readonly pid: number
  /** The processes that serve, lowest first, once so many are there. */
  workers(count: number): Promise<number[]>
  /** Answers its exit status, or the signal that ended it. */
  end(signal?: 'SIGTERM' | 'SIGKILL'): Promise<number | string>
}

/** For the plugins of a directory that are called on `host`; where that is absent, in the namespace of the test itself. */
export async function standbyOf(
  dir: string,
  workers: number,
  host?: Netns,
  env: Readonly<Record<string, string>> = {},
): Promise<Standby> {
  const before = host === undefined ? [] : ['nsenter', `--net=${host.path}`]
  const [program = '', ...args] = [...before, `${dir}/tnet`, 'standby', '--workers', String(workers)]
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], env })
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>
  const pid = child.pid ?? 0
  const own: Standby = {
    pid,
    async workers(count) {
      let found: number[] = []
      await until(
        `${count} processes stand by`,
        async () => {
          found = waiting(pid)
          return found.length === count
        },
        30_000,
      )
      return found
    },
    async end(signal = 'SIGTERM') {
      if (isRunning(child)) child.kill(signal)
      const [status, by] = await ended
      return status ?? by ?? ''
    },
    async [Symbol.asyncDispose]() {
      await own.end()
    },
  }
  await until('the socket is there', async () => existsSync(SOCKET) || !isRunning(child), 30_000)
  return own
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}

/** Those of its children that have loaded and wait for a call: accept(2) is in the kernel's name of where they sleep. */
function waiting(parent: number): number[] {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim()
  return children
    .split(' ')
    .filter(pid => pid !== '' && isWaiting(pid))
    .map(Number)
    .sort((a, b) => a - b)
}

const ACCEPT = { x64: '288', arm64: '242' }[process.arch as 'x64' | 'arm64']

function isWaiting(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/syscall`, 'utf8').startsWith(`${ACCEPT} 0x3 `)
  } catch {
    return false // it has ended since
  }
}

let copies = 0

/** A copy of a plugin directory whose runtime can be taken away. */
export function copyOf({ name, dir }: Subject): Subject {
  const copy = scratch(`plugins${++copies}`)
  cpSync(dir, copy, { recursive: true, verbatimSymlinks: true })
  return { name, dir: copy }
}

/** Whether launchers can start a process of their own: without, only those who stand by can serve. */
export function startable({ dir }: Subject, may: boolean): void {
  chmodSync(join(dir, 'tnet-runtime'), may ? 0o755 : 0o644)
}
