import t from 'tap'
import { deleteChain, hooks, newChain, priorities } from '../../../src/netlink/netfilter/chain.ts'
import { deleteRule } from '../../../src/netlink/netfilter/rule.ts'
import { request } from '../../../src/netlink/socket.ts'
import { NLM_F_CREATE } from '../../../src/wire/message.ts'
import { goldenBatch } from '../../harness/golden-batch.ts'
import { survivesDamage, vectors } from '../../harness/golden.ts'

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
const chain = { family: 'inet', table: 't', name: 'c' } as const

t.test('requests of nft', t => {
  goldenBatch(t, vector('chain-base'), [
    request(
      newChain,
      {
        ...chain,
        type: 'nat',
        policy: 'accept',
        hook: { number: hooks.postrouting, priority: priorities.srcnat },
        userData: { comment: 'out' },
      },
      NLM_F_CREATE,
    ),
  ])
  goldenBatch(t, vector('chain-before-all'), [
    request(
      newChain,
      {
        ...chain,
        family: 'bridge',
        type: 'filter',
        policy: 'drop',
        hook: { number: hooks.prerouting, priority: -300 },
      },
      NLM_F_CREATE,
    ),
  ])
  goldenBatch(t, vector('chain-plain'), [request(newChain, chain, NLM_F_CREATE)])
  goldenBatch(t, vector('chain-delete'), [request(deleteChain, chain)])
  goldenBatch(t, vector('chain-flush'), [request(deleteRule, { family: 'inet', table: 't', chain: 'c' })])
  t.end()
})

t.test('damaged bytes', t => {
  survivesDamage(vectors(import.meta.dirname, 'chain-base', 'chain-before-all'), newChain)
  t.end()
})
