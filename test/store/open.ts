import { existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openStore } from '../../src/store/open.ts'
import { temporary } from '../harness/temporary.ts'

t.test('none yet: nothing is in it, and nothing is made', async t => {
  using folder = temporary()
  const state = join(folder.path, 'state')
  for (const look of [true, false]) {
    await using store = await openStore(state, { look })
    t.equal(await store.get('a'), undefined)
    t.strictSame(await store.range(''), [])
    t.notOk(await store.commit({ put: [{ key: 'a', value: 1 }] }), 'nor can it be written to')
  }
  t.notOk(existsSync(state))
})

t.test('one that is there', async t => {
  using folder = temporary()
  {
    await using store = await openStore(folder.path, { make: true })
    await store.commit({ put: [{ key: 'a', value: 1 }] })
  }
  for (const look of [true, false]) {
    await using store = await openStore(folder.path, { look })
    t.equal((await store.get('a'))?.value, 1)
  }
})

t.test('a path that leads round', async t => {
  using folder = temporary()
  symlinkSync('tnet.db', join(folder.path, 'tnet.db'))
  await t.rejects(openStore(folder.path), { code: 'IO', message: /^open store .*tnet\.db/ })
})
