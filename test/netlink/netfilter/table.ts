import t from 'tap'
import { deleteRule } from '../../../src/netlink/netfilter/rule.ts'
import { deleteTable, newTable } from '../../../src/netlink/netfilter/table.ts'
import { request } from '../../../src/netlink/socket.ts'
import { goldenBatch } from '../../harness/golden-batch.ts'
import { survivesDamage, vectors } from '../../harness/golden.ts'

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
const table = { family: 'inet', name: 't' } as const

t.test('requests of nft', t => {
  const value = { ...table, flags: new Set<never>(), userData: { comment: 'ours' } }
  goldenBatch(t, vector('table-add'), [request(newTable, value)])
  goldenBatch(t, vector('table-delete'), [request(deleteTable, table)])
  goldenBatch(t, vector('table-flush'), [request(deleteRule, { family: 'inet', table: 't' })])
  t.end()
})

t.test('damaged bytes', t => {
  survivesDamage(vectors(import.meta.dirname, 'table-add'), newTable)
  t.end()
})
