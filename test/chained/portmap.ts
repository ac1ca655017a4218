import t from 'tap'
import { portmap } from '../../src/chained/portmap/portmap.ts'
import { linklessCompliance } from '../compliance/linkless.ts'
import { isolated } from '../harness/namespaces.ts'
import { run } from '../harness/run.ts'

isolated(import.meta)
t.setTimeout(600_000)

const some = [
  { hostPort: 8080, containerPort: 80 },
  { hostPort: 8080, containerPort: 80, protocol: 'udp' },
  { hostPort: 5000, containerPort: 5000, protocol: 'SCTP', hostIP: '10.1.0.1' },
  { hostPort: 5000, containerPort: 5001, protocol: 'sctp', hostIP: '10.1.0.77' },
  { hostPort: 443, containerPort: 443, hostIP: '::' },
]
const config = { runtimeConfig: { portMappings: some } }

await linklessCompliance(t, 'ports', {
  driver: portmap,
  config,
  spoil: () => run('nft', ['delete', 'element', 'inet', 'tnet_ports', 'ports4', '{ tcp . 8080 }']),
})
await linklessCompliance(t, 'ports under conditions, everybody masqueraded', {
  driver: portmap,
  config: { ...config, masqAll: true, conditionsV4: ['!', '-s', '192.0.2.0/24', '-i', 'up+'] },
  spoil: () => run('sh', ['-c', 'nft flush chain inet tnet_ports postrouting']),
})
await linklessCompliance(t, 'ports that are routed to', {
  driver: portmap,
  config: { ...config },
  spoil: () => run('sh', ['-c', 'echo 0 > /proc/sys/net/ipv4/conf/br0/route_localnet']),
})
await linklessCompliance(t, 'no ports', { driver: portmap, config: {}, changesNothing: true })
