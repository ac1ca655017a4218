// What `npm run test:runtimes` runs after scripts/setup: container runtimes on our plugin directory, with real
// containers. Its last line is the count.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { count, finish, read, type Count } from './tap.ts'

const TESTS = join(import.meta.dirname, '../test/runtimes')

async function testOne(file: string): Promise<Count> {
  process.stdout.write(`\n--- ${file}\n`)
  const test = spawn(process.execPath, [join(TESTS, file)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(test, 'close')
  const output = await read(createInterface(test.stdout), line => process.stdout.write(`${line}\n`))
  const [status] = (await ended) as [number | null]
  return count(output, status === 0)
}

const counts: Count[] = []
for (const file of readdirSync(TESTS).sort()) counts.push(await testOne(file))
finish(counts)
