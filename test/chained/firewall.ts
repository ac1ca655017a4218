import t from 'tap'
import { firewall } from '../../src/chained/firewall/firewall.ts'
import { linklessCompliance } from '../compliance/linkless.ts'
import { isolated } from '../harness/namespaces.ts'
import { run } from '../harness/run.ts'

isolated(import.meta)

const spoils = {
  iptables: () => run('iptables', ['-D', 'CNI-FORWARD', '-s', '10.1.0.5/32', '-j', 'ACCEPT']),
  nftables: () => run('nft', ['flush', 'set', 'inet', 'tnet', 'allowed6']),
} as const

for (const backend of ['iptables', 'nftables'] as const) {
  for (const ingressPolicy of ['open', 'same-bridge', 'isolated'] as const) {
    await linklessCompliance(t, `${backend}, ${ingressPolicy}`, {
      driver: firewall,
      config: { backend, ingressPolicy },
      spoil: spoils[backend],
    })
  }
}
