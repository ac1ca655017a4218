// Neither the directory nor the environment that a plugin is called in changes what runs, nor do planted links what is written.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { normal } from '../harness/lifecycle.ts'
import { isolated } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { run } from '../harness/run.ts'
import { scratch, tool } from '../harness/tools.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const SPRUNG = scratch('sprung')
const TRAPS = scratch('traps')
const subject = subjects().find(({ name }) => name === 'tnet')

/** A working directory full of what a JavaScript runtime may read on its own. */
function layTraps(): void {
  const trap = `require('fs').writeFileSync(${JSON.stringify(SPRUNG)}, '')\n`
  const file = (name: string, text: string) => writeFileSync(join(TRAPS, name), text)
  for (const name of ['', 'node_modules', 'plugins', 'src']) mkdirSync(join(TRAPS, name), { recursive: true })
  for (const name of ['trap.js', 'trap.cjs', 'index.js', 'plugins/main.ts', 'tnet.node']) file(name, trap)
  file('trap.mjs', `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(SPRUNG)}, '')\n`)
  file('bunfig.toml', 'preload = ["./trap.js"]\n[run]\npreload = ["./trap.js"]\n[install]\nauto = "force"\n')
  for (const name of ['.env', '.env.local', '.env.production', '.env.development']) {
    file(
      name,
      `CNI_COMMAND=DEL\nCNI_IFNAME=evil0\nTNET_STATE_DIR=${TRAPS}\nTNET_RUN_DIR=${TRAPS}\nBUN_OPTIONS=--preload ./trap.js\n`,
    )
  }
  file(
    'package.json',
    '{"type": "commonjs", "main": "./trap.js", "imports": {"#x": "./trap.js"}, "bun": {"preload": ["./trap.js"]}}',
  )
  file(
    'tsconfig.json',
    '{"compilerOptions": {"paths": {"*": ["./trap.js"]}, "jsx": "react-jsx", "jsxImportSource": "./trap.js"}}',
  )
  for (const name of ['fs', 'ipaddr.js', 'ajv', 'yargs', 'path']) {
    mkdirSync(join(TRAPS, 'node_modules', name), { recursive: true })
    file(`node_modules/${name}/index.js`, trap)
    file(`node_modules/${name}/package.json`, `{"name": "${name}", "main": "index.js"}`)
  }
}

const variables: Readonly<Record<string, string>> = {
  BUN_OPTIONS: `--preload ${TRAPS}/trap.js`,
  BUN_BE_BUN: '1',
  BUN_INSPECT: 'ws://127.0.0.1:9999/x?break=1',
  BUN_INSPECT_PRELOAD: `${TRAPS}/trap.js`,
  BUN_CONFIG_FILE: `${TRAPS}/bunfig.toml`,
  BUN_RUNTIME_TRANSPILER_CACHE_PATH: `${TRAPS}/cache`,
  BUN_JSC_useJIT: '0',
  JSC_dumpOptions: '2',
  NODE_OPTIONS: `--require ${TRAPS}/trap.cjs --import ${TRAPS}/trap.mjs`,
  NODE_PATH: join(TRAPS, 'node_modules'),
  NODE_REPL_EXTERNAL_MODULE: `${TRAPS}/trap.cjs`,
  LD_LIBRARY_PATH: TRAPS,
  LD_AUDIT: `${TRAPS}/trap.so`,
  TMPDIR: '/nowhere',
  TEMP: TRAPS,
  HOME: TRAPS,
  XDG_CONFIG_HOME: TRAPS,
  XDG_CACHE_HOME: TRAPS,
  LC_ALL: 'de_DE.UTF-8',
  TZ: `${TRAPS}/trap.js`,
  MALLOC_CHECK_: '3',
}

/** A test of ours in a world of its own. */
function ownTest(name: string, body: (t: Test, world: World) => Promise<void>): void {
  t.test(name, async t => {
    if (subject === undefined) return t.pass('the reference alone was asked for')
    await using world = await makeWorld(subject)
    await body(t, world)
  })
}

ownTest('a hostile directory and environment: the same results, and no trap is sprung', async (t, world) => {
  layTraps()
  const preload = tool(join(import.meta.dirname, '../harness/trap.c'), [
    '-shared',
    '-fPIC',
    `-DSPRUNG="${SPRUNG}"`,
  ])
  await run('true', [], { env: { LD_PRELOAD: preload } })
  t.ok(existsSync(SPRUNG), 'the trap works')
  rmSync(SPRUNG)
  await run('cp', [preload, `${TRAPS}/trap.so`])
  const before = readdirSync(TRAPS, { recursive: true }).sort()

  const config = world.config({
    isDefaultGateway: true,
    ipMasq: true,
    ipam: hostLocal(['10.1.0.0/24', 'fd00:1::/64']),
  })
  const usual = await world.call('ADD', config)
  t.equal((await world.call('DEL', config)).code, 0)
  const env = { ...variables, LD_PRELOAD: preload }
  // A PATH of traps too: nothing is ever looked up in it.
  const strange = { cwd: TRAPS, env: { ...env, PATH: TRAPS } }
  const calm = await world.snapshot()
  const added = await world.call('ADD', config, strange)
  t.equal(added.code, 0, `${added.stdout}${added.stderr}`)
  t.equal(added.stderr, usual.stderr)
  const next = (text: string) =>
    text.replaceAll('10.1.0.2/', '10.1.0.3/').replaceAll('fd00:1::2/', 'fd00:1::3/')
  t.equal(normal(added.stdout, world), next(normal(usual.stdout, world)), 'the same answer')
  t.strictSame((await world.facts()).leases, ['10.1.0.3', 'fd00:1::3'])
  for (const verb of ['CHECK', 'DEL'] as const) {
    const { code, stdout, stderr } = await world.call(verb, { ...config, prevResult: added.json }, strange)
    t.strictSame({ code, stdout, stderr }, { code: 0, stdout: '', stderr: '' }, verb)
  }
  for (const type of ['bridge', 'host-local', 'tnet-ipam']) {
    const version = await world.call('VERSION', config, { type, ...strange })
    t.strictSame(version, await world.call('VERSION', config, { type }), `VERSION of ${type}`)
  }
  t.equal(await world.snapshot(), calm)
  t.notOk(existsSync(SPRUNG), 'no trap was sprung')
  t.strictSame(readdirSync(TRAPS, { recursive: true }).sort(), before, 'nothing was written there')
})

ownTest('each variable alone', async (t, world) => {
  const config = { cniVersion: '1.0.0' }
  const usual = await world.call('VERSION', config)
  for (const [name, value] of Object.entries(variables)) {
    const { code, stdout, stderr } = await world.call('VERSION', config, { env: { [name]: value } })
    t.strictSame({ code, stdout, stderr }, { code: 0, stdout: usual.stdout, stderr: '' }, name)
  }
  t.notOk(existsSync(SPRUNG))
})

ownTest('a working directory that is gone, or not to be read', async (t, world) => {
  mkdirSync('/run/gone')
  const config = JSON.stringify(world.config({ ipam: hostLocal(['10.1.0.0/24']) }))
  const variables = `CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_IFNAME=eth0 CNI_NETNS=${world.sandbox.path} CNI_PATH=${world.subject.dir}`
  const script = `cd /run/gone && rmdir /run/gone && exec env -i ${variables} ${world.subject.dir}/bridge`
  const { code, stdout, stderr } = await world.host.attempt('sh', ['-c', script], { input: config })
  t.equal(code, 0, `${stdout}${stderr}`)
})

ownTest(
  'full streams: an answer that cannot be written is a failure that leaves nothing',
  async (t, world) => {
    const config = JSON.stringify(world.config({ ipam: hostLocal(['10.1.0.0/24']) }))
    const variables = `CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_IFNAME=eth0 CNI_NETNS=${world.sandbox.path} CNI_PATH=${world.subject.dir}`
    for (const streams of ['>/dev/full', '2>&- >/dev/full']) {
      const { code } = await world.host.attempt(
        'sh',
        ['-c', `exec env -i ${variables} ${world.subject.dir}/bridge ${streams}`],
        { input: config },
      )
      t.not(code, 0, streams)
      const { ports, leases, sandbox } = await world.facts()
      t.strictSame(
        { ports, leases, sandbox },
        { ports: [], leases: [], sandbox: {} },
        `${streams} leaves nothing`,
      )
    }
    const { code } = await world.host.attempt(
      'sh',
      ['-c', `exec env -i ${variables} ${world.subject.dir}/bridge 2>&-`],
      { input: config },
    )
    t.equal(code, 0, 'without standard error it works')
  },
)

const VICTIM = '/run/victim'
const VICTIMS = '/run/victims'

interface Plant {
  readonly name: string
  /** Plants a link in a lease folder that exists, or in place of it. */
  readonly plant: (leaseFolder: string, network: string) => void
}

const plants: Plant[] = [
  { name: 'the lock', plant: folder => symlinkSync(VICTIM, join(folder, 'lock')) },
  {
    name: 'the lock, to a file that does not exist',
    plant: folder => symlinkSync(`${VICTIMS}/new`, join(folder, 'lock')),
  },
  {
    name: 'the mark of the last address',
    plant: folder => symlinkSync(VICTIM, join(folder, 'last_reserved_ip.0')),
  },
  {
    name: 'the mark, to a file that does not exist',
    plant: folder => symlinkSync(`${VICTIMS}/new`, join(folder, 'last_reserved_ip.0')),
  },
  { name: 'a lease', plant: folder => symlinkSync(VICTIM, join(folder, '10.1.0.2')) },
  {
    name: 'a lease, to a file that does not exist',
    plant: folder => symlinkSync(`${VICTIMS}/new`, join(folder, '10.1.0.2')),
  },
  {
    name: 'the folder of the network',
    plant: folder => {
      rmSync(folder, { recursive: true })
      symlinkSync(VICTIMS, folder)
      chmodSync(join(folder, '..'), 0o777) // where only root can write, it was root
    },
  },
  { name: 'the folder of the index', plant: folder => replace(join(folder, '../.tnet')) },
  {
    name: "the folder of the network's index",
    plant: (folder, network) => replace(join(folder, '../.tnet', network)),
  },
  { name: 'the folder of locks', plant: () => replace('/run/tnet') },
]

function replace(path: string): void {
  rmSync(path, { recursive: true, force: true })
  mkdirSync(join(path, '..'), { recursive: true })
  symlinkSync(VICTIMS, path)
}

for (const { name, plant } of plants) {
  ownTest(`a symbolic link in place of ${name}: nothing is written through it`, async (t, world) => {
    writeFileSync(VICTIM, 'untouched')
    mkdirSync(VICTIMS)
    const config = world.config({ isGateway: true, ipMasq: true, ipam: hostLocal(['10.1.0.0/24']) })
    for (const verb of ['ADD', 'DEL'] as const) await world.call(verb, config)
    // So that the first address is asked for again.
    for (const mark of readdirSync(world.leaseFolder))
      if (mark.startsWith('last')) rmSync(join(world.leaseFolder, mark))
    rmSync(join(world.leaseFolder, 'lock'), { force: true })
    plant(world.leaseFolder, world.network)

    const added = await world.call('ADD', config)
    t.comment(`ADD: ${added.code === 0 ? 'it works' : String(added.json?.['msg'])}`)
    if (added.code !== 0) t.type(added.json?.['code'], 'number', added.stderr)
    const deleted = await world.call('DEL', config)
    t.comment(`DEL: ${deleted.code === 0 ? 'it works' : String(deleted.json?.['msg'])}`)
    t.strictSame((await world.facts()).ports, [], 'the kernel is clean in any case')
    t.equal(readFileSync(VICTIM, 'utf8'), 'untouched')
    t.strictSame(readdirSync(VICTIMS), [], 'nothing was made behind the link')
    for (const path of [VICTIM, VICTIMS, '/run/tnet']) rmSync(path, { recursive: true, force: true })
  })
}
