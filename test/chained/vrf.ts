import t from 'tap'
import { vrf } from '../../src/chained/vrf/vrf.ts'
import { linklessCompliance } from '../compliance/linkless.ts'
import { isolated, lacks } from '../harness/namespaces.ts'

isolated(import.meta)
t.setTimeout(900_000)

const on = {
  config: { bridge: 'br0', isDefaultGateway: true },
  assignment: {
    ips: [
      { address: '10.1.0.5/24', gateway: '10.1.0.1' },
      { address: 'fd00:1::5/64', gateway: 'fd00:1::1' },
    ],
    routes: [
      { dst: '10.8.0.0/16', gw: '10.1.0.7' },
      { dst: '10.9.0.0/16', gw: '10.1.0.7', table: 77 },
    ],
    dns: {},
  },
}

t.test('vrf', { skip: lacks('vrf') }, async t => {
  await linklessCompliance(t, 'vrf', {
    driver: vrf,
    config: { vrfname: 'blue' },
    on,
    spoil: ({ sandbox }) => sandbox.links.set({ name: 'eth0', master: 0 }),
  })
  await linklessCompliance(t, 'vrf with a table', {
    driver: vrf,
    config: { vrfname: 'blue', table: 1001 },
    on,
    spoil: ({ sandbox }) => sandbox.links.remove({ name: 'blue' }),
  })
})

t.test('names', async t => {
  t.throws(() => vrf.parse({}), { code: 'BAD_CONFIG' })
  t.throws(() => vrf.parse({ vrfname: 'a/b' }), { code: 'BAD_CONFIG' })
  t.throws(() => vrf.parse({ vrfname: 'more than 15 bytes' }), { code: 'BAD_CONFIG' })
  t.strictSame(vrf.parse({ vrfname: 'blue', table: 0 }), { name: 'blue', table: undefined })
})
