import t from 'tap'
import { parseRoutes } from '../../src/ipam/routes.ts'

t.test('as they are written, in canonical text', async t => {
  t.same(parseRoutes(undefined, 'ipam.routes'), [])
  t.same(parseRoutes(null, 'ipam.routes'), [])
  const routes = [
    { dst: '0.0.0.0/0' },
    { dst: 'FD00:0::/64', gw: '' },
    { dst: '10.0.0.0/8', gw: '10.1.0.9', mtu: 1400, advmss: 1360, priority: 5, table: 100, scope: 253 },
    { dst: 'fd00::5/64', gw: 'fe80::0:1', mtu: null },
  ]
  t.same(parseRoutes(routes, 'ipam.routes'), [
    { dst: '0.0.0.0/0' },
    { dst: 'fd00::/64' },
    { dst: '10.0.0.0/8', gw: '10.1.0.9', mtu: 1400, advmss: 1360, priority: 5, table: 100, scope: 253 },
    { dst: 'fd00::5/64', gw: 'fe80::1' },
  ])
})

t.test('BAD_CONFIG', async t => {
  const bad: unknown[] = [
    'all',
    {},
    [5],
    [null],
    [{}],
    [{ dst: 5 }],
    [{ dst: '10.0.0.0' }],
    [{ dst: '10.0.0.1/8' }],
  ]
  const gateways = ['10.1', 'router', 5, '::ffff:1.2.3.4'].map(gw => [{ dst: '::/0', gw }])
  const numbers = [
    { mtu: -1 },
    { mtu: 1.5 },
    { mtu: '1400' },
    { scope: 256 },
    { table: 2 ** 32 },
    { priority: 5n },
  ]
  for (const value of [...bad, ...gateways, ...numbers.map(more => [{ dst: '0.0.0.0/0', ...more }])]) {
    t.throws(() => parseRoutes(value, 'ipam.routes'), { code: 'BAD_CONFIG' })
  }
})
