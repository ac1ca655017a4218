import t from 'tap'
import { loopback } from '../../src/drivers/loopback.ts'
import { linklessCompliance } from '../compliance/linkless.ts'
import { isolated } from '../harness/namespaces.ts'

isolated(import.meta)

await linklessCompliance(t, 'loopback', {
  driver: loopback,
  config: {},
  on: null,
  spoil: ({ sandbox }) =>
    sandbox.links.set({ name: 'lo', flags: new Set(), change: new Set(['up'] as const) }),
})
