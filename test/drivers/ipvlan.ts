import t from 'tap'
import { ipvlan } from '../../src/drivers/ipvlan.ts'
import { compliance } from '../compliance/driver.ts'
import { isolated, lacks } from '../harness/namespaces.ts'
import { run } from '../harness/run.ts'

isolated(import.meta)
t.setTimeout(600_000)

const script = `
  ip link add eth0 type veth peer name switch
  ip link set switch up
  ip link set eth0 up
  ip addr add 10.1.0.1/24 dev eth0
  ip route add default via 10.1.0.254`
await run('sh', ['-ec', script])
const assignment = {
  ips: [{ address: '10.1.0.5/24' }, { address: 'fd00:1::5/64' }],
  routes: [{ dst: '192.0.2.0/24', gw: '10.1.0.9' }],
  dns: {},
}

await t.test('ipvlan', { skip: lacks('ipvlan') }, async t => {
  await compliance(t, 'l2', { driver: ipvlan, inside: true, config: { enabledad: false }, assignment })
  await compliance(t, 'l3s', {
    driver: ipvlan,
    inside: true,
    config: { master: 'eth0', mode: 'l3s', mtu: 1400 },
    assignment,
  })
})
