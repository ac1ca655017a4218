import { execFileSync } from 'node:child_process'
import t from 'tap'
import { tap } from '../../src/drivers/tap/tap.ts'
import { compliance } from '../compliance/driver.ts'
import { isolated, lacks } from '../harness/namespaces.ts'

isolated(import.meta)
t.setTimeout(600_000)

const assignment = {
  ips: [{ address: '10.1.0.5/24' }, { address: 'fd00:1::5/64', gateway: 'fd00:1::1' }],
  routes: [{ dst: '192.0.2.0/24', gw: '10.1.0.9' }],
  dns: {},
}

await t.test('tap', { skip: lacks('tun') }, async t => {
  await compliance(t, 'a link alone', { driver: tap, inside: true, config: {} })
  await compliance(t, 'all that it can be', {
    driver: tap,
    inside: true,
    config: { multiQueue: true, mtu: 1400, owner: 1000, group: 0 },
    assignment,
  })
})

t.test('what cannot be', async t => {
  t.throws(() => tap.parse({ bridge: 'a/b' }), { code: 'BAD_CONFIG' })
  t.equal(tap.parseLeaving({ bridge: 'a/b' }).bridge, 'a/b')
  t.equal(tap.parse({ owner: 0 }).user, 0, 'root is an owner too')
})

t.test('no device file', { skip: lacks('tun') }, async t => {
  execFileSync('mount', ['-t', 'tmpfs', 'tnet', '/dev/net'])
  t.teardown(() => execFileSync('umount', ['/dev/net']))
  const options = tap.parse({})
  await t.rejects(async () => tap.status?.({ name: 'n', options }, undefined as never, () => {}), {
    code: 'UNAVAILABLE',
  })
})
