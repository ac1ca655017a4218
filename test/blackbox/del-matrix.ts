// DEL of every plugin, whatever has become of the sandbox, of its interface, of the master, of the result.
import { rmSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { chain, type Chain } from '../harness/chain.ts'
import { isolated, lacks } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { run } from '../harness/run.ts'
import { type Sample, samples } from '../harness/samples.ts'
import { makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(20 * 60_000)

const NAMESPACES = ['present', 'empty', 'gone', 'no namespace', 'recycled'] as const
type Namespace = (typeof NAMESPACES)[number]

interface Case {
  readonly namespace: Namespace
  readonly isLinkThere: boolean
  readonly isMasterThere: boolean
  readonly hasResult: boolean
}

const BOTH = [true, false]
const CONTAINERS = ['one', 'two'] as const

function cases({ master, isLinkless }: Sample): Case[] {
  return NAMESPACES.flatMap(namespace =>
    BOTH.flatMap(hasResult =>
      // With the namespace the interface is gone as well.
      (isLinkless || !['present', 'empty'].includes(namespace) ? [true] : BOTH).flatMap(isLinkThere =>
        // Whom the namespace is another's by now, had a master to be attached.
        (master === undefined || namespace === 'recycled' ? [true] : BOTH).map(isMasterThere => ({
          namespace,
          isLinkThere,
          isMasterThere,
          hasResult,
        })),
      ),
    ),
  )
}

function nameOf({ namespace, isLinkThere, isMasterThere, hasResult }: Case): string {
  const missing = [isLinkThere || 'interface', isMasterThere || 'master', hasResult || 'prevResult']
  const list = missing.filter(each => each !== true)
  return `netns ${namespace}${list.length === 0 ? '' : `, missing: ${list.join(', ')}`}`
}

const subject = subjects().find(({ name }) => name === 'tnet')

for (const sample of subject === undefined ? [] : samples) {
  const skip = sample.needs === undefined ? false : lacks(sample.needs)
  t.test(sample.type, { skip }, async t => {
    if (subject === undefined) return
    await using world = await makeWorld(subject)
    await sample.prepare?.(world)
    await sample.devices?.(world, CONTAINERS)
    await sample.furnish?.(world.sandbox, world)
    const netns = world.sandbox.path
    const [one, two] = CONTAINERS.map(containerId => chain(world, sample, { containerId, netns })) as [
      Chain,
      Chain,
    ]
    // What a first use of the machine makes, and all share.
    await one.add()
    await one.del()
    const before = await world.snapshot()
    for (const each of cases(sample)) {
      await t.test(nameOf(each), async t => {
        await one.add()
        await spoil(world, sample, each)
        if (each.namespace === 'recycled') return recycled(t, world, { sample, one, two, before }, each)
        const where = each.namespace === 'empty' ? { netns: '' } : {}
        await deleted(t, one, { ...where, ...(each.hasResult ? {} : { prevResult: false }) })
        await deleted(t, one, where)
        await restore(world, sample, each)
        t.equal(await world.snapshot(), before, 'nothing is left')
      })
    }
  })
}

type How = Parameters<Chain['del']>[0]

async function deleted(t: Test, one: Chain, how: How): Promise<void> {
  for (const { code, stdout } of await one.del(how)) t.equal(code, 0, `DEL: ${stdout}`)
}

interface Neighbours {
  readonly sample: Sample
  readonly one: Chain
  readonly two: Chain
  readonly before: string
}

/** The path leads to the namespace of another container by now. */
async function recycled(
  t: Test,
  world: World,
  { sample, one, two, before }: Neighbours,
  each: Case,
): Promise<void> {
  await two.add()
  const attached = await inSandbox(world)
  await deleted(t, one, each.hasResult ? {} : { prevResult: false })
  t.equal(await inSandbox(world), attached, 'the other container is not touched')
  for (const { code, stdout } of await two.check()) t.equal(code, 0, `CHECK of the other: ${stdout}`)
  await deleted(t, two, {})
  await sample.devices?.(world, CONTAINERS)
  t.equal(await world.snapshot(), before, 'nothing is left')
}

/** The links of the sandbox and their addresses, but for the carrier: the kernel takes its time to notice that there is none. */
async function inSandbox({ sandbox }: World): Promise<string> {
  const text = await sandbox.run('ip', '-j', 'address')
  return text.replace(/"(NO-CARRIER|LOWER_UP)",?|"operstate":"[A-Z]+",/g, '')
}

async function spoil(world: World, sample: Sample, each: Case): Promise<void> {
  const { master, ifname = 'eth0' } = sample
  const { sandbox, host } = world
  if (!each.isLinkThere) await sandbox.run('ip', 'link', 'del', ifname)
  if (!each.isMasterThere) await host.run('ip', 'link', 'del', master ?? '')
  if (['gone', 'no namespace', 'recycled'].includes(each.namespace)) await sandbox.remove()
  if (each.namespace === 'no namespace') writeFileSync(sandbox.path, '')
  if (each.namespace === 'recycled') await remake(world, sample)
}

async function restore(world: World, sample: Sample, each: Case): Promise<void> {
  const { prepare, devices, master, isInside, ifname = 'eth0' } = sample
  const isLinkThere = each.isLinkThere && each.isMasterThere
  // Nobody told where it is: only a device of the host is looked for.
  const isLeft = isInside === true && devices === undefined && each.namespace === 'empty' && isLinkThere
  if (isLeft) await world.sandbox.run('ip', 'link', 'del', ifname)
  if (each.namespace === 'no namespace') rmSync(world.sandbox.path)
  // Without a path and a link to go by, rules and parameters inside are nobody's to find: they go with the namespace.
  const isUnfindable = each.namespace === 'empty' && !each.isLinkThere
  if (isUnfindable) await world.sandbox.remove()
  if (isUnfindable || ['gone', 'no namespace'].includes(each.namespace)) await remake(world, sample)
  if (!each.isMasterThere && master !== undefined) await prepare?.(world)
  // A virtual device ends with the sandbox that it is in.
  await devices?.(world, CONTAINERS)
}

async function remake(world: World, { furnish }: Sample): Promise<void> {
  const { sandbox } = world
  await run('ip', ['netns', 'add', sandbox.name])
  await sandbox.run('ip', 'link', 'set', 'lo', 'up')
  await furnish?.(sandbox, world)
}
