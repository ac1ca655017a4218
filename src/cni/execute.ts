// Runs another plugin: identical standard input, its standard output collected, its standard error passed through.
import { setTimeout } from 'node:timers/promises'
import { errnoCode, TnetError } from '../errors.ts'

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
}

/** A result is a few hundred bytes; more than this is no result. */
const MAX_STDOUT = 1024 * 1024
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
    await setTimeout(BUSY_WAIT)
  }
}

async function once({ path, env, stdin }: Execution): Promise<Ended> {
  const { spawn } = await import('node:child_process')
  return new Promise((resolve, reject) => {
    const child = spawn(path, [], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    const chunks: Uint8Array[] = []
    let size = 0
    child.stdout.on('data', (chunk: Uint8Array) => {
      size += chunk.length
      if (size <= MAX_STDOUT) chunks.push(chunk)
      if (size <= MAX_STDOUT) return
      child.kill('SIGKILL')
      child.stdout.destroy() // one of its children may have it still
    })
    // A program may end without reading its input: its answer says what that means.
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
    child.on('error', reject)
    child.on('close', (status, signal) => {
      if (size <= MAX_STDOUT) resolve({ status, signal, stdout: Buffer.concat(chunks).toString() })
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
