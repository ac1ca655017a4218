// A question that only a clear yes answers.
import { createInterface } from 'node:readline/promises'
import type { Context } from './io.ts'

/** Reads one line of standard input; its end is a no. */
export async function confirmed(
  warning: string,
  { io, print }: Pick<Context, 'io' | 'print'>,
): Promise<boolean> {
  await print(`${warning}Are you sure you want to continue? [y/N] `)
  const lines = createInterface({ input: io.stdin })
  try {
    for await (const line of lines) return /^y(es)?$/i.test(line.trim())
    return false
  } finally {
    lines.close()
  }
}
