import t from 'tap'
import { ptp } from '../../src/drivers/ptp/ptp.ts'
import { compliance } from '../compliance/driver.ts'
import { isolated } from '../harness/namespaces.ts'

isolated(import.meta)

const assignment = {
  ips: [
    { address: '10.1.0.5/24', gateway: '10.1.0.1' },
    { address: 'fd00:1::5/64', gateway: 'fd00:1::1' },
  ],
  routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }, { dst: '10.88.0.0/16', gw: '10.1.0.77' }],
  dns: {},
}

await compliance(t, 'ptp', { driver: ptp, config: { ipMasq: true, mtu: 1400 }, assignment })
await compliance(t, 'ptp without addresses', { driver: ptp, config: {} })

t.test('without a gateway, the first address of the subnet is', async t => {
  const assign = (...addresses: string[]) =>
    ptp.assign?.(ptp.parse({}), { ips: addresses.map(address => ({ address })), routes: [], dns: {} }).ips
  t.same(assign('10.1.0.5/24', 'fd00:1::5/64'), [
    { address: '10.1.0.5/24', gateway: '10.1.0.1' },
    { address: 'fd00:1::5/64', gateway: 'fd00:1::1' },
  ])
  for (const none of ['10.1.0.1/24', '10.1.0.5/32', '10.1.0.3/31']) {
    t.throws(() => assign(none), { code: 'BAD_CONFIG' }, none)
  }
})
