// Where /proc/sys is read-only, as in a container that runs containers: what need not be set is no obstacle.
import { execFileSync } from 'node:child_process'
import t from 'tap'
import { isolated } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { dualStack } from '../harness/samples.ts'
import { ping } from '../harness/traffic.ts'
import { makeWorld } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

/** What has forwarding on takes no router advertisements, and neither does what has IPv6 off. */
const HOSTS = {
  'a router': ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'],
  'without IPv6': ['net.ipv4.ip_forward=1', 'net.ipv6.conf.default.disable_ipv6=1'],
}
const IPV4 = { type: 'host-local', subnet: '10.1.0.0/24' }
const CONFIGS = {
  bridge: { type: 'bridge', bridge: 'br0', isGateway: true },
  ptp: { type: 'ptp' },
}

for (const subject of subjects()) {
  for (const [host, parameters] of Object.entries(HOSTS)) {
    for (const [type, config] of Object.entries(CONFIGS)) {
      t.test(`${subject.name}: ${type} on ${host}`, async t => {
        await using world = await makeWorld(subject)
        await world.host.run('sysctl', '-qw', ...parameters)
        const network = world.config({ ...config, ipam: host === 'a router' ? dualStack : IPV4 })
        execFileSync('mount', ['--bind', '-o', 'ro', '/proc/sys', '/proc/sys'])
        try {
          const added = await world.call('ADD', network, { type })
          t.equal(added.code, 0, added.stdout)
          t.ok(await ping(world.sandbox, '10.1.0.1'))
          const checked = await world.call('CHECK', { ...network, prevResult: added.json }, { type })
          t.equal(checked.code, 0, checked.stdout)
          t.equal((await world.call('DEL', network, { type })).code, 0)
        } finally {
          execFileSync('umount', ['/proc/sys'])
        }
      })
    }
  }
}

t.test('a host that would take router advertisements of a container is not joined to it', async t => {
  const [subject] = subjects()
  if (subject === undefined) throw new Error('no plugin directory')
  await using world = await makeWorld(subject)
  const before = await world.snapshot()
  execFileSync('mount', ['--bind', '-o', 'ro', '/proc/sys', '/proc/sys'])
  try {
    const { code, json, stdout } = await world.call('ADD', world.config({ type: 'bridge' }))
    t.equal(code, 1, stdout)
    t.match(json?.['msg'], /accept_ra/)
  } finally {
    execFileSync('umount', ['/proc/sys'])
  }
  t.equal(await world.snapshot(), before)
})
