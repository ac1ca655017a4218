// Runs jobs by the measuring program, and answers what each took.
import { join } from 'node:path'
import { callEnvironment, type Call } from '../test/harness/plugins.ts'
import { attempt } from '../test/harness/run.ts'
import { tool } from '../test/harness/tools.ts'

/** A call of the executable `dir/type`. */
export interface Job extends Call {
  readonly dir: string
  readonly type: string
}

export interface Measured {
  /** From spawn to exit. */
  readonly milliseconds: number
  /** The largest resident set of the process and of those that it waited for. */
  readonly mebibytes: number
  /** User and system time of the same: what a busy machine does not change much. */
  readonly cpu: number
}

export interface Run {
  readonly each: readonly Measured[]
  /** From the first spawn to the last exit. */
  readonly milliseconds: number
}

/** Runs the jobs, so many at a time. Throws where one fails: its time would mean nothing. */
export async function measure(jobs: readonly Job[], parallel = 1): Promise<Run> {
  const file = tool(join(import.meta.dirname, 'measure.c'))
  const input = jobs.map(fields).join('')
  const { stdout, stderr, code } = await attempt(file, [String(parallel)], { input, timeout: 600_000 })
  if (code !== 0) throw new Error(`measure: ${stderr}`)
  const lines = stdout
    .trim()
    .split('\n')
    .map(line => line.split(' '))
  const failed = lines.findIndex(([status]) => status !== '0' && status !== 'all')
  if (failed >= 0)
    throw new Error(`${jobs[failed]?.verb} of ${jobs[failed]?.dir}/${jobs[failed]?.type}: ${stderr}`)
  const milliseconds = (line: string[] | undefined) => Number(line?.[1]) / 1e6
  const each = lines.slice(0, -1).map(line => ({
    milliseconds: milliseconds(line),
    mebibytes: Number(line[2]) / 1024,
    cpu: Number(line[3]) / 1000,
  }))
  return { each, milliseconds: milliseconds(lines.at(-1)) }
}

function fields({ dir, type, config, ...call }: Job): string {
  const environment = Object.entries(callEnvironment(dir, { config, ...call })).map(
    ([name, value]) => `${name}=${value}`,
  )
  const text = typeof config === 'string' ? config : JSON.stringify(config)
  return [`${dir}/${type}`, text, ...environment, ''].map(field => `${field}\0`).join('')
}
