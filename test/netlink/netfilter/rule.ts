import t from 'tap'
import { cmp } from '../../../src/netlink/netfilter/expr/cmp.ts'
import { immediate } from '../../../src/netlink/netfilter/expr/immediate.ts'
import { meta } from '../../../src/netlink/netfilter/expr/meta.ts'
import { fields, payload } from '../../../src/netlink/netfilter/expr/payload.ts'
import { deleteRule, newRule, ruleHead } from '../../../src/netlink/netfilter/rule.ts'
import { request } from '../../../src/netlink/socket.ts'
import { Reader, Writer } from '../../../src/wire/bytes.ts'
import { NLM_F_APPEND, NLM_F_CREATE } from '../../../src/wire/message.ts'
import { goldenBatch } from '../../harness/golden-batch.ts'
import { survivesDamage, vectors } from '../../harness/golden.ts'

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
const place = { family: 'inet', table: 't', chain: 'c' } as const
const commented = {
  ...place,
  expressions: [
    meta.load('nfproto', 1),
    cmp(1, '==', Uint8Array.of(2)),
    payload.load(fields.ipSaddr, 1),
    cmp(1, '==', Uint8Array.of(10, 0, 0, 1)),
    immediate.drop(),
  ],
  userData: { comment: 'ours' },
}

t.test('requests of nft', t => {
  goldenBatch(t, vector('rule-comment'), [request(newRule, commented, NLM_F_CREATE | NLM_F_APPEND)])
  const accepting = { ...place, expressions: [immediate.accept()] }
  goldenBatch(t, vector('rule-insert'), [request(newRule, accepting, NLM_F_CREATE)])
  goldenBatch(t, vector('rule-delete'), [request(deleteRule, { ...place, handle: 2n })])
  t.end()
})

t.test('the head of a rule leaves its expressions as bytes', t => {
  const out = new Writer()
  newRule.encode(out, commented)
  const { unknown, ...head } = ruleHead.decode(new Reader(out.written()))
  t.strictSame(head, { ...place, version: 0, resourceId: 0, userData: { comment: 'ours' } })
  t.equal(unknown?.length, 1)
  t.end()
})

t.test('damaged bytes', t => {
  const names = ['rule-comment', 'meta-names', 'dnat', 'compat', 'dynset-counter', 'objref', 'jhash', 'range']
  survivesDamage(vectors(import.meta.dirname, ...names), newRule)
  t.end()
})
