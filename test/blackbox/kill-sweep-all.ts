// Every plugin killed with SIGKILL at each of its system calls from its first deed on: one DEL, or one GC, and nothing is left.
// bridge, host-local and tnet-ipam have sweeps of their own, with all that they can make.
import t from 'tap'
import { configs } from '../harness/chain.ts'
import { killSweep } from '../harness/kill-sweep.ts'
import { isolated, lacks } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { samples } from '../harness/samples.ts'
import { makeWorld } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(40 * 60_000)

const OWN = ['bridge', 'host-local']
const subject = subjects().find(({ name }) => name === 'tnet')

for (const sample of subject === undefined ? [] : samples) {
  const { type, needs, ifname } = sample
  if (OWN.includes(type)) continue
  const skip = needs === undefined ? false : lacks(needs)
  t.test(type, { skip }, async t => {
    if (subject === undefined) return
    for (const [killed, cleanUp] of [
      ['ADD', 'DEL'],
      ['ADD', 'GC'],
      ['DEL', 'DEL'],
    ] as const) {
      await t.test(`${killed}, then ${cleanUp}`, async t => {
        await using world = await makeWorld(subject)
        await sample.prepare?.(world)
        await sample.devices?.(world, ['c1'])
        await sample.furnish?.(world.sandbox, world)
        const all = configs(world, sample, 'c1')
        let prevResult: unknown
        for (const config of all.slice(0, -1)) {
          const asked = prevResult === undefined ? config : { ...config, prevResult }
          const { code, json, stdout } = await world.call('ADD', asked, { type: config.type, ifname })
          if (code !== 0) throw new Error(`ADD of ${config.type}: ${stdout}`)
          prevResult = json
        }
        const config = { ...all.at(-1), ...(prevResult === undefined ? {} : { prevResult }) }
        t.strictSame(await killSweep(t, { world, type, config, killed, cleanUp, ifname }), [])
      })
    }
  })
}
