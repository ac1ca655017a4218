import t from 'tap'
import { none } from '../../src/drivers/none.ts'
import { linklessCompliance } from '../compliance/linkless.ts'
import { isolated } from '../harness/namespaces.ts'

isolated(import.meta)

await linklessCompliance(t, 'none', {
  driver: none,
  config: {},
  on: null,
  spoil: ({ sandbox }) => sandbox.links.add({ name: 'br0', linkInfo: { kind: 'bridge', data: {} } }),
})
