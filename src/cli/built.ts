// The program that the build has made, for commands that are about it.
import { basename } from 'node:path'
import { TnetError } from '../errors.ts'

/** What the build calls the program that this process runs. */
const RUNTIME = 'tnet-runtime'

/** The path of this program. Throws BAD_CONFIG where it is run from its sources: `deed` says what that stands in the way of. */
export function builtRuntime(deed: string, remedy: string): string {
  if (basename(process.execPath) === RUNTIME) return process.execPath
  throw new TnetError(
    'BAD_CONFIG',
    `${deed}: this is tnet run from its sources`,
    `npm run build, then ${remedy}`,
  )
}
