import t from 'tap'
import { parseTnetIpam } from '../../../src/ipam/tnet-ipam/config.ts'

t.test('a network and routes', async t => {
  t.same(parseTnetIpam({ type: 'tnet-ipam', network: 'blue' }), { network: 'blue', routes: [] })
  t.same(parseTnetIpam({ network: 'blue', routes: [{ dst: '0.0.0.0/0' }] }).routes, [{ dst: '0.0.0.0/0' }])
})

t.test('BAD_CONFIG', async t => {
  for (const network of [undefined, null, '', 5, '../x', 'a/b', 'a b', 'x'.repeat(300), ['blue']]) {
    t.throws(() => parseTnetIpam({ network }), { code: 'BAD_CONFIG' }, JSON.stringify(network))
  }
  t.throws(() => parseTnetIpam({ network: 'blue', routes: [{ dst: '10.0.0.0' }] }), { code: 'BAD_CONFIG' })
})
