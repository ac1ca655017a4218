// npm run bench -- --against DIR [--ours DIR] [--rounds N] [--only TEXT] [--attached] [--standby N] [--json]: two plugin directories, measured in turns.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { isolated } from '../test/harness/namespaces.ts'
import { standbyOf } from '../test/harness/standby.ts'
import { attach, leases, many, scenarios, start, type Pair, type Series } from './cases.ts'
import { attached, chain, crowded } from './chain.ts'
import { report, table } from './report.ts'

isolated(import.meta)

const { values } = parseArgs({
  options: {
    against: { type: 'string' },
    ours: { type: 'string', default: join(import.meta.dirname, '../dist/bin') },
    rounds: { type: 'string', default: '30' },
    /** Those cases alone whose name has this. */
    only: { type: 'string' },
    /** The cost against attachments that are there already, too, which takes minutes. */
    attached: { type: 'boolean', default: false },
    /** So many of our processes stand by. */
    standby: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
  },
})

function fail(message: string): never {
  process.stderr.write(
    `bench: ${message}\nusage: npm run bench -- --against DIR [--ours DIR] [--rounds N] [--only TEXT] [--attached] [--standby N] [--json]\n`,
  )
  process.exit(2)
}

if (values.against === undefined)
  fail('--against is missing: the plugin directory to compare with, such as /usr/lib/cni')
const count = Number(values.rounds)
if (!Number.isInteger(count) || count < 1) fail(`--rounds: want a whole number from 1, got ${values.rounds}`)
const workers = Number(values.standby)
if (!Number.isInteger(workers) || workers < 0) fail(`--standby: want a whole number, got ${values.standby}`)
const pair: Pair = [resolve(values.ours), resolve(values.against)]
for (const dir of pair) {
  for (const type of ['bridge', 'host-local']) if (!existsSync(join(dir, type))) fail(`${dir} has no ${type}`)
}

/** Of what takes seconds a round, fewer rounds. */
const few = Math.max(3, Math.round(count / 5))
const only = values.only ?? ''
const cases: (readonly [name: string, run: () => Promise<Series[]>])[] = [
  ['process start', () => start(pair, count)],
  ...scenarios
    .filter(({ type }) => pair.every(dir => existsSync(join(dir, type))))
    .map(scenario => [scenario.name, () => attach(pair, count, scenario)] as const),
  ['many, plain', () => many(pair, few, false)],
  ['many, ipMasq', () => many(pair, few, true)],
  ['host-local', () => leases(pair, count)],
  ...(pair.every(dir => existsSync(join(dir, 'portmap')))
    ? ([
        ['chain', () => chain(pair, count)],
        ['crowded', () => crowded(pair, few)],
        ...(values.attached ? ([['attached', () => attached(pair, few)]] as const) : []),
      ] as const)
    : []),
]
const own = workers === 0 ? undefined : await standbyOf(pair[0], workers)
await own?.workers(workers)
const all: Series[] = []
for (const [name, run] of cases) {
  if (!name.includes(only)) continue
  process.stderr.write(`${name}...\n`)
  all.push(...(await run()))
}
await own?.end()
const result = report(pair, all, workers)
process.stdout.write(values.json ? `${JSON.stringify(result, null, 2)}\n` : `${table(result)}\n`)
