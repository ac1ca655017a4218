// tnet killed at its deeds, one after the other: the command that undoes it leaves nothing.
import t, { type Test } from 'tap'
import { existsSync, readFileSync } from 'node:fs'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { BARE_ENVIRONMENT, EXECUTABLE, executable as tnet } from '../harness/command-line.ts'
import { difference } from '../harness/kill-sweep.ts'
import { isolated, makeNetns } from '../harness/namespaces.ts'
import { attempt } from '../harness/run.ts'
import { snapshot } from '../harness/snapshot.ts'
import { ownTool, scratch } from '../harness/tools.ts'

isolated(import.meta)
t.setTimeout(20 * 60_000)

/** The calls by which it changes the kernel and the store; death at any other is death at the next of these. */
const DEEDS = ['write', 'pwrite64', 'fdatasync', 'unlink', 'setns']

interface Sweep {
  readonly prepare: readonly (readonly string[])[]
  readonly killed: readonly string[]
  readonly cleanUp: readonly (readonly string[])[]
}

async function sweep(t: Test, { prepare, killed, cleanUp }: Sweep): Promise<unknown> {
  const all = async (lines: readonly (readonly string[])[]) => {
    for (const line of lines) await tnet.must(...line)
  }
  await all([...prepare, killed, ...cleanUp])
  const before = await everything()
  let points = 0
  for (const syscall of DEEDS) {
    for (let n = 1; ; n++) {
      await all(prepare)
      const hit = await killAt(syscall, n, killed)
      await all(cleanUp)
      const after = await everything()
      if (after !== before)
        return t.fail(`${killed.join(' ')} killed at ${syscall} ${n}: ${difference(before, after)}`)
      if (!hit) break
      points++
    }
  }
  t.comment(`${killed.join(' ')} killed at ${points} points`)
  return t.ok(points > DEEDS.length, 'it was killed at all')
}

async function killAt(syscall: string, n: number, words: readonly string[]): Promise<boolean> {
  const report = scratch('report')
  const args = [report, 'kill', syscall, String(n), '--', EXECUTABLE, ...words]
  await attempt(ownTool('inject'), args, { env: BARE_ENVIRONMENT, cwd: '/' })
  return readFileSync(report, 'utf8') === 'hit\n'
}

/** The kernel, the files, and the keys of the store. */
async function everything(): Promise<string> {
  await using store = await sqliteStore('/var/lib/tnet')
  const keys = (await store.range('')).map(({ key }) => key)
  return [await snapshot(), ...keys].join('\n')
}

const skip = existsSync(EXECUTABLE) ? false : 'dist/bin is not built'

t.test('networks', { skip }, async t => {
  const create = ['network', 'create', '--subnet', '10.1.0.0/24', '--subnet', 'fd00:1::/64', 'front']
  const gone = ['network', 'rm', '-f', 'front']
  await t.test('create, then rm', t => sweep(t, { prepare: [], killed: create, cleanUp: [gone] }))
  await t.test('rm, then rm', t => sweep(t, { prepare: [create], killed: gone, cleanUp: [gone] }))
})

t.test('endpoints', { skip }, async t => {
  await using web = await makeNetns('web')
  await using db = await makeNetns('db')
  await tnet.must('network', 'create', '--subnet', '10.2.0.0/24', '--subnet', 'fd00:2::/64', 'back')
  const connect = ['network', 'connect', 'back', web.path]
  const leave = ['network', 'disconnect', '-f', 'back', web.path]
  const another = ['network', 'connect', 'back', db.path]
  const anotherGone = ['network', 'disconnect', 'back', db.path]
  await t.test('connect, then disconnect', t => sweep(t, { prepare: [], killed: connect, cleanUp: [leave] }))
  await t.test('disconnect, then disconnect', t =>
    sweep(t, { prepare: [connect], killed: leave, cleanUp: [leave] }),
  )
  await t.test('connect, then whatever comes next on the network', t =>
    sweep(t, { prepare: [], killed: connect, cleanUp: [another, anotherGone, leave] }),
  )
  await tnet.must('network', 'rm', 'back')
})
