// One row of a table of refusals: the code of the error, and that kernel and leases are as they were.
import type { Test } from 'tap'
import { subjects, type Answer, type Call, type Subject, type Verb } from './plugins.ts'
import { makeWorld, type World } from './world.ts'

export interface Refusal {
  readonly name: string
  /** Why the reference (1.1.1) is not asked. */
  readonly onlyOurs?: string
  readonly verb?: Verb
  readonly type?: string
  /** More than the common configuration, or the whole text of standard input. */
  readonly config?: object | string | ((world: World) => object)
  readonly request?: Partial<Call> | ((world: World) => Partial<Call>)
  /** Made before; must be undone by nobody: the state after it is the state that has to stay. */
  readonly before?: (world: World) => Promise<unknown>
  /** The code of our error. The reference says 999 to nearly everything. */
  readonly code: number
  readonly referenceCode?: number
}

/** A test for each row, for each plugin directory. */
export function refusals(t: Test, rows: readonly Refusal[]): void {
  // Many rows, each some calls: the limit is for a machine that is busy with others.
  t.setTimeout(600_000)
  for (const subject of subjects()) {
    t.test(subject.name, { timeout: 600_000 }, async t => {
      for (const row of rows) {
        if (subject.name === 'reference' && row.onlyOurs !== undefined) continue
        await t.test(row.name, t => refusal(t, subject, row))
      }
    })
  }
}

async function refusal(t: Test, subject: Subject, row: Refusal): Promise<void> {
  await using world = await makeWorld(subject)
  await row.before?.(world)
  const before = settled(await world.snapshot())
  const { verb = 'ADD', type = 'bridge', config = {}, request = {} } = row
  const more = typeof config === 'function' ? config(world) : config
  const whole = typeof more === 'string' ? more : { ...world.config(), type, ...more }
  const answer = await world.call(verb, whole, {
    type,
    ...(typeof request === 'function' ? request(world) : request),
  })
  t.equal(answer.code, 1, 'exit status')
  const code = subject.name === 'reference' ? (row.referenceCode ?? 999) : row.code
  t.equal(answer.json?.['code'], code, `${answer.stdout}${answer.stderr}`)
  // The reference leaves links and folders behind; that is no behaviour to ask of anybody.
  if (subject.name === 'reference') return
  tellsWell(t, answer)
  t.equal(settled(await world.snapshot()), before, 'kernel and leases as they were')
}

/** One line that says something, and nothing that a terminal would obey. */
export function tellsWell(t: Test, { json }: Answer): void {
  const message = String(json?.['msg'] ?? '')
  t.match(message, /^[^\p{Cc}]{8,2000}$/u, 'one clear line')
}

/** A snapshot without what a first call makes and no call takes away: host-local's folders, lock, marks and index. */
export function settled(text: string): string {
  const kept = (line: string) =>
    line.trim() !== '' &&
    !/^ *\/var\/lib\/cni\/networks.*( folder |\/lock |\/last_reserved_ip\.|\/\.tnet\/)/.test(line)
  return text.split('\n').filter(kept).join('\n')
}
