// What `npm test` runs after scripts/setup: the static checks and all tests. Its last line is the count.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { isolation } from '../test/harness/isolation.ts'
import { prepareTools } from '../test/harness/tools.ts'
import { count, FAILURE, finish, read, type Count } from './tap.ts'

const ROOT = resolve(import.meta.dirname, '..')
const BIN = join(ROOT, 'node_modules/.bin')
const ENVIRONMENT = { ...process.env, PATH: `${BIN}:${process.env['PATH'] ?? ''}` }

/** Runs a program of node_modules/.bin or of the system with its output passed on. */
function step(name: string, file: string, args: readonly string[]): Count {
  process.stdout.write(`\n--- ${name}: ${[file, ...args].join(' ')}\n`)
  const { status, error } = spawnSync(file, args, { cwd: ROOT, stdio: 'inherit', env: ENVIRONMENT })
  if (error !== undefined) process.stdout.write(`${name}: ${error.message}\n`)
  return status === 0 ? { passed: 1, failed: 0 } : FAILURE
}

/** A line for each test file as it ends. */
async function tests(): Promise<Count> {
  process.stdout.write('\n--- tests: tap run\n')
  const tap = spawn('tap', ['run', '--jobs=2', '--reporter=tap'], {
    cwd: ROOT,
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(tap, 'close')
  const output = await read(createInterface(tap.stdout), line => process.stdout.write(`${line}\n`))
  const [status] = (await ended) as [number | null]
  return count(output, status === 0)
}

const found = isolation()
if ('missing' in found) {
  process.stderr.write(`The tests run in namespaces of their own. Missing here: ${found.missing}\n`)
  finish([FAILURE])
}
prepareTools()
const counts: Count[] = []
counts.push(step('format', 'prettier', ['--check', '--log-level=warn', '.']))
counts.push(step('lint', 'oxlint', ['--deny-warnings']))
counts.push(step('types', 'tsc', ['-p', '.']))
// In a fresh clone tap first assembles itself from its plugins; `tap run` alone does so too late for its own run.
counts.push(step('tap', 'tap', ['build']))
counts.push(await tests())
finish(counts)
