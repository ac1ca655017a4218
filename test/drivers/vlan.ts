import t from 'tap'
import { vlan } from '../../src/drivers/vlan.ts'
import { compliance } from '../compliance/driver.ts'
import { isolated, lacks } from '../harness/namespaces.ts'
import { run } from '../harness/run.ts'

isolated(import.meta)
t.setTimeout(600_000)

await run('sh', [
  '-ec',
  'ip link add eth0 type veth peer name switch; ip link set switch up; ip link set eth0 up',
])
const assignment = {
  ips: [{ address: '10.1.0.5/24' }],
  routes: [{ dst: '192.0.2.0/24', gw: '10.1.0.9' }],
  dns: {},
}

await t.test('vlan', { skip: lacks('vlan') }, async t => {
  const config = { master: 'eth0', vlanId: 10 }
  await compliance(t, 'a link alone', { driver: vlan, inside: true, config })
  await compliance(t, 'addresses', {
    driver: vlan,
    inside: true,
    config: { ...config, mtu: 1400 },
    assignment,
  })
})
