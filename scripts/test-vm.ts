// What `npm run test:vm [-- FILE...]` runs after scripts/setup: tests on Debian's stock kernel, which has what the
// running one may lack. `--all`: every test that needs the kernel. TNET_TEST_* reach the tests. Its last line is the
// count.
import { readFileSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { features, lacks, type Feature } from '../test/harness/namespaces.ts'
import { prepareTools } from '../test/harness/tools.ts'
import { count, FAILURE, finish, read, type Count } from './tap.ts'
import { debianKernel, type Kernel } from './vm/kernel.ts'
import { boot, hasKvm, type Acceleration, type Machine } from './vm/machine.ts'

const ROOT = resolve(import.meta.dirname, '..')
const MOST_MACHINES = 4
/** Minutes that a test file may take. */
const LIMIT: Readonly<Record<Acceleration, number>> = { kvm: 60, tcg: 240 }

/** What a machine in software leaves out, although this kernel has something that the running one lacks. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  'test/blackbox/bridge-refusals.ts': 'asks for it only to see what happens without',
  'test/blackbox/gc-many.ts': 'thousands of calls',
  'test/blackbox/kill-sweep-all.ts': 'thousands of calls, each traced',
  'test/docs.ts': 'runs every command of the documentation; all but a few examples run anywhere',
}

const show = (line: string) => void process.stdout.write(`${line}\n`)
const text = (file: string) => readFileSync(join(ROOT, file), 'utf8')

function kernelTests(): string[] {
  const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  return files
    .filter(file => file.endsWith('.ts') && !/^(harness|compliance)\//.test(file))
    .map(file => `test/${file}`)
    .filter(file => /^isolated\(import\.meta\)/m.test(text(file)))
    .sort()
}

/** In software there is time for the drivers, and for what the running kernel lacks. */
function isNeeded(file: string, lacking: readonly Feature[]): boolean {
  if (file in LEFT_OUT) return false
  const asked = [...text(file).matchAll(/\blacks\((?:'([^']*)')?/g)]
  const isAsked = asked.some(([, feature]) => feature === undefined || lacking.some(one => one === feature))
  return file.startsWith('test/drivers/') || isAsked
}

interface Choice {
  readonly files: string[]
  readonly env: Readonly<Record<string, string>>
}

function choice(args: readonly string[], how: Acceleration): Choice {
  const named = args.filter(arg => arg !== '--all')
  if (named.length > 0) return { files: named, env: {} }
  if (how === 'kvm' || args.includes('--all')) return { files: kernelTests(), env: {} }
  const lacking = features.filter(feature => lacks(feature) !== false)
  const files = kernelTests().filter(file => isNeeded(file, lacking))
  return { files, env: { TNET_TEST_LACKING: lacking.join(',') } }
}

function testVariables(env: NodeJS.ProcessEnv): Record<string, string> {
  const set = Object.entries(env).filter(([name]) => name.startsWith('TNET_TEST_'))
  return Object.fromEntries(set.map(([name, value = '']) => [name, value]))
}

/** How the kernel can be run here: /dev/kvm may be there and still not boot it. */
async function acceleration(kernel: Kernel): Promise<Acceleration> {
  if (!hasKvm()) return 'tcg'
  try {
    await using _ = await boot(kernel, 'kvm', {})
    return 'kvm'
  } catch (error) {
    show(`in software: ${String(error)}`)
    return 'tcg'
  }
}

async function testOne(machine: Machine, file: string, minutes: number): Promise<Count> {
  show(`${file}: begins`)
  const begun = Date.now()
  const { lines, status } = machine.run(file, minutes)
  const output = await read(lines, line => show(`${file}: ${line}`))
  const counted = count(output, status() === 0)
  const seconds = Math.round((Date.now() - begun) / 1000)
  show(`${file}: ${counted.passed} passed, ${counted.failed} failed in ${seconds} s`)
  return counted
}

/** Runs one file after the other, until none is left. Where one takes its machine with it, the next gets a new one. */
async function work(queue: string[], start: () => Promise<Machine>, minutes: number): Promise<Count[]> {
  const counts: Count[] = []
  while (queue.length > 0) {
    await using machine = await start()
    try {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
        counts.push(await testOne(machine, file, minutes))
      }
    } catch (error) {
      show(`${String(error)}\n${machine.log()}`)
      counts.push(FAILURE)
    }
  }
  return counts
}

async function main(args: readonly string[]): Promise<Count[]> {
  const kernel = debianKernel(process.env)
  prepareTools()
  const how = await acceleration(kernel)
  const { files: queue, env: more } = choice(args, how)
  const manner = how === 'kvm' ? 'by kvm' : 'in software'
  show(`\n--- ${queue.length} test files on Linux ${kernel.version}, ${manner}`)
  const folders = [join(ROOT, 'node_modules/.bin'), dirname(process.execPath)]
  const env = {
    PATH: [...folders, '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(':'),
    HOME: '/root',
    TAP_TIMEOUT: String(LIMIT[how] * 60),
    ...more,
    ...testVariables(process.env),
  }
  const machines = Array.from({ length: Math.min(availableParallelism(), MOST_MACHINES, queue.length) })
  const counts = machines.map(() => work(queue, () => boot(kernel, how, env), LIMIT[how]))
  return (await Promise.all(counts)).flat()
}

const counts = await main(process.argv.slice(2)).catch((error: unknown) => {
  show(`test:vm: ${error instanceof Error ? error.message : String(error)}`)
  return [FAILURE]
})
finish(counts)
