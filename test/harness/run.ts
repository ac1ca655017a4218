// Starts programs: argument lists, never a shell; the answer carries the exit status, so that tests can expect failure.
import { spawn } from 'node:child_process'

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
  /** Milliseconds until SIGKILL: a minute where absent. */
  readonly timeout?: number | undefined
}

/** Runs a program to its end, whatever its exit status. Rejects where it cannot be started. */
export function attempt(file: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { env, input, cwd, timeout = 60_000 } = options
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: env ?? process.env, cwd, timeout, killSignal: 'SIGKILL' })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
    // A program may end without reading its input: that is for the test to judge, by its answer.
    child.stdin.on('error', () => {})
    child.stdin.end(input ?? '')
  })
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
