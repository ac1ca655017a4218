// host: the host's own namespace, told and never changed.
import t from 'tap'
import { isolated } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { refusals } from '../harness/refusals.ts'
import { makeWorld } from '../harness/world.ts'

isolated(import.meta)

// The reference has no plugin of this name.
const subject = subjects().find(({ name }) => name === 'tnet')

t.test('it tells of the host and changes nothing', async t => {
  if (subject === undefined) return t.pass('the reference alone was asked for')
  await using world = await makeWorld(subject)
  await world.host.run('ip', 'link', 'add', 'uplink', 'type', 'veth', 'peer', 'name', 'other')
  await world.host.run('ip', 'addr', 'add', '192.0.2.7/24', 'dev', 'uplink')
  await world.host.run('ip', 'addr', 'add', '2001:db8::7/64', 'dev', 'uplink', 'nodad')
  const before = await world.snapshot()
  const config = world.config({ type: 'host', cniVersion: '1.1.0' })
  for (const netns of [world.host.path, '/proc/self/ns/net']) {
    const { code, json, stdout } = await world.call('ADD', config, { netns })
    t.equal(code, 0, stdout)
    const interfaces = json?.['interfaces'] as { name: string; sandbox: string; mtu: number }[]
    t.strictSame(interfaces.map(({ name }) => name).sort(), ['lo', 'other', 'uplink'])
    t.ok(interfaces.every(({ sandbox, mtu }) => sandbox === netns && mtu >= 1500))
    const ips = json?.['ips'] as { address: string; interface: number }[]
    t.strictSame(ips.map(({ address }) => address).sort(), ['192.0.2.7/24', '2001:db8::7/64'])
    for (const { interface: index } of ips) t.equal(interfaces[index]?.name, 'uplink')
    const withResult = { ...config, prevResult: json }
    t.equal((await world.call('CHECK', withResult, { netns })).code, 0)
    const elsewhere = await world.call('CHECK', withResult)
    t.equal(elsewhere.json?.['code'], 100, 'another namespace than the host')
    for (const where of [netns, '', world.sandbox.path, '/run/netns/gone'])
      t.equal((await world.call('DEL', withResult, { netns: where })).code, 0, where)
  }
  t.equal((await world.call('STATUS', config, { containerId: '', netns: '', ifname: '' })).code, 0)
  t.equal(await world.snapshot(), before)
})

refusals(
  t,
  [
    { name: 'a namespace that is not the host', code: 8 },
    { name: 'a namespace that is missing', request: { netns: '/run/netns/none' }, code: 8 },
    {
      name: 'ports to publish',
      config: { runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] } },
      request: ({ host }: { host: { path: string } }) => ({ netns: host.path }),
      code: 7,
    },
  ].map(row => ({ type: 'host', onlyOurs: 'it has no such plugin', ...row })),
)
