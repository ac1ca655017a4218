import t from 'tap'
import { dummy } from '../../src/drivers/dummy.ts'
import { compliance } from '../compliance/driver.ts'
import { isolated, lacks } from '../harness/namespaces.ts'

isolated(import.meta)
t.setTimeout(600_000)

const assignment = { ips: [{ address: '10.1.0.5/32' }, { address: 'fd00:1::5/128' }], routes: [], dns: {} }

await t.test('dummy', { skip: lacks('dummy') }, async t => {
  await compliance(t, 'a link alone', { driver: dummy, inside: true, config: {} })
  await compliance(t, 'addresses', { driver: dummy, inside: true, config: {}, assignment })
})
