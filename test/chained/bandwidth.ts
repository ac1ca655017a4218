import t from 'tap'
import { bandwidth } from '../../src/chained/bandwidth/bandwidth.ts'
import { Traffic } from '../../src/net/traffic.ts'
import { linklessCompliance } from '../compliance/linkless.ts'
import { isolated } from '../harness/namespaces.ts'

isolated(import.meta)
t.setTimeout(300_000)

const config = { ingressRate: 8e6, ingressBurst: 8e5, egressRate: 16e6, egressBurst: 8e5 }

await linklessCompliance(t, 'bandwidth', {
  driver: bandwidth,
  config,
  spoil: async ({ host, sandbox }) => {
    const inside = await sandbox.links.existing('eth0')
    await new Traffic(host).undirect(inside.link ?? 0)
  },
})

await linklessCompliance(t, 'bandwidth, ingress alone', {
  driver: bandwidth,
  config: { ingressRate: 8e6, ingressBurst: 8e5 },
  spoil: async ({ host, sandbox }) => {
    const inside = await sandbox.links.existing('eth0')
    await new Traffic(host).limit(inside.link ?? 0, { rate: 10n ** 6n + 1n, burst: 100_000 })
  },
})

await linklessCompliance(t, 'bandwidth without limits', {
  driver: bandwidth,
  config: {},
  changesNothing: true,
})

const bad: [name: string, config: object][] = [
  ['rate without burst', { ingressRate: 8000 }],
  ['burst without rate', { egressBurst: 8000 }],
  ['rate without burst, by the runtime', { runtimeConfig: { bandwidth: { egressRate: 8000 } } }],
  ['a burst of 4 GiB', { ingressRate: 8, ingressBurst: 2 ** 32 * 8 }],
  ['a burst that the reference refuses', { ingressRate: 8, ingressBurst: (2 ** 32 - 1) * 8 }],
]
for (const [name, wrong] of bad) {
  t.test(name, async t => t.throws(() => bandwidth.parse(wrong), { code: 'BAD_CONFIG' }))
}

t.test('limits in bytes', async t => {
  const runtimeConfig = { bandwidth: { ingressRate: 80, ingressBurst: 81 } }
  t.strictSame(bandwidth.parse({ runtimeConfig }).ingress, { rate: 10n, burst: 11 })
  t.strictSame(
    bandwidth.parse({ egressRate: 0, runtimeConfig }),
    { ingress: undefined, egress: undefined },
    'what the network says counts, even a 0',
  )
  t.equal(
    bandwidth.parse({ ingressRate: 8, ingressBurst: (2 ** 32 - 1) * 8 - 1 }).ingress?.burst,
    2 ** 32 - 1,
  )
  t.equal(bandwidth.parse({ ingressRate: 1, ingressBurst: 8 }).ingress?.rate, 1n, 'never none')
})
