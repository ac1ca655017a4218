// Executes iptables-legacy: its tables are to be had by its own system calls alone, whose formats are those of its plugins.
import { errnoCode, TnetError } from '../../errors.ts'
import { isExecutable } from '../../sys/syscalls.ts'
import { rounds } from '../firewall/elements.ts'
import type { Family } from '../ip.ts'
import { COMMANDS } from '../legacy-tables.ts'

/** Where distributions have it. What the caller's PATH says is not asked. */
const FOLDERS = ['/usr/sbin', '/sbin', '/usr/local/sbin', '/usr/bin', '/bin']

/** How long it waits for others that are at it, in seconds. */
const WAIT = 10
/** When it is given up, in milliseconds. */
const LONGEST = 30_000
/** A host with thousands of rules has some megabytes of them. */
const MOST_OUTPUT = 64 * 1024 * 1024
/** Its exit status where it has waited in vain. */
const BUSY = 4

export interface Programs {
  readonly save: string
  readonly restore: string
}

/** The programs of a family; undefined where they are not installed. */
export function programsOf(family: Family): Programs | undefined {
  const find = (name: string) => FOLDERS.map(folder => `${folder}/${name}`).find(isExecutable)
  const save = find(`${COMMANDS[family]}-save`)
  const restore = find(`${COMMANDS[family]}-restore`)
  return save === undefined || restore === undefined ? undefined : { save, restore }
}

/** A table as the program writes it. */
export async function saved({ save }: Programs, table: string): Promise<string> {
  const { status, stdout, stderr } = await run(save, ['-t', table])
  if (status !== 0) throw failed(save, status, stderr)
  return stdout
}

/**
 * Makes the changes that `scriptOf` says of a table as it stands; undefined for none. A refusal is final where nobody
 * has changed the table meanwhile.
 */
export async function rewrite(
  programs: Programs,
  table: string,
  scriptOf: (text: string) => string | undefined,
): Promise<void> {
  let refused: { readonly text: string; readonly error: TnetError } | undefined
  await rounds('write rules of iptables-legacy', async () => {
    const text = withoutCounters(await saved(programs, table))
    if (refused?.text === text) throw refused.error
    const script = scriptOf(text)
    if (script === undefined) return true
    const error = await restored(programs, script)
    refused = error && { text, error }
    return error === undefined
  })
}

/** Dates and counters are no change. */
function withoutCounters(text: string): string {
  return text.replace(/^#.*\n/gm, '').replace(/ \[\d+:\d+\]$/gm, ' [0:0]')
}

/** Makes all changes, or none: then it answers why. Throws TRY_AGAIN where others keep it waiting. */
async function restored({ restore }: Programs, script: string): Promise<TnetError | undefined> {
  const { status, stderr } = await run(restore, ['--noflush', '-w', String(WAIT)], script)
  if (status === 0) return undefined
  const error = failed(restore, status, stderr)
  if (error.code === 'TRY_AGAIN') throw error
  return error
}

function failed(path: string, status: number | null, stderr: string): TnetError {
  const why = stderr.trim().split('\n')[0] || `it ended with ${status ?? 'a signal'}`
  if (status !== BUSY) return new TnetError('KERNEL', `${path}: ${why}`)
  return new TnetError('TRY_AGAIN', `${path}: ${why}`, 'another program holds the lock of iptables')
}

interface Ran {
  /** Null where a signal ended it. */
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** No shell, and an environment of its own: variables such as XTABLES_LIBDIR would have it load what somebody likes. */
async function run(path: string, args: readonly string[], stdin = ''): Promise<Ran> {
  const { spawn } = await import('node:child_process')
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] })
    const output = { stdout: '', stderr: '' }
    const end = setTimeout(() => child.kill('SIGKILL'), LONGEST)
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text
        if (output[name].length > MOST_OUTPUT) child.kill('SIGKILL')
      })
    }
    // It may end without reading all: its exit status says what that means.
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
    child.on('error', error => {
      clearTimeout(end)
      const why = `execute ${path}: ${errnoCode(error) ?? error.message}`
      reject(new TnetError('INTERNAL', why, undefined, { cause: error }))
    })
    child.on('close', status => {
      clearTimeout(end)
      resolve({ status, ...output })
    })
  })
}
