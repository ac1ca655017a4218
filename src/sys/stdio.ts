// Standard input, output and error as whole texts. Plain reads and writes start faster than streams do, and leave nothing
// behind in a process that serves several calls.
import { errnoCode } from '../errors.ts'
import { scratch } from './scratch.ts'
import { read, wait, write } from './syscalls.ts'

const CHUNK = 64 * 1024

/** Reads standard input until its end, or until `limit` bytes are there. */
export async function readInput(limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  while (size < limit) {
    const chunk = scratch(Math.min(CHUNK, limit - size))
    const count = attempt(
      () => read(0, chunk),
      () => wait(0, 'readable'),
    )
    if (count === 0) break
    chunks.push(chunk.subarray(0, count))
    size += count
  }
  return Buffer.concat(chunks)
}

/** A write that failed; `written` bytes were taken before. `code` is the name of the errno. */
export class WriteError extends Error {
  readonly code: string
  readonly written: number

  constructor(error: unknown, written: number) {
    super(error instanceof Error ? error.message : String(error), { cause: error })
    this.name = 'WriteError'
    this.code = errnoCode(error) ?? 'EIO'
    this.written = written
  }
}

/** Writes all of `output`. Throws WriteError, such as EPIPE. */
export async function writeOutput(fd: 1 | 2, output: string | Uint8Array): Promise<void> {
  const bytes = typeof output === 'string' ? new TextEncoder().encode(output) : output
  let written = 0
  try {
    while (written < bytes.length) {
      written += attempt(
        () => write(fd, bytes.subarray(written)),
        () => wait(fd, 'writable'),
      )
    }
  } catch (error) {
    throw new WriteError(error, written)
  }
}

/** The count of a read or write. Where somebody has made the descriptor non-blocking, it is waited for. */
function attempt(call: () => number, pause: () => void): number {
  for (;;) {
    try {
      return call()
    } catch (error) {
      const code = errnoCode(error)
      if (code === 'EAGAIN') ignoringInterrupts(pause)
      else if (code !== 'EINTR') throw error
    }
  }
}

function ignoringInterrupts(pause: () => void): void {
  try {
    pause()
  } catch (error) {
    if (errnoCode(error) !== 'EINTR') throw error
  }
}
