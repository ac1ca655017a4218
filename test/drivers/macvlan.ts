import t from 'tap'
import { macvlan } from '../../src/drivers/macvlan.ts'
import { compliance } from '../compliance/driver.ts'
import { isolated, lacks } from '../harness/namespaces.ts'
import { run } from '../harness/run.ts'

isolated(import.meta)
t.setTimeout(600_000)

/** A link with its peer, as a host's to its switch. */
const script = `
  ip link add eth0 address 02:00:00:00:00:0a type veth peer name switch address 02:00:00:00:00:0b
  ip link set switch up
  ip link set eth0 up
  ip addr add 10.1.0.1/24 dev eth0
  ip addr add fd00:1::1/64 dev eth0 nodad
  ip route add default via 10.1.0.254`
await run('sh', ['-ec', script])

const ip4 = { address: '10.1.0.5/24' }
const ip6 = { address: 'fd00:1::5/64', gateway: 'fd00:1::1' }
const assignment = { ips: [ip4, ip6], routes: [{ dst: '192.0.2.0/24', gw: '10.1.0.9' }], dns: {} }

await t.test('macvlan', { skip: lacks('macvlan') }, async t => {
  await compliance(t, 'a link alone', { driver: macvlan, inside: true, config: {} })
  await compliance(t, 'addresses', {
    driver: macvlan,
    inside: true,
    config: { master: 'eth0', mode: 'private', mtu: 1400, bcqueuelen: 2000, enabledad: false },
    assignment,
  })
  await compliance(t, 'access from the host', {
    driver: macvlan,
    inside: true,
    config: { hostAccess: true, enabledad: false },
    assignment,
  })
})

await t.test('a VLAN as master', { skip: lacks('macvlan') || lacks('vlan') }, async t => {
  await compliance(t, 'a VLAN as master', {
    driver: macvlan,
    inside: true,
    config: { master: 'eth0.10', hostAccess: true, enabledad: false },
    assignment,
  })
})
