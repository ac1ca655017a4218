// bridge with host-local killed with SIGKILL at each of its system calls: one DEL, or one GC, and nothing is left.
import t from 'tap'
import { killSweep } from '../harness/kill-sweep.ts'
import { isolated } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { hostLocal, makeWorld } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(20 * 60_000)

const subject = subjects().find(({ name }) => name === 'tnet')

/** All that ADD can make: addresses of both families, routes, gateways, masquerade, spoof check. */
const everything = {
  isDefaultGateway: true,
  ipMasq: true,
  macspoofchk: true,
  ipam: hostLocal(['10.1.0.0/24', 'fd00:1::/64']),
}

for (const [killed, cleanUp] of [
  ['ADD', 'DEL'],
  ['ADD', 'GC'],
  ['DEL', 'DEL'],
] as const) {
  t.test(`${killed}, then ${cleanUp}`, async t => {
    if (subject === undefined) return t.pass('the reference alone was asked for')
    await using world = await makeWorld(subject)
    const config = world.config({ cniVersion: '1.1.0', ...everything })
    t.strictSame(await killSweep(t, { world, type: 'bridge', config, killed, cleanUp }), [])
  })
}

t.test('the first ADD of a machine, then DEL', async t => {
  if (subject === undefined) return t.pass('the reference alone was asked for')
  await using world = await makeWorld(subject)
  const config = world.config({ cniVersion: '1.1.0', ...everything })
  const sweep = { world, type: 'bridge', config, killed: 'ADD', cleanUp: 'DEL', isCold: true } as const
  t.strictSame(await killSweep(t, sweep), [])
})
