import t from 'tap'
import { parseHostLocal, parseHostLocalTeardown } from '../../../src/ipam/host-local/config.ts'

const subnet = '10.1.0.0/24'

t.test('defaults', async t => {
  const config = parseHostLocal({ ipam: { subnet, dataDir: '', resolvConf: null } })
  t.equal(config.dataDir, '/var/lib/cni/networks')
  t.equal(config.resolvConf, undefined)
  t.same(config.routes, [])
  t.equal(config.pools.sets.length, 1)
})

t.test('what is said', async t => {
  const ipam = {
    subnet,
    dataDir: '/run/../tmp//leases',
    resolvConf: '/etc/resolv.conf',
    routes: [{ dst: '::/0' }],
  }
  const config = parseHostLocal({ ipam, ipRanges: [[{ subnet: 'fd00::/64' }]] })
  t.match(config, { dataDir: '/tmp/leases', resolvConf: '/etc/resolv.conf', routes: [{ dst: '::/0' }] })
  t.equal(config.pools.sets.length, 2)
})

t.test('BAD_CONFIG', async t => {
  for (const more of [
    { dataDir: 'leases' },
    { dataDir: 5 },
    { dataDir: '/a\0b' },
    { resolvConf: 'x' },
    { routes: 1 },
  ]) {
    t.throws(
      () => parseHostLocal({ ipam: { subnet, ...more } }),
      { code: 'BAD_CONFIG' },
      JSON.stringify(more),
    )
  }
  t.throws(() => parseHostLocalTeardown({ dataDir: 'leases' }), { code: 'BAD_CONFIG' })
})

t.test('ranges that have become wrong do not keep a network from being torn down', async t => {
  t.equal(parseHostLocalTeardown({ ranges: 'nonsense', dataDir: '/run/leases' }).dataDir, '/run/leases')
})
