// System calls that fail: success, or an error that leaves nothing. Exit status 0 with something left is the worst.
import t from 'tap'
import { errnoSweep } from '../harness/errno-sweep.ts'
import { isolated } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { hostLocal, makeWorld } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(20 * 60_000)

const subject = subjects().find(({ name }) => name === 'tnet')
const ipam = hostLocal(['10.1.0.0/24'])
const configs = { bridge: { isDefaultGateway: true, ipMasq: true, ipam }, 'host-local': { ipam } }

for (const [type, more] of Object.entries(configs)) {
  for (const failing of ['ADD', 'DEL'] as const) {
    t.test(`${type} ${failing}`, async t => {
      if (subject === undefined) return t.pass('the reference alone was asked for')
      await using world = await makeWorld(subject)
      t.strictSame(await errnoSweep(t, { world, type, config: world.config(more), failing }), [])
    })
  }
}
