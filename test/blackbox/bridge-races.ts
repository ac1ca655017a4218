// Two ADDs on a new bridge, one of which fails: one is held at each write in turn, and the other one meanwhile runs.
import { readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { isolated, makeNetns } from '../harness/namespaces.ts'
import { type Answer, callEnvironment, subjects } from '../harness/plugins.ts'
import { ownTool, scratch } from '../harness/tools.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const ours = subjects().find(({ name }) => name === 'tnet')
/** More than an ADD has writes: to netlink, to files and of its answer. */
const LIMIT = 60
const BRIDGE = 'br0'
const ADD_BRIDGE = `ip link add ${BRIDGE} address 02:00:00:00:00:09 type bridge`
const MARK_BRIDGE = `ip link set ${BRIDGE} alias tnet-bridge`
/** As the undo of an ADD that made the bridge: it looks for ports, and removes it where there are none. */
const UNDO = `ip -o link show master ${BRIDGE} | grep -q . || ip link del ${BRIDGE}`

interface Held {
  readonly containerId?: string
  readonly netns?: string
  readonly config: object
  /** Run by the shell in the host's namespace before the n-th write. */
  readonly meanwhile: string
  readonly n: number
}

/** One ADD; answers whether it had an n-th write, too. */
async function heldAdd(
  world: World,
  held: Held,
): Promise<{ hit: boolean; code: number | null; stdout: string }> {
  const { config, meanwhile, n, ...request } = held
  const { dir } = world.subject
  const env = callEnvironment(dir, { verb: 'ADD', config, netns: world.sandbox.path, ...request })
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const report = scratch('report')
  const inject = [ownTool('inject'), report, 'run', 'write', `${n}`, meanwhile]
  const args = ['-i', ...variables, ...inject, '--', `${dir}/bridge`]
  const { code, stdout } = await world.host.attempt('env', args, { input: JSON.stringify(config) })
  return { hit: readFileSync(report, 'utf8') === 'hit\n', code, stdout }
}

async function attached(t: Test, world: World, n: number, { code, stdout }: Pick<Answer, 'code' | 'stdout'>) {
  t.equal(code, 0, `write ${n}: ${stdout}`)
  const { ports, bridges } = await world.facts()
  t.strictSame(
    ports.map(({ master }) => master),
    [BRIDGE],
    `write ${n}: it is a port of the bridge`,
  )
  t.strictSame(bridges[BRIDGE]?.addresses, ['10.1.0.1/24'], `write ${n}: the gateway`)
}

async function removeBridge({ host }: World): Promise<void> {
  await host.attempt('ip', ['link', 'del', BRIDGE])
}

for (const state of ['up', 'down']) {
  t.test(
    `ADD failed where another's undo took the bridge, which was ${state}`,
    { timeout: 300_000 },
    async t => {
      if (ours === undefined) return t.pass('the reference alone was asked for')
      await using world = await makeWorld(ours)
      const config = world.config({ bridge: BRIDGE, isGateway: true, ipam: hostLocal(['10.1.0.0/24']) })
      let n = 0
      for (let hit = true; hit && n < LIMIT;) {
        await world.host.run('sh', '-c', `${ADD_BRIDGE} && ${MARK_BRIDGE} ${state}`)
        const added = await heldAdd(world, { config, meanwhile: UNDO, n: ++n })
        hit = added.hit
        await attached(t, world, n, added)
        t.equal((await world.call('DEL', config)).code, 0)
        await removeBridge(world)
      }
      t.ok(n > 5 && n < LIMIT, `${n - 1} writes`)
    },
  )
}

t.test('an undo removed the bridge of an ADD that had succeeded meanwhile', { timeout: 300_000 }, async t => {
  if (ours === undefined) return t.pass('the reference alone was asked for')
  await using world = await makeWorld(ours)
  await using second = await makeNetns('second')
  const config = world.config({ bridge: BRIDGE, isGateway: true, ipam: hostLocal(['10.1.0.0/24']) })
  const one = { subnet: '10.2.0.0/30', rangeStart: '10.2.0.1', rangeEnd: '10.2.0.1', gateway: '10.2.0.1' }
  const exhausted = { ...config, name: 'exhausted', ipam: { type: 'host-local', ranges: [[one]] } }
  const { command: meanwhile, hasSucceeded } = addCommand(world, config)
  let n = 0
  let successes = 0
  for (let hit = true; hit && n < LIMIT;) {
    const bad = { containerId: 'bad', netns: second.path, config: exhausted }
    const failed = await heldAdd(world, { ...bad, meanwhile, n: ++n })
    t.not(failed.code, 0, 'it has no address')
    hit = failed.hit
    // Where the undo is held while it has the bridge alone, the other waits for its end, in vain.
    if (hit && hasSucceeded()) {
      successes++
      await attached(t, world, n, { code: 0, stdout: '' })
    }
    t.equal((await world.call('DEL', config)).code, 0)
    await removeBridge(world)
  }
  t.ok(n > 5 && n < LIMIT, `${n - 1} writes`)
  t.ok(successes > n / 2, `${successes} succeeded meanwhile`)
})

t.test('of two ADDs for one attachment, one undid the other', { timeout: 300_000 }, async t => {
  if (ours === undefined) return t.pass('the reference alone was asked for')
  await using world = await makeWorld(ours)
  const config = world.config({ bridge: BRIDGE })
  const { command: meanwhile, hasSucceeded } = addCommand(world, config)
  let n = 0
  for (let hit = true; hit && n < LIMIT;) {
    const added = await heldAdd(world, { config, meanwhile, n: ++n })
    hit = added.hit
    const successes = [added.code === 0, hit && hasSucceeded()].filter(Boolean)
    const { ports, sandbox } = await world.facts()
    t.strictSame(
      { successes: successes.length, ports: ports.length, links: Object.keys(sandbox) },
      { successes: 1, ports: 1, links: ['eth0'] },
      `write ${n}`,
    )
    t.equal((await world.call('DEL', config)).code, 0)
    await removeBridge(world)
  }
  t.ok(n > 2 && n < LIMIT, `${n - 1} writes`)
})

/** ADD as a command of the shell, which has some seconds. */
function addCommand(
  { subject: { dir }, sandbox }: World,
  config: object,
): { command: string; hasSucceeded: () => boolean } {
  const [input, script] = [scratch('config'), scratch('add')]
  const env = callEnvironment(dir, { verb: 'ADD', config, netns: sandbox.path })
  const variables = Object.entries(env).map(([name, value]) => `'${name}=${value}'`)
  writeFileSync(input, JSON.stringify(config))
  const call = `timeout 5 env -i ${variables.join(' ')} ${dir}/bridge < ${input} > /dev/null 2>&1`
  writeFileSync(script, `${call}; echo $? > ${script}.status\n`)
  return { command: `sh ${script}`, hasSucceeded: () => readFileSync(`${script}.status`, 'utf8') === '0\n' }
}
