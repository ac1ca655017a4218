// One deed for each of several names: what fails is told, the rest is done, and the exit status says so.
import { CODES, asTnetError } from '../errors.ts'
import type { Context } from './io.ts'
import { failure } from './text.ts'

/** Answers the exit status: that of the first failure. */
export async function each<T>(
  names: readonly T[],
  { warn }: Pick<Context, 'warn'>,
  deed: (name: T) => Promise<void>,
): Promise<number> {
  let status = 0
  for (const name of names) {
    try {
      await deed(name)
    } catch (error) {
      const failed = asTnetError(error)
      await warn(failure(failed))
      status ||= CODES[failed.code][2]
    }
  }
  return status
}
