// Runs the examples, and the programs in docs/netlink.md, against the library as it is published.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t from 'tap'
import { isolated, makeNetns } from './harness/namespaces.ts'
import { attempt, run } from './harness/run.ts'

isolated(import.meta)

const ROOT = resolve(import.meta.dirname, '..')
const EXAMPLES = join(ROOT, 'examples/netlink')
const TSC = join(ROOT, 'node_modules/.bin/tsc')
/** Without what tap loads into every program of Node's: the compiler cannot bear it. */
const tsc = (project: string): [string, string[]] => ['env', ['-u', 'NODE_OPTIONS', TSC, '-p', project]]
const STRICT = {
  strict: true,
  module: 'nodenext',
  target: 'esnext',
  lib: ['esnext'],
  noEmit: true,
  types: ['node'],
}

/** The package as a user has it: what `npm pack` takes, unpacked, with the addon that is built already. */
const user = mkdtempSync(join(tmpdir(), 'tnet-user-'))
t.teardown(() => rmSync(user, { recursive: true }))

t.before(async () => {
  await run(...tsc(join(ROOT, 'tsconfig.lib.json')), { cwd: ROOT, timeout: 120_000 })
  const npm = [
    'pack',
    '--ignore-scripts',
    '--silent',
    '--offline',
    '--pack-destination',
    user,
    '--cache',
    join(user, 'cache'),
  ]
  const tarball = (await run('npm', npm, { cwd: ROOT, timeout: 60_000 })).trim()
  const folder = join(user, 'node_modules/tnet')
  mkdirSync(join(folder, 'build/Release'), { recursive: true })
  await run('tar', ['-xzf', join(user, tarball), '-C', folder, '--strip-components=1'])
  cpSync(join(ROOT, 'build/Release/tnet.node'), join(folder, 'build/Release/tnet.node'))
  mkdirSync(join(user, 'node_modules/@types'))
  symlinkSync(join(ROOT, 'node_modules/@types/node'), join(user, 'node_modules/@types/node'))
  writeFileSync(join(user, 'package.json'), '{ "type": "module" }')
  cpSync(EXAMPLES, join(user, 'examples'), { recursive: true })
})

const example = (name: string, ...args: readonly string[]) =>
  attempt(process.execPath, [`examples/${name}.ts`, ...args], { cwd: user })

t.test('list', async t => {
  const { code, stdout } = await example('list')
  t.equal(code, 0)
  t.match(stdout, /^1: lo .*\n {4}127\.0\.0\.1\/8/)
})

t.test('bridge', async t => {
  await using sandbox = await makeNetns()
  const { code, stderr } = await example('bridge', sandbox.path)
  t.equal(code, 0, stderr)
  t.match(await run('ip', ['-o', 'link', 'show', 'demo1']), 'master demo0')
  t.match(await sandbox.run('ip', 'route'), 'default via 10.99.0.1')
  t.match(await sandbox.run('ip', '-o', 'addr', 'show', 'eth0'), '10.99.0.2/24')
  await run('ip', ['link', 'del', 'demo0'])
  await run('ip', ['link', 'del', 'demo1'])
})

t.test('errors', async t => {
  const { code, stdout } = await example('errors')
  t.equal(code, 0)
  t.match(stdout, 'RTM_NEWROUTE: ENETUNREACH')
  t.match(stdout, 'none0 and none1 are gone')
})

t.test('monitor', async t => {
  const listening = example('monitor', '1')
  await run('sh', ['-c', 'until ip link add mon0 type bridge && ip link del mon0 && sleep 0.1; do :; done'])
  const again = setInterval(
    () => void run('sh', ['-c', 'ip link add mon0 type bridge && ip link del mon0']),
    300,
  )
  const { code, stdout } = await listening
  clearInterval(again)
  t.equal(code, 0)
  t.match(stdout, /^listening\nlink mon0 is /)
})

t.test('wait', async t => {
  await run('ip', ['link', 'add', 'name', 'w0', 'type', 'veth', 'peer', 'name', 'w1'])
  await run('ip', ['link', 'set', 'w1', 'up'])
  const waiting = example('wait', 'w0', '10000')
  await run('ip', ['link', 'set', 'w0', 'up'])
  const { code, stdout } = await waiting
  t.equal(code, 0)
  t.match(stdout, 'w0 is up')
  t.equal((await example('wait', 'none', '50')).code, 1)
  await run('ip', ['link', 'del', 'w0'])
})

t.test('own-table', async t => {
  const { code, stdout } = await example('own-table')
  t.equal(code, 0)
  t.match(stdout, /^lo: \d+ packets in, \d+ out\n$/)
})

t.test('features', async t => {
  const { code, stdout, stderr } = await example('features')
  t.equal(code, 0, stderr)
  const shown = await run('ethtool', ['-k', 'lo'])
  const lines = stdout.trimEnd().split('\n')
  t.ok(lines.length > 50, `${lines.length} features`)
  for (const name of ['tx-tcp-segmentation', 'rx-gro-list', 'tx-checksum-ip-generic', 'tx-checksum-ipv4']) {
    const line = lines.find(each => each.startsWith(`${name}: `)) ?? ''
    t.ok(line !== '' && shown.includes(`${line}\n`), line)
  }
})

t.test('nftables', async t => {
  await run('sh', ['-c', 'ip address add 192.0.2.1/32 dev lo'])
  const { code, stdout, stderr } = await example('nftables', '192.0.2.1', '192.0.2.9')
  t.equal(code, 0, stderr)
  t.match(stdout, /^192\.0\.2\.[19] for another (60|59) s$/m)
  t.match(await run('nft', ['list', 'chain', 'inet', 'blocked', 'input']), 'ip saddr @addresses counter')
  t.match(
    await run('nft', ['list', 'set', 'inet', 'blocked', 'addresses']),
    /192\.0\.2\.9 .*comment "asked for"/,
  )
  t.equal((await example('nftables', '192.0.2.9')).code, 0, 'again')
  await run('nft', ['delete', 'table', 'inet', 'blocked'])
})

t.test('every example is run here', t => {
  const text = readFileSync(import.meta.filename, 'utf8')
  const names = readdirSync(EXAMPLES).map(file => file.replace(/\.ts$/, ''))
  t.same(
    names.filter(name => !text.includes(`example('${name}'`)),
    [],
  )
  t.end()
})

t.test('the types are those of the package', async t => {
  writeFileSync(
    join(user, 'types.ts'),
    `import { type Link, Monitor, links, NetlinkSocket, NETLINK_ROUTE, newLink } from 'tnet/netlink'
export const name = (link: Link): string | undefined => link.name
const socket = new NetlinkSocket(NETLINK_ROUTE)
await socket.request(newLink, { name: 'x', linkInfo: { kind: 'bridge', data: { ageingTime: 1 } } })
// @ts-expect-error the name is wrong
await socket.request(newLink, { nmae: 'x' })
// @ts-expect-error no such flag
await socket.request(newLink, { flags: new Set(['upp'] as const) })
for await (const event of new Monitor({}, links)) if (event.name === 'RTM_DELLINK') name(event.value)
`,
  )
  const settings = { compilerOptions: STRICT, include: ['types.ts', 'examples', 'docs'] }
  writeFileSync(join(user, 'tsconfig.json'), JSON.stringify(settings))
  const blocks = [...readFileSync(join(ROOT, 'docs/netlink.md'), 'utf8').matchAll(/```ts\n(.*?)```/gs)]
  mkdirSync(join(user, 'docs'))
  blocks.forEach(([, code = ''], i) => writeFileSync(join(user, 'docs', `${i}.ts`), code))
  const { code, stdout } = await attempt(...tsc('.'), { cwd: user, timeout: 120_000 })
  t.equal(code, 0, stdout)
  t.not(blocks.length, 0)
  for (const [i, [, source = '']] of blocks.entries()) {
    const { code, stderr } = await attempt(process.execPath, [`docs/${i}.ts`], { cwd: user })
    t.equal(code, 0, `${source.split('\n')[0]}: ${stderr}`)
  }
})
