// none: the loopback interface, up, and no other.
import t from 'tap'
import { isolated } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { refusals } from '../harness/refusals.ts'
import { ping } from '../harness/traffic.ts'
import { makeWorld } from '../harness/world.ts'

isolated(import.meta)

// The reference has no plugin of this name.
const subject = subjects().find(({ name }) => name === 'tnet')

t.test('lo alone, up', async t => {
  if (subject === undefined) return t.pass('the reference alone was asked for')
  await using world = await makeWorld(subject)
  await world.sandbox.run('ip', 'link', 'set', 'lo', 'down')
  const before = await world.snapshot()
  const config = world.config({ type: 'none' })
  const { code, json, stdout } = await world.call('ADD', config)
  t.equal(code, 0, stdout)
  t.match(json, {
    interfaces: [{ name: 'lo', sandbox: world.sandbox.path }],
    ips: [
      { address: '127.0.0.1/8', interface: 0 },
      { address: '::1/128', interface: 0 },
    ],
  })
  for (const address of ['127.0.0.1', '::1']) t.ok(await ping(world.sandbox, address), address)
  const withResult = { ...config, prevResult: json }
  t.equal((await world.call('CHECK', withResult)).code, 0)
  await world.sandbox.run('ip', 'link', 'add', 'br0', 'type', 'bridge')
  t.equal((await world.call('CHECK', withResult)).json?.['code'], 100, 'another interface')
  await world.sandbox.run('ip', 'link', 'del', 'br0')
  t.equal((await world.call('DEL', config, { containerId: 'other' })).code, 0)
  t.equal((await world.call('CHECK', withResult)).code, 0, "another container's DEL leaves it up")
  for (const netns of [world.sandbox.path, '', '/run/netns/gone'])
    t.equal((await world.call('DEL', withResult, { netns })).code, 0)
  t.equal(await world.snapshot(), before)
})

refusals(
  t,
  [
    {
      name: 'a sandbox with another interface',
      before: ({ sandbox }: { sandbox: { run(...args: [string, ...string[]]): Promise<string> } }) =>
        sandbox.run('ip', 'link', 'add', 'eth0', 'type', 'bridge'),
      code: 7,
    },
    {
      name: 'ports to publish',
      config: { runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] } },
      code: 7,
    },
  ].map(row => ({ type: 'none', onlyOurs: 'it has no such plugin', ...row })),
)
