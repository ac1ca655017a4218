// bridge on a network that tnet itself keeps, its leases in the store, killed at each of its system calls.
import t from 'tap'
import { killSweep } from '../harness/kill-sweep.ts'
import { isolated } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(20 * 60_000)

const subject = subjects().find(({ name }) => name === 'tnet')

/** The configuration of a new network, as `tnet network export` prints it. */
async function network({ host, subject: { dir }, network: name }: World): Promise<object> {
  const subnets = ['--subnet', '10.1.0.0/24', '--ipv6', '--subnet', 'fd00:1::/64']
  await host.run(`${dir}/tnet`, 'network', 'create', ...subnets, name)
  const list = JSON.parse(await host.run(`${dir}/tnet`, 'network', 'export', name)) as { plugins: object[] }
  return { ...list.plugins[0], name, cniVersion: '1.1.0' }
}

for (const [killed, cleanUp] of [
  ['ADD', 'DEL'],
  ['ADD', 'GC'],
  ['DEL', 'DEL'],
] as const) {
  t.test(`${killed}, then ${cleanUp}`, async t => {
    if (subject === undefined) return t.pass('the reference alone was asked for')
    await using world = await makeWorld(subject)
    const config = await network(world)
    t.equal((await world.call('ADD', config)).code, 0)
    t.match(await world.snapshot(), /leases\/.*c1/, 'a lease is seen')
    t.equal((await world.call('DEL', config)).code, 0)
    t.strictSame(await killSweep(t, { world, type: 'bridge', config, killed, cleanUp }), [])
  })
}
