import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import t from 'tap'
import { attempt } from '../harness/run.ts'

const STDIO = JSON.stringify(new URL('../../src/sys/stdio.ts', import.meta.url).href)

/** A program that does `deed` with the functions under test. */
const program = (deed: string) => [
  '--input-type=module',
  '-e',
  `import { readInput, writeOutput } from ${STDIO}; ${deed}; process.exit(0)`,
]
const node = (deed: string, input = '') => attempt(process.execPath, program(deed), { input })

/**
 * The program with a descriptor that does not block. Node sets those that it hands to a child back to blocking, so that
 * another program has to stand between the two.
 */
function nonBlocking(fd: 0 | 1, deed: string) {
  const wrapper = `import fcntl, os, sys; fcntl.fcntl(${fd}, fcntl.F_SETFL, os.O_NONBLOCK); os.execv(sys.argv[1], sys.argv[1:])`
  return spawn('python3', ['-c', wrapper, process.execPath, ...program(deed)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

const COUNT = 'const bytes = await readInput(1000000); await writeOutput(1, `${bytes.length}`)'

t.test('reads to the end, or to the limit', async t => {
  t.equal((await node(COUNT)).stdout, '0')
  t.equal((await node(COUNT, 'x'.repeat(300_000))).stdout, '300000')
  t.equal((await node(COUNT, 'x'.repeat(1_500_000))).stdout, '1000000')
})

t.test('reads what arrives late on an input that does not block', async t => {
  const child = nonBlocking(0, COUNT)
  let stdout = ''
  child.stdout.on('data', (chunk: Uint8Array) => (stdout += String(chunk)))
  for (const pause of [200, 50, 50]) {
    await new Promise(resolve => setTimeout(resolve, pause))
    child.stdin.write('x'.repeat(1000))
  }
  child.stdin.end()
  await once(child, 'close')
  t.equal(stdout, '3000')
})

t.test('writes all of a text to an output that does not block and is read late', async t => {
  const child = nonBlocking(1, "await writeOutput(1, 'x'.repeat(900000))")
  const ended = once(child, 'close')
  await new Promise(resolve => setTimeout(resolve, 300))
  let size = 0
  for await (const chunk of child.stdout) size += (chunk as Uint8Array).length
  await ended
  t.equal(child.exitCode, 0)
  t.equal(size, 900_000)
})

t.test('how much was written before it failed', async t => {
  const deed =
    "const { code, written } = await writeOutput(1, 'x'.repeat(9)).catch(e => e); await writeOutput(2, `${code} ${written}`)"
  const child = spawn(process.execPath, program(deed), {
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  })
  let stderr = ''
  child.stderr?.on('data', (chunk: Uint8Array) => (stderr += String(chunk)))
  await once(child, 'close')
  t.equal(stderr, 'ENOSPC 0')
})

t.test('an output that nobody reads is an error', async t => {
  const deed =
    "const failed = await writeOutput(1, 'x'.repeat(300000)).catch(e => e.code); await writeOutput(2, String(failed))"
  const child = spawn(process.execPath, program(deed), { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  let stderr = ''
  child.stderr.on('data', (chunk: Uint8Array) => (stderr += String(chunk)))
  await once(child, 'close')
  t.equal(stderr, 'EPIPE')
})
