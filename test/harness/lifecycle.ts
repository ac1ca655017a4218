// One row of a table of behaviours: ADD, what it answers, what it makes, CHECK, DEL, and that nothing is left.
import type { Test } from 'tap'
import type { Facts } from './facts.ts'
import { subjects, type Call, type Subject } from './plugins.ts'
import { makeWorld, part, type World } from './world.ts'

/** What of the facts a row speaks of. */
type Some<T> = T extends readonly (infer I)[]
  ? readonly Some<I>[]
  : T extends object
    ? { readonly [K in keyof T]?: Some<T[K]> | undefined }
    : T

export interface Row {
  readonly name: string
  /** Why the reference (1.1.1) is not asked: a bug of it, or newer than it. */
  readonly onlyOurs?: string
  readonly config: object
  readonly request?: Partial<Call>
  /** Made on the host before. */
  readonly before?: (world: World) => Promise<unknown>
  /** The answer, with MAC, VETH and SANDBOX in place of what differs from call to call. */
  readonly result: object
  readonly facts?: Some<Facts>
  /** What else has to hold after ADD. */
  readonly also?: (t: Test, world: World) => Promise<unknown>
  /** Why the reference's CHECK is not asked. */
  readonly noReferenceCheck?: string
  /** Why the reference's DEL is not asked a second time. */
  readonly noReferenceRepeat?: string
  /** The version of the configuration has no CHECK. */
  readonly noCheck?: boolean
}

/** A test for each row, for each plugin directory. */
export function table(t: Test, rows: readonly Row[]): void {
  // Many rows, each some calls: the limit is for a machine that is busy with others.
  t.setTimeout(600_000)
  for (const subject of subjects()) {
    t.test(subject.name, { timeout: 600_000 }, async t => {
      for (const row of rows) {
        if (subject.name === 'reference' && row.onlyOurs !== undefined) continue
        await t.test(row.name, t => lifecycle(t, subject, row))
      }
    })
  }
}

async function lifecycle(t: Test, subject: Subject, row: Row): Promise<void> {
  await using world = await makeWorld(subject)
  await row.before?.(world)
  const config = world.config(row.config)
  const { others, sandbox } = await world.facts()

  const added = await world.call('ADD', config, row.request)
  if (!t.equal(added.code, 0, `ADD: ${added.stdout}${added.stderr}`)) return
  t.equal(normal(added.stdout, world), JSON.stringify(row.result, null, 4), 'the answer')
  const found = await world.facts()
  if (row.facts !== undefined) t.strictSame(part(found, row.facts), row.facts, 'the kernel')
  t.strictSame(
    toldMacs(added.json),
    foundMacs(found, added.json),
    'the addresses of the answer are those of the links',
  )
  await row.also?.(t, world)

  const withResult = { ...config, prevResult: added.json }
  const hasCheck = row.noCheck !== true && (subject.name === 'tnet' || row.noReferenceCheck === undefined)
  if (hasCheck) {
    const checked = await world.call('CHECK', withResult, row.request)
    t.equal(checked.code, 0, `CHECK: ${checked.stdout}`)
    t.equal(checked.stdout, '', 'CHECK says nothing')
  }
  const deleted = await world.call('DEL', withResult, row.request)
  t.equal(deleted.code, 0, `DEL: ${deleted.stdout}`)
  t.equal(deleted.stdout, '', 'DEL says nothing')
  const left = await world.facts()
  const { ports, leases } = left
  t.strictSame(
    { ports, sandbox: left.sandbox, leases },
    { ports: [], sandbox, leases: [] },
    'nothing is left',
  )
  await again(t, world, row)
  t.strictSame((await world.facts()).others, others, 'the other links of the host are as before')
}

/** Once more from the start: the state after two rounds is that after one. */
async function again(t: Test, world: World, row: Row): Promise<void> {
  const config = world.config(row.config)
  const before = await world.snapshot()
  if (world.subject.name === 'tnet' || row.noReferenceRepeat === undefined) {
    t.equal((await world.call('DEL', config, row.request)).code, 0, 'DEL of what is gone')
  }
  const added = await world.call('ADD', config, row.request)
  t.equal(added.code, 0, `a second ADD: ${added.stdout}`)
  t.equal((await world.call('DEL', config, row.request)).code, 0, 'DEL without the result')
  t.equal(await world.snapshot(), before, 'as before')
}

/** What differs from call to call, by its name. `dns` without content is left out by newer versions. */
export function normal(text: string, { sandbox }: World): string {
  return text
    .trimEnd()
    .replaceAll(sandbox.path, 'SANDBOX')
    .replace(/"([\da-f]{2}:){5}[\da-f]{2}"/g, '"MAC"')
    .replace(/"veth[^"]*"/g, '"VETH"')
    .replace(/,\n *"dns": \{\}/g, '')
}

type Interfaces = { name: string; mac: string; sandbox?: string }[]

function toldMacs(json: Record<string, unknown> | undefined): string[] {
  return ((json?.['interfaces'] ?? []) as Interfaces).map(({ mac }) => mac)
}

function foundMacs(
  { bridges, ports, others, sandbox }: Facts,
  json: Record<string, unknown> | undefined,
): (string | undefined)[] {
  const interfaces = (json?.['interfaces'] ?? []) as Interfaces
  return interfaces.map(
    ({ name, sandbox: path }) =>
      (path !== undefined ? sandbox[name] : (bridges[name] ?? others[name] ?? ports[0]))?.mac,
  )
}
