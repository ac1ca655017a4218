// GC on a host with 200 attachments of which 150 are stale: exactly those go, for every plugin.
import t from 'tap'
import { type Chain, chain, gc } from '../harness/chain.ts'
import { isolated, lacks, makeNetns, type Netns } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { samples } from '../harness/samples.ts'
import { linksOf } from '../harness/snapshot.ts'
import { makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(30 * 60_000)

const ALL = 200
const VALID = 50
/** Processes that stand by serve them: so many calls would else take most of the time of all tests. */
const AT_ONCE = 3

const subject = subjects().find(({ name }) => name === 'tnet')
const namespaces = await makeSpaces()

for (const sample of subject === undefined ? [] : samples) {
  const skip = sample.needs === undefined ? false : lacks(sample.needs)
  await t.test(sample.type, { skip }, async t => {
    if (subject === undefined) return
    await using world = await makeWorld(subject, { standby: AT_ONCE })
    await sample.prepare?.(world)
    await sample.devices?.(
      world,
      Array.from(namespaces, (_, n) => `many${n}`),
    )
    const { furnish } = sample
    const spaces = furnish === undefined ? namespaces : await makeSpaces()
    for (const each of spaces) await furnish?.(each, world)
    const containers = spaces.map(({ path }, n) =>
      chain(world, sample, { containerId: `many${n}`, netns: path }),
    )
    const [first] = containers
    await first?.add() // makes what all share
    await first?.del()
    const before = await look(world, spaces)
    await inTurns(containers, each => each.add())

    // Not the newest, nor the oldest: every fourth.
    const valid = containers.filter((_, n) => n % (ALL / VALID) === 1)
    const stale = containers.filter(each => !valid.includes(each))
    for (const { code, stdout } of await gc(world, sample, valid)) t.equal(code, 0, `GC: ${stdout}`)
    const collected = await look(world, spaces)
    t.strictSame(named(collected, stale), [], 'nothing is of a stale one')
    await inTurns(valid, async each => {
      for (const { code, stdout } of await each.check()) if (code !== 0) t.fail(`CHECK: ${stdout}`)
    })
    await inTurns([...stale, ...valid], async each => {
      for (const { code, stdout } of await each.del()) if (code !== 0) t.fail(`DEL: ${stdout}`)
    })
    t.equal(await look(world, spaces), before, 'nothing is left')
    if (spaces !== namespaces) await removeAll(spaces)
  })
}

await removeAll(namespaces)

async function makeSpaces(): Promise<Netns[]> {
  const spaces: Netns[] = []
  for (let n = 0; n < ALL; n++) spaces.push(await makeNetns('space'))
  return spaces
}

async function removeAll(spaces: readonly Netns[]): Promise<void> {
  for (const each of spaces) await each[Symbol.asyncDispose]()
}

/** All of the host and of a few sandboxes, of the others the links with their addresses: a whole look at so many takes long. */
async function look(world: World, spaces: readonly Netns[]): Promise<string> {
  const [few, many] = [spaces.slice(0, 8), spaces.slice(8)]
  const names = [world.host, world.sandbox, ...few].map(({ name }) => name)
  const whole = await world.snapshot({ names })
  const links: string[] = []
  await inTurns(many, async each => {
    links.push(await linksOf(each.name))
  })
  return [whole, ...links.sort()].join('\n')
}

/** The containers that a text names as owners. */
function named(text: string, containers: readonly Chain[]): string[] {
  const words = new Set(text.match(/many\d+/g))
  return containers.map(({ containerId }) => containerId).filter(each => words.has(each))
}

async function inTurns<T>(all: readonly T[], deed: (each: T) => Promise<unknown>): Promise<void> {
  const left = [...all]
  const worker = async () => {
    for (let each = left.shift(); each !== undefined; each = left.shift()) await deed(each)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
