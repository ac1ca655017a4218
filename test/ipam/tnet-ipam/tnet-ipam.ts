import { join } from 'node:path'
import t from 'tap'
import type { Ipam, Owner } from '../../../src/ipam/ipam.ts'
import { tnetIpam } from '../../../src/ipam/tnet-ipam/tnet-ipam.ts'
import {
  cursorKey,
  holdersKey,
  leaseKey,
  leasesKey,
  networkKey,
  networkNameKey,
  type NetworkRecord,
  type Origin,
  type SubnetRecord,
} from '../../../src/store/schema.ts'
import { sqliteStore } from '../../../src/store/sqlite.ts'
import type { Entry, Store, Transaction } from '../../../src/store/store.ts'
import { ipamCompliance } from '../../compliance/ipam.ts'
import { run } from '../../harness/run.ts'
import { temporary } from '../../harness/temporary.ts'

const ID = 'ab12'
const WORKER = join(import.meta.dirname, '../../harness/lease-worker.ts')

async function keep(store: Store, name: string, subnets: readonly SubnetRecord[]): Promise<void> {
  const record: NetworkRecord = {
    id: ID,
    name,
    driver: 'bridge',
    created: '2026-01-01T00:00:00Z',
    internal: false,
    ipv6: true,
    labels: {},
    options: {},
    ipam: { subnets },
  }
  const put = [
    { key: networkKey(ID), value: record },
    { key: networkNameKey(name), value: { id: ID } },
  ]
  await store.commit({ put })
}

function leases(store: Store, network = 'blue', origin: Origin = 'cni'): Ipam {
  return tnetIpam({ network, routes: [] }, { store, origin })
}

function owner(containerId: string, network = 'blue'): Owner {
  return { network, containerId, ifname: 'eth0' }
}

/** A store whose n-th commit from now on kills: an odd n before it is made, an even one after. */
class Mortal implements Store {
  readonly #store: Store
  #dies = Infinity

  constructor(store: Store) {
    this.#store = store
  }

  async killed(n: number, deed: () => Promise<unknown>): Promise<unknown> {
    this.#dies = n
    return await deed().finally(() => (this.#dies = Infinity))
  }

  get<T>(key: string): Promise<Entry<T> | undefined> {
    return this.#store.get<T>(key)
  }

  range<T>(prefix: string): Promise<Entry<T>[]> {
    return this.#store.range<T>(prefix)
  }

  async commit(transaction: Transaction): Promise<boolean> {
    this.#dies -= 2
    if (this.#dies === -1) throw new Error('killed before the commit')
    const done = await this.#store.commit(transaction)
    if (this.#dies === 0) throw new Error('killed after the commit')
    return done
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]()
  }
}

await ipamCompliance(
  t,
  'tnet-ipam',
  {
    async make(network, subnets) {
      const directory = temporary()
      {
        await using store = await sqliteStore(directory.path)
        await keep(store, network, subnets)
      }
      let current: Mortal | undefined
      return {
        async open() {
          const store = new Mortal(await sqliteStore(directory.path))
          current = store
          const ipam = tnetIpam({ network, routes: [] }, { store, origin: 'cni' })
          return { ...ipam, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
        },
        killed: (n, deed) => current?.killed(((n - 1) % 4) + 1, deed) ?? deed(),
        [Symbol.asyncDispose]: async () => directory[Symbol.dispose](),
      }
    },
  },
  15,
)

t.test('with a store', async t => {
  using directory = temporary()
  await using store = await sqliteStore(directory.path)
  const aux = { printer: '10.1.0.3' }
  await keep(store, 'blue', [{ subnet: '10.1.0.0/24', gateway: '10.1.0.1', ipRange: '10.1.0.0/29', aux }])
  const ipam = leases(store)

  await t.test('gateway, auxiliary addresses and what is outside the range are not given away', async t => {
    const given: string[] = []
    for (let n = 0; n < 5; n++) given.push((await ipam.allocate(owner(`c${n}`))).ips[0]?.address ?? '')
    t.same(
      given,
      [2, 4, 5, 6, 7].map(n => `10.1.0.${n}/24`),
    )
    await t.rejects(ipam.allocate(owner('c9')), { code: 'EXHAUSTED' })
    await t.rejects(ipam.status('blue'), { code: 'EXHAUSTED' })
    for (const address of ['10.1.0.1', '10.1.0.3', '10.1.0.0', '10.1.0.255', '10.2.0.1']) {
      await t.rejects(ipam.allocate(owner('c9'), [address]), { code: 'BAD_CONFIG' }, address)
    }
  })

  await t.test('outside the range by asking for it', async t => {
    t.match(await ipam.allocate(owner('c9'), ['10.1.0.100']), {
      ips: [{ address: '10.1.0.100/24', gateway: '10.1.0.1' }],
    })
    await t.rejects(ipam.allocate(owner('c8'), ['10.1.0.100']), { code: 'TAKEN', message: 'c9' })
    await ipam.release(owner('c9'))
  })

  await t.test('giving back leaves the mark of the last address alone', async t => {
    for (let n = 0; n < 5; n++) await ipam.release(owner(`c${n}`))
    t.same(await store.range(leasesKey(ID)), [])
    t.same(await store.range(holdersKey(ID)), [])
    t.same((await store.get(cursorKey(ID)))?.value, { last: { 0: '10.1.0.100' } })
    t.match(await ipam.allocate(owner('c')), { ips: [{ address: '10.1.0.2/24' }] })
    await ipam.release(owner('c'))
  })

  await t.test('GC frees what its own door has leased on its own network', async t => {
    await ipam.allocate(owner('runtime'))
    await ipam.allocate(owner('valid'))
    await ipam.allocate(owner('elsewhere', 'another conflist of the same network'))
    await leases(store, 'blue', 'tnet').allocate(owner('person'))
    await ipam.gc('blue', [{ containerId: 'valid', ifname: 'eth0' }])
    await t.rejects(ipam.check(owner('runtime')), { code: 'CHECK_FAILED' })
    for (const containerId of ['valid', 'elsewhere', 'person']) await ipam.check(owner(containerId))
  })
})

t.test('a network that tnet does not keep', async t => {
  using directory = temporary()
  await using store = await sqliteStore(directory.path)
  const ipam = leases(store, 'none')
  await t.rejects(ipam.allocate(owner('c')), { code: 'NOT_FOUND' })
  await t.rejects(ipam.check(owner('c')), { code: 'CHECK_FAILED' })
  await t.rejects(ipam.status('none'), { code: 'UNAVAILABLE' })
  await ipam.release(owner('c'))
  await ipam.gc('none', [])
})

t.test('a claim and a removal of the network see each other', async t => {
  using directory = temporary()
  await using store = await sqliteStore(directory.path)
  await keep(store, 'blue', [{ subnet: '10.1.0.0/24' }])
  const network = await store.get(networkKey(ID))
  const when = [network ?? { key: '', revision: 0 }, { key: cursorKey(ID), revision: 0 }]
  const removal = { when, remove: [networkKey(ID), networkNameKey('blue')] }
  await leases(store).allocate(owner('c'))
  t.equal(await store.commit(removal), false, 'a claim came before the removal')

  const late: Store = {
    get: key => store.get(key),
    range: prefix => store.range(prefix),
    commit: async transaction => {
      await store.commit({ remove: [networkKey(ID), networkNameKey('blue')] })
      return store.commit(transaction)
    },
    [Symbol.asyncDispose]: async () => {},
  }
  await t.rejects(leases(late).allocate(owner('d')), { code: 'NOT_FOUND' }, 'a removal came before the claim')
  t.equal(await store.get(leaseKey(ID, '10.1.0.2')), undefined)
})

t.test('a network that changes all the time is given up on', async t => {
  using directory = temporary()
  await using store = await sqliteStore(directory.path)
  await keep(store, 'blue', [{ subnet: '10.1.0.0/24' }])
  const never: Store = {
    get: key => store.get(key),
    range: prefix => store.range(prefix),
    commit: async () => false,
    [Symbol.asyncDispose]: async () => {},
  }
  await t.rejects(leases(never).allocate(owner('c')), { code: 'TRY_AGAIN' })
})

t.test('16 processes at once: no address is given twice, none is lost', async t => {
  using directory = temporary()
  await using store = await sqliteStore(directory.path)
  await keep(store, 'net', [{ subnet: '10.1.0.0/26', gateway: '10.1.0.1' }])
  const outputs = await Promise.all(
    Array.from({ length: 16 }, (_, id) =>
      run(process.execPath, [WORKER, 'tnet-ipam', directory.path, `p${id}`, '20'], { timeout: 90_000 }),
    ),
  )
  const held = outputs.flatMap(text => JSON.parse(text) as [string, string][])
  t.equal(new Set(held.map(([, address]) => address)).size, held.length, 'no address twice')
  const kept = await store.range<Owner>(leasesKey(ID))
  const wanted = held.map(([containerId, address]) => `${address} ${containerId}`)
  t.same(
    kept.map(({ key, value }) => `${key.slice(leasesKey(ID).length)} ${value.containerId}`).sort(),
    wanted.sort(),
  )
  const ipam = leases(store, 'net')
  for (const [containerId] of held) await ipam.release(owner(containerId, 'net'))
  t.same(await store.range(leasesKey(ID)), [])
})
