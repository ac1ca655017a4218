// The law of layers: imports point down, as the picture in ARCHITECTURE.md says.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { importsIn, importsOf, type Import } from './harness/imports.ts'

const ROOT = join(import.meta.dirname, '..')

/** What each layer may import besides itself. Doors know neither each other nor netlink. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  plugins: ['cni', 'cli', 'standby', 'drivers', 'chained', 'sys'],
  cni: ['engine', 'drivers', 'chained', 'ipam', 'store', 'net', 'sys'],
  cli: ['engine', 'standby', 'drivers', 'ipam', 'store', 'net', 'sys'],
  engine: ['drivers', 'ipam', 'store', 'net', 'sys'],
  drivers: ['net', 'sys'],
  chained: ['drivers', 'net', 'sys'],
  ipam: ['net', 'sys'],
  store: ['net', 'sys'],
  net: ['netlink', 'wire', 'sys'],
  netlink: ['wire', 'sys'],
  standby: ['sys'],
  sys: [],
  wire: [],
}

/** What belongs to all but `wire`. */
const COMMON: readonly string[] = ['src/errors.ts', 'src/misspelled.ts', 'src/steps.ts', 'src/version.ts']

interface Exception {
  readonly from: RegExp
  readonly to: RegExp
  readonly why: string
  /** Left out: types alone. */
  readonly values?: true
}

const EXCEPTIONS: readonly Exception[] = [
  {
    from: /^src\/drivers\/(driver|bridge\/gateway|ptp\/ptp)\.ts$/,
    to: /^src\/ipam\/ipam\.ts$/,
    why: 'what addresses become on a network is for its driver to say: gateways, default routes',
  },
  {
    from: /^src\/(drivers|chained)\//,
    to: /^src\/(netlink\/route|wire)\//,
    why: 'links are described in the words of the kernel; the deeds are verbs of net',
  },
  {
    from: /^src\/ipam\/tnet-ipam\//,
    to: /^src\/store\/(store|schema)\.ts$/,
    why: 'its leases are records of the store, which is handed to it; the schema has their types and the names of keys',
    values: true,
  },
]

/**
 * Who may use a package. `ajv` is for the build alone. Programs are executed as plugins of others, as processes that stand
 * by, and where a host runs iptables-legacy.
 */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  'ipaddr.js': /^src\/net\//,
  yargs: /^src\/cli\//,
  'node:sqlite': /^src\/store\//,
  'node:child_process': /^src\/(cni\/execute|net\/iptables\/legacy-program)\.ts$|^src\/standby\//,
}

function layerOf(file: string): string {
  const [top = '', second = ''] = file.split('/')
  return top === 'src' ? second : top
}

/** What is wrong with an import; undefined where nothing is. */
function faultOf({ from, to, isType }: Import): string | undefined {
  const layer = layerOf(from)
  if (!to.startsWith('src/') && !to.startsWith('plugins/')) return packageFault(from, to)
  if (COMMON.includes(from))
    return COMMON.includes(to) ? undefined : `${from} belongs to all, and imports ${to}`
  const below = BELOW[layer]
  if (below === undefined) return `${from} is in no layer`
  if (COMMON.includes(to)) return layer === 'wire' ? `wire imports ${to}` : undefined
  if (layerOf(to) === layer || below.includes(layerOf(to))) return undefined
  const exception = EXCEPTIONS.find(each => each.from.test(from) && each.to.test(to))
  if (exception !== undefined && (isType || exception.values === true)) return undefined
  return `${layer} imports ${exception === undefined ? '' : 'values of '}${layerOf(to)}`
}

function packageFault(from: string, name: string): string | undefined {
  const only = PACKAGES[name]
  if (only !== undefined) return only.test(from) ? undefined : `${name} belongs to ${only.source}`
  if (!name.startsWith('node:')) return `${name} is no package that tnet is made of`
  return layerOf(from) === 'wire' ? 'wire does no I/O' : undefined
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts'))
    .map(file => `${folder}/${file}`)
    .filter(file => !file.startsWith('src/cni/generated/'))
    .sort()
}

const files = [...sources('src'), ...sources('plugins')]
const imports = files.flatMap(file => importsOf(ROOT, file))

t.test('imports point down', async t => {
  const faults = imports.flatMap(each => {
    const fault = faultOf(each)
    return fault === undefined ? [] : [`${each.from} -> ${each.to}: ${fault}`]
  })
  t.strictSame(faults, [])
  t.ok(imports.length > 500, `${imports.length} imports of ${files.length} files were read`)
})

t.test('no exception is left over', async t => {
  for (const { from, to, why } of EXCEPTIONS) {
    t.ok(
      imports.some(each => from.test(each.from) && to.test(each.to)),
      why,
    )
  }
})

t.test('what the law forbids', async t => {
  const forbidden: [from: string, line: string][] = [
    ['src/wire/codec.ts', "import { TnetError } from '../errors.ts'"],
    ['src/wire/codec.ts', "import { readSync } from 'node:fs'"],
    ['src/sys/files.ts', "import type { Host } from '../net/host.ts'"],
    ['src/errors.ts', "import { Steps } from './net/host.ts'"],
    ['src/net/host.ts', "import type { Driver } from '../drivers/driver.ts'"],
    ['src/drivers/bridge/link.ts', "import { newLink } from '../../netlink/route/link.ts'"],
    ['src/drivers/bridge/link.ts', "import type { Ipam } from '../../ipam/ipam.ts'"],
    ['src/drivers/bridge/link.ts', "import type { Store } from '../../store/store.ts'"],
    ['src/ipam/allocator.ts', "import type { Store } from '../store/store.ts'"],
    ['src/ipam/tnet-ipam/config.ts', "import { sqliteStore } from '../../store/sqlite.ts'"],
    ['src/store/schema.ts', "import type { Ipam } from '../ipam/ipam.ts'"],
    ['src/engine/attach.ts', "import { door } from '../cni/door.ts'"],
    ['src/engine/attach.ts', "import { newLink } from '../netlink/route/link.ts'"],
    ['src/cni/door.ts', "import type { Context } from '../cli/io.ts'"],
    ['src/cni/door.ts', "const { tracer } = await import('../netlink/trace.ts')"],
    ['src/cli/main.ts', "export { door } from '../cni/door.ts'"],
    ['src/cli/main.ts', "import '../wire/codec.ts'"],
    ['src/cni/door.ts', "import yargs from 'yargs'"],
    ['src/cni/door.ts', "import { Ajv } from 'ajv'"],
    ['src/engine/exec.ts', "import { spawn } from 'node:child_process'"],
    ['src/net/iptables/legacy.ts', "import { spawn } from 'node:child_process'"],
    ['src/new/thing.ts', "import { TnetError } from '../errors.ts'"],
  ]
  for (const [file, line] of forbidden) {
    t.type(importsIn(file, line).map(faultOf)[0], 'string', `${file}: ${line}`)
  }
  t.throws(() => importsIn('src/a.ts', "const path = './b.ts'"), 'a module that is named otherwise')
})

/**
 * What every call of a plugin waits for. Each module of Node takes its time, node:fs a millisecond; the firewall is a
 * quarter of all code, and most calls need none of it; SQLite is for tnet-ipam, other programs for IPAM plugins of others.
 */
const NOT_AT_START =
  /^(node:|yargs$|ipaddr\.js$|src\/cli\/|src\/net\/(features\.ts|firewall|firewalld|gates|iptables|ports\.ts)|src\/chained\/tuning\/feature|src\/netlink\/(generic\/|netfilter\/|trace|monitor|messages)|src\/store\/sqlite|src\/cni\/(delegate|execute)\.ts)/

for (const name of [
  'bandwidth',
  'bridge',
  'container',
  'dummy',
  'firewall',
  'host',
  'host-device',
  'host-local',
  'ipvlan',
  'loopback',
  'macvlan',
  'none',
  'ptp',
  'sbr',
  'static',
  'tap',
  'tnet-ipam',
  'tuning',
  'vlan',
  'vrf',
]) {
  t.test(`${name} loads at its start what every call needs`, async t => {
    const loaded = closure([`plugins/${name}.ts`, 'plugins/main.ts', 'src/cni/door.ts'])
    t.strictSame(
      [...loaded].filter(each => NOT_AT_START.test(each)),
      [],
    )
    t.ok(loaded.size > 30, `${loaded.size} modules`)
  })
}

/** All that is loaded with the files, directly and by others, before anything is asked for. */
function closure(entries: readonly string[]): Set<string> {
  const loaded = new Set(entries)
  for (const file of loaded) {
    for (const { from, to, isType, isLazy } of imports) {
      if (from === file && !isType && !isLazy) loaded.add(to)
    }
  }
  return loaded
}
