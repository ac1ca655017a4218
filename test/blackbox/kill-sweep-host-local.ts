// host-local killed with SIGKILL at each of its system calls: one DEL, or one GC, and nothing is left.
import t from 'tap'
import { killSweep } from '../harness/kill-sweep.ts'
import { isolated } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { hostLocal, makeWorld } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(20 * 60_000)

const ipam = hostLocal(['10.1.0.0/24', 'fd00:1::/64'])

for (const subject of subjects()) {
  if (subject.name === 'reference') {
    t.test(
      'the sweep finds what the reference is known to leak: the file of a lease, still empty',
      async t => {
        await using world = await makeWorld(subject)
        const config = world.config({ ipam })
        const leaks = await killSweep(t, {
          world,
          type: 'host-local',
          config,
          killed: 'ADD',
          cleanUp: 'DEL',
          only: ['write'],
        })
        t.strictSame(
          leaks.map(({ syscall, n }) => `${syscall} ${n}`),
          ['write 1', 'write 3'],
        )
      },
    )
    continue
  }
  t.test('the first ADD of a machine, then DEL', async t => {
    await using world = await makeWorld(subject)
    const config = world.config({ cniVersion: '1.1.0', ipam })
    const sweep = { world, type: 'host-local', config, killed: 'ADD', cleanUp: 'DEL', isCold: true } as const
    t.strictSame(await killSweep(t, sweep), [])
  })
  for (const [killed, cleanUp] of [
    ['ADD', 'DEL'],
    ['ADD', 'GC'],
    ['DEL', 'DEL'],
  ] as const) {
    t.test(`${killed}, then ${cleanUp}`, async t => {
      await using world = await makeWorld(subject)
      const config = world.config({ cniVersion: '1.1.0', ipam })
      t.strictSame(await killSweep(t, { world, type: 'host-local', config, killed, cleanUp }), [])
    })
  }
}
