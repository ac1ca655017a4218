// Runs a program inside a sandbox, in place of this process.
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { asTnetError, errnoCode, TnetError } from '../errors.ts'
import { openSandbox } from '../net/sandbox.ts'
import { exec } from '../sys/syscalls.ts'

export interface Program {
  /** The program and its arguments. */
  readonly argv: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  /** What relative paths start from. */
  readonly cwd: string
}

/** Why a program did not run, and the exit status that shells have for it. */
export interface NotRun {
  readonly status: 126 | 127
  readonly error: TnetError
}

/** Only returns where the program could not be run. Throws what is wrong with the sandbox: BAD_NETNS, PERMISSION. */
export async function execInSandbox(path: string, { argv, env, cwd }: Program): Promise<NotRun> {
  using sandbox = openSandbox(path, { ownAllowed: true })
  const searched = env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin'
  const candidates = candidatesFor(argv[0], searched, cwd)
  const file = candidates.find(isProgram)
  if (file === undefined) return notFound(argv[0], candidates, searched)
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  try {
    return exec(sandbox.fd, file, argv, variables)
  } catch (error) {
    return refused(file, error)
  }
}

const NO_PROGRAM = 127
const CANNOT_RUN = 126

/** As a shell finds it: a name in PATH, anything with `/` as it is. */
function candidatesFor(name: string, searched: string, cwd: string): string[] {
  if (name === '') return []
  if (name.includes('/')) return [resolve(cwd, name)]
  return searched.split(':').map(folder => join(resolve(cwd, folder), name))
}

function notFound(name: string, candidates: readonly string[], searched: string): NotRun {
  const there = candidates.find(path => existsSync(path))
  if (there !== undefined) {
    const error = new TnetError('PERMISSION', `run ${there}: it is not executable`)
    return { status: CANNOT_RUN, error }
  }
  const details = name.includes('/') ? '' : `searched ${searched}`
  const error = new TnetError('NOT_FOUND', `run ${JSON.stringify(name)}: no such program`, details)
  return { status: NO_PROGRAM, error }
}

function refused(file: string, error: unknown): NotRun {
  const options = { cause: error }
  switch (errnoCode(error)) {
    case 'ENOEXEC': {
      const hint = 'does its first line lack #!?'
      return {
        status: CANNOT_RUN,
        error: new TnetError('BAD_CONFIG', `run ${file}: it is no program`, hint, options),
      }
    }
    case 'ENOENT': {
      const why = 'the interpreter that it names does not exist'
      return { status: NO_PROGRAM, error: new TnetError('NOT_FOUND', `run ${file}: ${why}`, '', options) }
    }
    default:
      return { status: CANNOT_RUN, error: asTnetError(error) }
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
