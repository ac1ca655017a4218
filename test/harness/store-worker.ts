// A process of its own that moves a sum between two keys of a store, again and again: `node store-worker.ts PLACE
// COUNT`. Ends itself by SIGKILL in the middle where COUNT is negative, after so many.
import { sqliteStore } from '../../src/store/sqlite.ts'

const [place = '', count = ''] = process.argv.slice(2)
const store = await sqliteStore(place)
for (let moved = 0; moved < Math.abs(Number(count));) {
  const [a, b] = await Promise.all([store.get<number>('a'), store.get<number>('b')])
  const when = [a ?? { key: 'a', revision: 0 }, b ?? { key: 'b', revision: 0 }]
  const put = [
    { key: 'a', value: (a?.value ?? 0) + 1 },
    { key: 'b', value: (b?.value ?? 0) - 1 },
  ]
  if (await store.commit({ when, put })) moved++
}
if (Number(count) < 0) {
  const last = store.commit({ put: [{ key: 'c', value: 'x'.repeat(100_000) }] })
  process.kill(process.pid, 'SIGKILL')
  await last
}
await store[Symbol.asyncDispose]()
