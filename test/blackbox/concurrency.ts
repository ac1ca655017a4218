// 16 processes at once, random ADD, DEL and CHECK on 64 containers: no address twice, nothing left over.
import t, { type Test } from 'tap'
import { isolated, makeNetns, type Netns } from '../harness/namespaces.ts'
import { subjects, type Subject } from '../harness/plugins.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const PROCESSES = 16
const CONTAINERS = 64

/** A generator of numbers in [0, 1) that a seed repeats. */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Container {
  readonly netns: Netns
  isBusy: boolean
  /** The answer to its ADD while it is attached. */
  result: Record<string, unknown> | undefined
}

interface Model {
  readonly world: World
  readonly config: Record<string, unknown>
  readonly containers: readonly Container[]
  /** Who holds an address. */
  readonly holders: Map<string, string>
  readonly faults: string[]
}

type Addresses = { readonly address: string }[]

function addresses(result: Record<string, unknown> | undefined): string[] {
  return ((result?.['ips'] ?? []) as Addresses).map(({ address }) => address)
}

/** One call on a container, judged by what the model says of it. */
async function operate(
  { world, config, holders, faults }: Model,
  container: Container,
  verb: 'ADD' | 'DEL' | 'CHECK',
): Promise<void> {
  const { netns, result } = container
  const name = netns.name
  const sent = verb === 'CHECK' ? { ...config, prevResult: result ?? { cniVersion: '1.0.0' } } : config
  // An address is free again when DEL begins, not when its answer is here.
  if (verb === 'DEL') for (const address of addresses(result)) holders.delete(address)
  const { code, json, stdout } = await world.call(verb, sent, {
    containerId: name,
    netns: netns.path,
    timeout: 60_000,
  })
  const isExpected = verb === 'DEL' || (verb === 'ADD') === (result === undefined)
  if ((code === 0) !== isExpected)
    faults.push(`${verb} of ${name}, ${result === undefined ? 'not ' : ''}attached: ${code} ${stdout}`)
  if (verb === 'DEL') container.result = undefined
  if (verb !== 'ADD' || code !== 0) return
  for (const address of addresses(json)) {
    const holder = holders.get(address)
    if (holder !== undefined) faults.push(`${address} of ${holder} was given to ${name}`)
    holders.set(address, name)
  }
  container.result ??= json
}

async function worker(model: Model, next: () => number, budget: { left: number }): Promise<void> {
  const verbs = ['ADD', 'ADD', 'DEL', 'CHECK'] as const
  while (budget.left-- > 0) {
    const free = model.containers.filter(({ isBusy }) => !isBusy)
    const container = free[Math.floor(next() * free.length)]
    const verb = verbs[Math.floor(next() * verbs.length)]
    if (container === undefined || verb === undefined) continue
    container.isBusy = true
    await operate(model, container, verb)
    container.isBusy = false
  }
}

async function storm(t: Test, subject: Subject, operations: number, more: object): Promise<void> {
  const seed = Number(process.env['TNET_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  t.comment(`${operations} operations, TNET_TEST_SEED=${seed}`)
  await using world = await makeWorld(subject)
  const config = world.config({
    isDefaultGateway: true,
    ipam: hostLocal(['10.1.0.0/24', 'fd00:1::/64']),
    ...more,
  })
  const containers: Container[] = []
  for (let n = 0; n < CONTAINERS; n++)
    containers.push({ netns: await makeNetns('c'), isBusy: false, result: undefined })
  t.equal((await world.call('ADD', config)).code, 0)
  t.equal((await world.call('DEL', config)).code, 0)
  const before = await world.snapshot()

  const model: Model = { world, config, containers, holders: new Map(), faults: [] }
  const next = random(seed)
  const budget = { left: operations }
  const began = Date.now()
  await Promise.all(Array.from({ length: PROCESSES }, () => worker(model, next, budget)))
  t.comment(`${Math.round((operations * 1000) / (Date.now() - began))} operations a second`)
  t.strictSame(model.faults, [], 'every call did what it has to')
  const held = await world.facts()
  t.strictSame(held.leases.length, model.holders.size, 'as many leases as addresses that are held')
  await Promise.all(containers.map(container => operate(model, container, 'DEL')))
  t.strictSame(model.faults, [])
  t.equal(await world.snapshot(), before, 'nothing is left')
  for (const { netns } of containers) await netns.remove()
}

for (const subject of subjects()) {
  const isOurs = subject.name === 'tnet'
  // The reference shows that the test itself is sound; its iptables lock would take most of the time.
  t.test(subject.name, { timeout: 600_000 }, t => storm(t, subject, isOurs ? 2000 : 300, { ipMasq: isOurs }))
}
