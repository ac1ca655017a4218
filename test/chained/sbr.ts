import t from 'tap'
import { sbr } from '../../src/chained/sbr/sbr.ts'
import { isOurs, Rules } from '../../src/net/rules.ts'
import { linklessCompliance } from '../compliance/linkless.ts'
import { isolated } from '../harness/namespaces.ts'

isolated(import.meta)
t.setTimeout(300_000)

const on = {
  config: { bridge: 'br0', isDefaultGateway: true },
  assignment: {
    ips: [
      { address: '10.1.0.5/24', gateway: '10.1.0.1' },
      { address: 'fd00:1::5/64', gateway: 'fd00:1::1' },
    ],
    routes: [{ dst: '10.8.0.0/16', gw: '10.1.0.7' }],
    dns: {},
  },
}

for (const [name, config] of [
  ['sbr', {}],
  ['sbr with source hints', { addSourceHints: true }],
  ['sbr to a table of others', { table: 777 }],
] as const) {
  await linklessCompliance(t, name, {
    driver: sbr,
    config,
    on,
    spoil: async ({ sandbox }) => {
      const rules = new Rules(sandbox)
      await rules.remove((await rules.list()).filter(isOurs))
    },
  })
}

t.test('gateways: one of each family', async t => {
  t.throws(() => sbr.parse({ gateways: ['10.0.0.1', '10.0.0.2'] }), { code: 'BAD_CONFIG' })
  t.throws(() => sbr.parse({ gateways: ['10.0.0'] }), { code: 'BAD_CONFIG' })
  t.strictSame(sbr.parse({ gateways: ['fd00::1', '10.0.0.1'] }).gateways, ['fd00::1', '10.0.0.1'])
})
