// Starts programs: argument lists, never a shell; the answer carries the exit status, so that tests can expect failure.
import { constants } from 'node:os'
import { getSystemErrorMessage } from 'node:util'
import { spawn } from './spawner.ts'

export interface Ran {
  /** The exit status; null where a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** The whole environment; the caller's own where it is absent. */
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly input?: string | undefined
  readonly cwd?: string | undefined
  /** The path of the network namespace that it runs in; the test's own where absent. */
  readonly netns?: string | undefined
  /** Milliseconds until SIGKILL: a minute where absent. */
  readonly timeout?: number | undefined
}

/** Runs a program to its end, whatever its exit status. Rejects where it cannot be started. */
export async function attempt(file: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { env = process.env, input = '', cwd = process.cwd(), netns = '', timeout = 60_000 } = options
  const { status, stdout, stderr } = await spawn({ argv: [file, ...args], env, input, cwd, netns }, timeout)
  if (status < 0) throw new Error(`${file}: ${getSystemErrorMessage(status)}`)
  const [signal] = Object.entries(constants.signals).find(([, number]) => number === (status & 127)) ?? []
  return {
    code: signal === undefined ? status >> 8 : null,
    signal: (signal as NodeJS.Signals | undefined) ?? null,
    stdout,
    stderr,
  }
}

/** Runs a program that has to succeed; answers its standard output. */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, signal, stdout, stderr } = await attempt(file, args, options)
  if (code !== 0)
    throw new Error(`${file} ${args.join(' ')}: ${signal ?? `exit status ${code}`}: ${stderr || stdout}`)
  return stdout
}

/** Repeats `condition` until it holds. Rejects at the deadline, with the name of what did not come. */
export async function until(
  name: string,
  condition: () => Promise<boolean>,
  milliseconds = 5000,
): Promise<void> {
  const deadline = Date.now() + milliseconds
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${name}: not within ${milliseconds} ms`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
