// What every engine of the Store interface keeps to.
import fc from 'fast-check'
import type { Test } from 'tap'
import type { Store, Transaction } from '../../src/store/store.ts'

export interface StoreSubject {
  /** A store without records, and with it a way to open the same one again, as another process would. */
  make(): Promise<StorePlace>
}

export interface StorePlace extends AsyncDisposable {
  open(): Promise<Store>
}

export async function storeCompliance(t: Test, name: string, subject: StoreSubject): Promise<void> {
  const test = (what: string, deed: (t: Test, store: Store, place: StorePlace) => Promise<void>) =>
    t.test(`${name}: ${what}`, async t => {
      await using place = await subject.make()
      await using store = await place.open()
      await deed(t, store, place)
    })

  await test('nothing is there', async (t, store) => {
    t.equal(await store.get('a'), undefined)
    t.same(await store.range(''), [])
    t.equal(await store.commit({}), true, 'nothing to do is done')
  })

  await test('values come back as they were', async (t, store) => {
    const values = [
      null,
      true,
      0,
      -1.5,
      2 ** 53,
      '',
      'ä\0"\\\u{1f600}',
      [],
      [1, [2]],
      {},
      { a: { b: [null] }, 'c d': '' },
    ]
    await store.commit({ put: values.map((value, n) => ({ key: `v/${n}`, value })) })
    for (const [n, value] of values.entries()) t.same((await store.get(`v/${n}`))?.value, value)
    const proto = JSON.parse('{"__proto__": {"polluted": true}}') as unknown
    await store.commit({ put: [{ key: 'p', value: proto }] })
    const back = (await store.get<Record<string, unknown>>('p'))?.value
    t.equal(back !== undefined && 'polluted' in back, false)
  })

  await test('conditions', async (t, store) => {
    const put = [{ key: 'a', value: 1 }]
    t.equal(await store.commit({ when: [{ key: 'a', revision: 1 }], put }), false, 'there is none')
    t.equal(await store.commit({ when: [{ key: 'a', revision: 0 }], put }), true)
    t.equal(await store.commit({ when: [{ key: 'a', revision: 0 }], put }), false, 'there is one')
    const first = (await store.get('a'))?.revision ?? 0
    t.ok(first > 0)
    t.equal(
      await store.commit({ when: [{ key: 'a', revision: first }], put: [{ key: 'a', value: 2 }] }),
      true,
    )
    const second = (await store.get('a'))?.revision ?? 0
    t.ok(second > first, 'grows')
    t.equal(await store.commit({ when: [{ key: 'a', revision: first }], remove: ['a'] }), false)
    t.equal((await store.get('a'))?.value, 2)
    t.equal(await store.commit({ when: [{ key: 'a', revision: second }], remove: ['a'] }), true)
    t.equal(await store.get('a'), undefined)
    await store.commit({ put })
    t.equal(await store.commit({ when: [{ key: 'a', revision: first }] }), false, 'made anew is not the same')
    t.equal(await store.commit({ when: [{ key: 'a', revision: second }] }), false)
  })

  await test('all or nothing', async (t, store) => {
    await store.commit({ put: [{ key: 'b', value: 1 }] })
    const when = [
      { key: 'a', revision: 0 },
      { key: 'b', revision: 0 },
    ]
    t.equal(await store.commit({ when, put: [{ key: 'a', value: 1 }], remove: ['b'] }), false)
    t.same(
      (await store.range('')).map(({ key }) => key),
      ['b'],
    )
  })

  await test('a key written twice in one transaction is refused', async (t, store) => {
    const put = { key: 'a', value: 1 }
    for (const transaction of [{ put: [put, put] }, { put: [put], remove: ['a'] }, { remove: ['a', 'a'] }]) {
      await t.rejects(store.commit(transaction), TypeError)
    }
    t.equal(await store.get('a'), undefined)
  })

  await test('ranges are in the order of the keys', async (t, store) => {
    const keys = ['a', 'a/', 'a/1', 'a/10', 'a/2', 'a/b/c', 'a/ä', 'a/\u{1f600}', 'a0', 'b', 'ä']
    await store.commit({ put: [...keys].reverse().map(key => ({ key, value: key })) })
    const range = async (prefix: string) => (await store.range(prefix)).map(({ key }) => key)
    t.same(await range(''), keys)
    t.same(await range('a/'), ['a/', 'a/1', 'a/10', 'a/2', 'a/b/c', 'a/ä', 'a/\u{1f600}'])
    t.same(await range('a/1'), ['a/1', 'a/10'])
    t.same(await range('a/1/'), [])
    t.same(await range('ä'), ['ä'])
    t.same(await range('%'), [])
    t.same(await range('_'), [])
  })

  await test('others see what is committed, and only that', async (t, store, place) => {
    await using other = await place.open()
    await store.commit({ put: [{ key: 'a', value: 1 }] })
    t.same((await other.get('a'))?.value, 1)
    const { revision = 0 } = (await other.get('a')) ?? {}
    t.equal(await other.commit({ when: [{ key: 'a', revision }], put: [{ key: 'a', value: 2 }] }), true)
    t.equal(await store.commit({ when: [{ key: 'a', revision }], put: [{ key: 'a', value: 3 }] }), false)
    t.same((await store.get('a'))?.value, 2)
  })

  await test('closing twice is one', async (_, store) => {
    await store[Symbol.asyncDispose]()
  })

  await t.test(`${name}: a random row of transactions through two doors answers as a map does`, async t => {
    const key = fc.constantFrom('a', 'a/b', 'a/b/c', 'b', 'ä')
    const step = fc.record({
      second: fc.boolean(),
      when: fc.uniqueArray(fc.record({ key, right: fc.boolean() }), {
        maxLength: 2,
        selector: each => each.key,
      }),
      put: fc.uniqueArray(fc.record({ key, value: fc.nat(9) }), { maxLength: 3, selector: each => each.key }),
      remove: fc.uniqueArray(key, { maxLength: 2 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async row => {
        await using place = await subject.make()
        await using one = await place.open()
        await using two = await place.open()
        const model = new Map<string, { value: number; revision: number }>()
        for (const { second, when, put, remove } of row) {
          const store = second ? two : one
          const conditions = when.map(({ key, right }) => ({
            key,
            revision: (model.get(key)?.revision ?? 0) + (right ? 0 : 1),
          }))
          const transaction: Transaction = {
            when: conditions,
            put,
            remove: remove.filter(each => !put.some(({ key }) => key === each)),
          }
          const done = await store.commit(transaction)
          if (done !== when.every(({ right }) => right)) throw new Error(JSON.stringify(transaction))
          const entries = await (second ? one : two).range<number>('')
          if (done) {
            for (const each of transaction.remove ?? []) model.delete(each)
            for (const { key, value } of put)
              model.set(key, { value, revision: entries.find(each => each.key === key)?.revision ?? -1 })
          }
          const wanted = [...model].map(([key, each]) => ({ key, ...each }))
          const order = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1)
          if (
            JSON.stringify(entries.map(({ key, value, revision }) => ({ key, value, revision }))) !==
            JSON.stringify(wanted.sort(order))
          ) {
            throw new Error(JSON.stringify({ transaction, entries, wanted }))
          }
        }
      }),
      { numRuns: 15 },
    )
    t.pass()
  })
}
