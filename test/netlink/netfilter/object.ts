import t from 'tap'
import { newObject } from '../../../src/netlink/netfilter/object.ts'
import { request } from '../../../src/netlink/socket.ts'
import { NLM_F_CREATE } from '../../../src/wire/message.ts'
import { goldenBatch } from '../../harness/golden-batch.ts'
import { survivesDamage, vectors } from '../../harness/golden.ts'

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
const place = { family: 'inet', table: 't' } as const

t.test('objects of nft', t => {
  goldenBatch(t, vector('object-counter'), [
    request(
      newObject,
      {
        ...place,
        name: 'seen',
        type: 'counter',
        userData: { comment: 'ours' },
        data: { bytes: 0n, packets: 0n },
      },
      NLM_F_CREATE,
    ),
  ])
  goldenBatch(t, vector('object-quota'), [
    request(
      newObject,
      {
        ...place,
        name: 'much',
        type: 'quota',
        data: { bytes: 10n * 1024n * 1024n, consumed: 0n, flags: new Set(['over'] as const) },
      },
      NLM_F_CREATE,
    ),
  ])
  t.end()
})

t.test('damaged bytes', t => {
  survivesDamage(vectors(import.meta.dirname, 'object-counter', 'object-quota'), newObject)
  t.end()
})
