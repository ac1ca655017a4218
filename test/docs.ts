// The documentation is true: what README.md and docs/ tell people to do is done, in a machine of its own for each page.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t, { type Test } from 'tap'
import { bandwidth } from '../src/cni/schemas/bandwidth.ts'
import { bridge } from '../src/cni/schemas/bridge.ts'
import { network } from '../src/cni/schemas/network.ts'
import { firewall } from '../src/cni/schemas/firewall.ts'
import { container } from '../src/cni/schemas/container.ts'
import { host } from '../src/cni/schemas/host.ts'
import { hostDevice } from '../src/cni/schemas/host-device.ts'
import { hostLocal } from '../src/cni/schemas/host-local.ts'
import { loopback } from '../src/cni/schemas/loopback.ts'
import { none } from '../src/cni/schemas/none.ts'
import { ptp } from '../src/cni/schemas/ptp.ts'
import { ipvlan } from '../src/cni/schemas/ipvlan.ts'
import { macvlan } from '../src/cni/schemas/macvlan.ts'
import type { Schema } from '../src/cni/schemas/schema.ts'
import { portmap } from '../src/cni/schemas/portmap.ts'
import { staticIpam } from '../src/cni/schemas/static.ts'
import { sbr } from '../src/cni/schemas/sbr.ts'
import { tap } from '../src/cni/schemas/tap.ts'
import { vrf } from '../src/cni/schemas/vrf.ts'
import { tuning } from '../src/cni/schemas/tuning.ts'
import { tnetIpam } from '../src/cni/schemas/tnet-ipam.ts'
import { vlan } from '../src/cni/schemas/vlan.ts'
import { CODES } from '../src/errors.ts'
import { type Feature, isolated, lacks } from './harness/namespaces.ts'
import { anchors, type Block, firstColumn, links, type Page, page, pages } from './harness/pages.ts'
import { subjects } from './harness/plugins.ts'
import { type Reader, reader } from './harness/reader.ts'
import { attempt } from './harness/run.ts'

isolated(import.meta)
t.setTimeout(600_000)

const ROOT = join(import.meta.dirname, '..')
const PLUGINS = subjects().find(({ name }) => name === 'tnet')?.dir ?? join(ROOT, 'dist/bin')
const REFERENCE = '/usr/lib/cni'
const all = pages(ROOT)

for (const each of all) {
  t.test(each.path, { timeout: 600_000 }, async t => {
    const todo = each.blocks.filter(({ notRun }) => notRun === undefined)
    await using someone = await reader(PLUGINS, REFERENCE)
    if (!todo.some(({ text }) => text.includes('tnet install'))) await someone.install()
    for (const block of todo) {
      if (block.language === 'sh') await commands(t, someone, block)
      if (block.language === 'json') await configuration(t, someone, block)
    }
  })
}

async function commands(t: Test, someone: Reader, { text, line }: Block): Promise<void> {
  // What is asked of npm is the project's own, and has been done before any test runs.
  const own = text.split('\n').filter(each => !each.startsWith('npm '))
  if (own.join('').trim() === '') return
  const { code, stdout, stderr } = await someone.shell(own.join('\n'))
  t.equal(code, 0, `the commands in line ${line}: ${stderr}${code === 0 ? '' : stdout}`)
}

interface Configuration extends Record<string, unknown> {
  readonly name: string
  readonly cniVersion: string
  readonly plugins?: readonly Record<string, unknown>[]
}

/** What a kernel may be built without. */
function needs(text: string): Feature[] {
  const found: [RegExp, Feature][] = [
    [/"vrfname"/, 'vrf'],
    [/"vlan(Trunk)?":/, 'bridge VLAN filtering'],
    [/"type": "macvlan"/, 'macvlan'],
    [/"type": "ipvlan"/, 'ipvlan'],
    [/"type": "vlan"|"master": "[^"]*\.\d/, 'vlan'],
    [/"type": "dummy"/, 'dummy'],
    [/"type": "tap"/, 'tun'],
  ]
  return found.flatMap(([pattern, feature]) => (pattern.test(text) ? [feature] : []))
}

/** ADD and CHECK of all plugins, DEL in the opposite order; no link is left. */
async function configuration(t: Test, someone: Reader, { text, line }: Block): Promise<void> {
  const whole = JSON.parse(text) as Configuration
  const { name, cniVersion, plugins = [whole] } = whole
  someone.save(`${name}.${whole.plugins === undefined ? 'conf' : 'conflist'}`, text)
  const asked = plugins.map(each => ({ ...each, name, cniVersion }))
  const skip =
    needs(text)
      .map(feature => lacks(feature))
      .find(reason => reason !== false) ?? false
  await t.test(`the configuration ${name} in line ${line}`, { skip }, async t => {
    await someone.run('ip', 'netns', 'add', 'documented')
    const before = await someone.run('ip', '-o', 'link', 'show', 'type', 'veth')
    let prevResult: unknown
    const steps = [
      ...asked.map(config => ['ADD', config] as const),
      ...asked.map(config => ['CHECK', config] as const),
      ...asked.toReversed().map(config => ['DEL', config] as const),
    ]
    for (const [verb, config] of steps) {
      const request = prevResult === undefined ? config : { ...config, prevResult }
      const { code, stdout, stderr, json } = await someone.call(verb, request, '/run/netns/documented')
      t.equal(code, 0, `${verb}: ${stdout}${stderr}`)
      t.equal(stderr, '', `${verb} has no hints`)
      if (verb === 'ADD') prevResult = json
    }
    t.equal(await someone.run('ip', '-o', 'link', 'show', 'type', 'veth'), before, 'no link is left')
    await someone.run('ip', 'netns', 'del', 'documented')
  })
}

t.test('npm run demo', async t => {
  const { code, stdout, stderr } = await attempt(process.execPath, [join(ROOT, 'scripts/demo.ts')], {
    timeout: 120_000,
  })
  t.equal(code, 0, `${stderr}${code === 0 ? '' : stdout}`)
})

t.test('npm has the commands that the pages name', async t => {
  const text = readFileSync(join(ROOT, 'package.json'), 'utf8')
  const { scripts } = JSON.parse(text) as { scripts: Record<string, string> }
  const named = new Set(
    all.flatMap(({ text }) => [...text.matchAll(/npm run ([\w-]+)/g)].map(([, name]) => name)),
  )
  for (const name of named) t.ok(Object.hasOwn(scripts, name ?? ''), `npm run ${name}`)
})

t.test('links lead somewhere', async t => {
  const more = ['ARCHITECTURE.md', 'CHANGELOG.md'].map(path =>
    page(path, readFileSync(join(ROOT, path), 'utf8')),
  )
  for (const each of [...all, ...more]) {
    for (const link of links(each)) {
      const [path = '', anchor] = link.split('#')
      const to = path === '' ? each.path : normalize(join(dirname(each.path), path))
      if (!t.ok(existsSync(join(ROOT, to)), `${each.path}: ${link}`) || anchor === undefined) continue
      const target = page(to, readFileSync(join(ROOT, to), 'utf8'))
      t.ok(anchors(target).includes(anchor), `${each.path}: ${link}`)
    }
  }
})

/** The names below a schema, such as `ipam.ranges`. */
function below(schema: Schema, path: readonly string[]): string[] {
  const inner = path.reduce<Schema | undefined>((outer, key) => outer?.properties?.[key], schema)
  return Object.keys(inner?.properties ?? {}).map(key => [...path, key].join('.'))
}

const CALLERS = ['runtimeConfig', 'args.cni']

t.test('the tables of keys are those of the schemas', async t => {
  const keysOf = (name: string) => firstColumn(pageOf(name), 'key')
  for (const [name, schema] of [
    ['bridge', bridge],
    ['ptp', ptp],
    ['host', host],
    ['none', none],
    ['container', container],
    ['loopback', loopback],
  ] as const) {
    t.strictSame(keysOf(name).sort(), below(schema, []).sort(), name)
  }
  // Those that any network may have are on the page of bridge alone.
  for (const [name, schema] of [
    ['ipvlan', ipvlan],
    ['macvlan', macvlan],
    ['tap', tap],
    ['vlan', vlan],
  ] as const) {
    const own = below(schema, []).filter(key => !Object.hasOwn(network, key))
    t.strictSame(keysOf(name).sort(), own.sort())
  }
  for (const [name, schema] of [
    ['host-local', hostLocal],
    ['static', staticIpam],
    ['tnet-ipam', tnetIpam],
  ] as const) {
    const isCallers = (key: string) => CALLERS.some(prefix => key.startsWith(`${prefix}.`))
    const keys = keysOf(name)
    t.strictSame(keys.filter(key => !isCallers(key)).sort(), below(schema, ['ipam']).sort())
    for (const key of keys.filter(isCallers)) {
      const path = key.split('.')
      t.ok(below(schema, path.slice(0, -1)).includes(key), key)
    }
  }
})

t.test('pages of plugins that are chained or ask their caller have the keys of their own', async t => {
  for (const [name, schema] of [
    ['host-device', hostDevice],
    ['bandwidth', bandwidth],
    ['sbr', sbr],
    ['tuning', tuning],
    ['vrf', vrf],
    ['firewall', firewall],
    ['portmap', portmap],
  ] as const) {
    const keys = firstColumn(pageOf(name), 'key')
    const isCallers = (key: string) => CALLERS.some(prefix => key.startsWith(`${prefix}.`))
    const own = below(schema, []).filter(key => !Object.hasOwn(network, key))
    t.strictSame(keys.filter(key => !isCallers(key)).sort(), own.sort(), name)
    for (const key of keys.filter(isCallers)) {
      t.ok(below(schema, key.split('.').slice(0, -1)).includes(key), `${name}: ${key}`)
    }
  }
})

t.test('the codes of errors are those that there are', async t => {
  const known = new Set(Object.values(CODES).map(([cni]) => String(cni)))
  for (const name of ['bridge', 'host-local', 'macvlan', 'tnet-ipam']) {
    const codes = firstColumn(pageOf(name), 'code')
    t.ok(codes.length > 5, `${name} tells of its codes`)
    for (const code of codes) t.ok(known.has(code), `${name}: ${code}`)
  }
})

function pageOf(name: string): Page {
  const found = all.find(({ path }) => path === `docs/plugins/${name}.md`)
  if (found === undefined) throw new Error(`there is no page about ${name}`)
  return found
}
