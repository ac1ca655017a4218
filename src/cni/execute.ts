// Runs another plugin: identical standard input, its standard output collected, its standard error passed on as it comes.
import { setTimeout as wait } from 'node:timers/promises'
import { errnoCode, TnetError } from '../errors.ts'
import { writeOutput } from '../sys/stdio.ts'

export interface Execution {
  readonly path: string
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  readonly stdin: Uint8Array
}

export interface Ended {
  /** Null where a signal ended it. */
  readonly status: number | null
  readonly signal: string | null
  readonly stdout: string
  /** The end of what it wrote to standard error. */
  readonly stderr: string
}

/** A result is a few hundred bytes; more than this is no result. */
const MAX_STDOUT = 1024 * 1024
/** Bytes of standard error that are kept. */
const MAX_STDERR = 1024
/** Milliseconds after its end that its standard error is waited for: one of its children may have it still. */
const STDERR_WAIT = 250
/** While a file is being written it cannot be executed: an installer may be copying the plugin. */
const BUSY_ATTEMPTS = 50
const BUSY_WAIT = 100

/** Resolves when the program has ended and its output is read. Throws TnetError where it cannot be started. */
export async function execute(execution: Execution): Promise<Ended> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(execution)
    } catch (error) {
      if (errnoCode(error) !== 'ETXTBSY' || attempt === BUSY_ATTEMPTS)
        throw asStartError(error, execution.path)
    }
    await wait(BUSY_WAIT)
  }
}

async function once({ path, env, stdin }: Execution): Promise<Ended> {
  const { spawn } = await import('node:child_process')
  return new Promise((resolve, reject) => {
    const child = spawn(path, [], { env, stdio: ['pipe', 'pipe', 'pipe'] })
    const chunks: Uint8Array[] = []
    let size = 0
    let said = Buffer.alloc(0)
    child.stdout.on('data', (chunk: Uint8Array) => {
      size += chunk.length
      if (size <= MAX_STDOUT) chunks.push(chunk)
      if (size <= MAX_STDOUT) return
      child.kill('SIGKILL')
      child.stdout.destroy() // one of its children may have it still
    })
    child.stderr.on('data', (chunk: Uint8Array) => {
      said = Buffer.concat([said, chunk]).subarray(-MAX_STDERR)
      writeOutput(2, chunk).catch(() => {}) // nobody reads ours
    })
    child.on('exit', () => setTimeout(() => child.stderr.destroy(), STDERR_WAIT).unref())
    // A program may end without reading its input: its answer says what that means.
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
    child.on('error', reject)
    child.on('close', (status, signal) => {
      const stdout = Buffer.concat(chunks).toString()
      if (size <= MAX_STDOUT) resolve({ status, signal, stdout, stderr: said.toString() })
      else reject(new TnetError('INTERNAL', `${path}: it printed more than ${MAX_STDOUT} bytes`))
    })
  })
}

function asStartError(error: unknown, path: string): unknown {
  if (error instanceof TnetError || errnoCode(error) === undefined) return error
  const why = error instanceof Error ? error.message : String(error)
  return new TnetError('INTERNAL', `execute ${path}: ${why}`, 'is it an executable for this machine?', {
    cause: error,
  })
}
