import t from 'tap'
import { referenceName } from '../../src/net/reference-name.ts'

t.test('names as the reference makes them', async t => {
  t.equal(await referenceName('bwp', 15, 'nc1'), 'bwp9b00b9b7c279', 'seen of bandwidth 1.1.1')
  t.equal((await referenceName('CNI-', 28, 'nc1')).length, 28)
})
