import t from 'tap'
import { scratch } from '../../src/sys/scratch.ts'

t.test('so many bytes, of which a slice is a copy', async t => {
  const bytes = scratch(64 * 1024)
  t.equal(bytes.length, 64 * 1024)
  t.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype)
  bytes[0] = 1
  const copy = bytes.slice(0, 1)
  bytes[0] = 2
  t.same([...copy], [1])
})
