import fc from 'fast-check'
import t from 'tap'
import {
  assigned,
  capacity,
  choose,
  type Holder,
  type LeaseBook,
  parseRequested,
  requireFree,
} from '../../src/ipam/allocator.ts'
import { type Pools, parseRanges, rangeOf } from '../../src/ipam/ranges.ts'
import { type Address, formatAddress, parseAddress } from '../../src/net/ip.ts'

/** A book in memory that counts the questions. */
class Book implements LeaseBook {
  readonly held = new Map<string, Holder>()
  readonly given: (Address | undefined)[] = []
  questions = 0

  async last(set: number): Promise<Address | undefined> {
    return this.given[set]
  }

  async holder(address: Address): Promise<Holder | undefined> {
    this.questions++
    return this.held.get(formatAddress(address))
  }

  async leased(): Promise<ReadonlySet<string>> {
    this.questions++
    return new Set(this.held.keys())
  }

  async give(pools: Pools, ...requested: string[]): Promise<string[]> {
    const choices = await choose(pools, parseRequested(pools, requested), this)
    for (const { set, address } of choices) {
      this.held.set(formatAddress(address), { containerId: 'c', ifname: 'eth0' })
      this.given[set] = address
    }
    return choices.map(({ address }) => formatAddress(address))
  }
}

function of(...sets: readonly object[][]): Pools {
  return parseRanges({ ipam: { ranges: sets } })
}

t.test('in turn, over the ranges of a set, the gateways left out', async t => {
  const pools = of([
    { subnet: '10.1.0.0/24', rangeStart: '10.1.0.10', rangeEnd: '10.1.0.12', gateway: '10.1.0.11' },
    { subnet: '10.2.0.0/30' },
  ])
  const book = new Book()
  t.same(await book.give(pools), ['10.1.0.10'])
  t.same(await book.give(pools), ['10.1.0.12'])
  t.same(await book.give(pools), ['10.2.0.2'])
  await t.rejects(book.give(pools), { code: 'EXHAUSTED' })
  book.held.delete('10.1.0.10')
  t.same(await book.give(pools), ['10.1.0.10'])
  book.held.clear()
  t.same(await book.give(pools), ['10.1.0.12'], 'what was given back comes last')
})

t.test('the mark of the last address may say anything', async t => {
  const pools = of([{ subnet: '10.1.0.0/29' }])
  for (const [last, next] of [
    ['10.1.0.3', '10.1.0.4'],
    ['10.1.0.6', '10.1.0.2'],
    ['10.1.0.7', '10.1.0.2'],
    ['10.9.0.1', '10.1.0.2'],
    ['fd00::1', '10.1.0.2'],
    ['10.1.0.1', '10.1.0.2'],
  ] as const) {
    const book = new Book()
    book.given[0] = parseAddress(last, 'last')
    t.same(await book.give(pools), [next], last)
  }
})

t.test('the gateway of one set inside another', async t => {
  const pools = of([{ subnet: '10.1.0.0/24', gateway: '10.2.0.2' }], [{ subnet: '10.2.0.0/29' }])
  t.same(await new Book().give(pools), ['10.1.0.1', '10.2.0.3'])
})

t.test('requested addresses', async t => {
  const pools = of([{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00::/64' }])
  const book = new Book()
  t.same(await book.give(pools, 'fd00::00ff', '10.1.0.200'), ['10.1.0.200', 'fd00::ff'])
  t.same(await book.give(pools, '10.1.0.7', '10.1.0.7'), ['10.1.0.7', 'fd00::100'], 'said twice is said once')
  t.same(await book.give(pools), ['10.1.0.8', 'fd00::101'], 'goes on from there')
  for (const [code, ...requested] of [
    ['TAKEN', '10.1.0.7'],
    ['TAKEN', '10.1.0.50', 'fd00::ff'],
    ['BAD_CONFIG', '10.1.0.1'],
    ['BAD_CONFIG', '10.1.0.0'],
    ['BAD_CONFIG', '10.1.0.255'],
    ['BAD_CONFIG', '10.2.0.1'],
    ['BAD_CONFIG', '10.1.0.60', '10.1.0.61'],
    ['BAD_CONFIG', '10.1.0.60', 'fd01::1'],
    ['BAD_CONFIG', '010.1.0.60'],
    ['BAD_CONFIG', '10.1.0.60/24'],
    ['BAD_CONFIG', '::ffff:10.1.0.60'],
  ] as const) {
    await t.rejects(book.give(pools, ...requested), { code }, requested.join(' '))
  }
})

t.test('who has a requested address is named', async t => {
  const pools = of([{ subnet: '10.1.0.0/24' }])
  const book = new Book()
  for (const holder of [{ containerId: 'c7', ifname: 'net1' }, { containerId: 'c7' }, {}]) {
    book.held.set('10.1.0.9', holder)
    await t.rejects(book.give(pools, '10.1.0.9'), {
      code: 'TAKEN',
      message: 'containerId' in holder ? 'c7' : '10.1.0.9',
    })
  }
})

t.test('what the container gets', async t => {
  const pools = of([{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00::/64', gateway: 'fd00::ff' }])
  t.same(assigned(await choose(pools, [], new Book())), [
    { address: '10.1.0.2/24', gateway: '10.1.0.1' },
    { address: 'fd00::1/64', gateway: 'fd00::ff' },
  ])
})

t.test('counts', async t => {
  const sizes: [bigint, Pools][] = [
    [253n, of([{ subnet: '10.1.0.0/24' }])],
    [1n, of([{ subnet: '10.1.0.0/30' }])],
    [11n, of([{ subnet: '10.1.0.0/24', rangeStart: '10.1.0.10', rangeEnd: '10.1.0.20' }])],
    [2n ** 64n - 2n, of([{ subnet: 'fd00::/64' }])],
    [2n ** 24n - 3n, of([{ subnet: '10.0.0.0/8' }])],
  ]
  for (const [size, { sets, reserved }] of sizes) t.equal(capacity(sets[0] ?? [], reserved), size)

  const pools = of([{ subnet: '10.1.0.0/30' }], [{ subnet: 'fd00::/126' }])
  requireFree(pools, new Set())
  requireFree(pools, new Set(['fd00::2', '10.1.0.1', '10.9.0.1']))
  for (const full of [['10.1.0.2'], ['fd00::2', 'fd00::3']]) {
    t.throws(() => requireFree(pools, new Set(full)), { code: 'EXHAUSTED' })
    t.throws(() => requireFree(pools, new Set([...full, '10.8.0.1', '10.8.0.2'])), { code: 'EXHAUSTED' })
  }
})

t.test('costs nothing that grows with the subnet', async t => {
  for (const subnet of ['10.1.0.0/24', '10.1.0.0/16', '10.0.0.0/8', 'fd00::/64', 'fd00::/8', '::/0']) {
    const pools = of([{ subnet }])
    const book = new Book()
    const start = performance.now()
    for (let n = 0; n < 200; n++) await book.give(pools)
    t.equal(book.questions, 200, `${subnet}: one question for each address`)
    delete book.given[0]
    await book.give(pools)
    t.equal(book.questions, 202, `${subnet}: one more to pass by 200 that are taken`)
    t.comment(`${subnet}: ${(performance.now() - start).toFixed(1)} ms for 201 addresses`)
  }
})

t.test('a full /16 says so', async t => {
  const pools = of([{ subnet: '10.1.0.0/16' }])
  const book = new Book()
  for (let n = 1; n < 65_535; n++)
    book.held.set(formatAddress({ family: 4, bits: 0x0a010000n + BigInt(n) }), {})
  const start = performance.now()
  await t.rejects(book.give(pools), { code: 'EXHAUSTED' })
  t.comment(`${(performance.now() - start).toFixed(0)} ms`)
})

t.test(
  'any ranges, any leases: the address is of the set, free, no gateway; EXHAUSTED only where all are taken',
  async () => {
    const byte = fc.nat(63)
    const pools = fc.tuple(byte, byte, byte, byte).map(([a, b, c, d]) => {
      const [start, end] = [Math.min(a, b), Math.max(a, b)]
      const subnet = {
        subnet: '10.1.0.0/26',
        rangeStart: `10.1.0.${start}`,
        rangeEnd: `10.1.0.${end}`,
        gateway: `10.1.0.${c}`,
      }
      return of([subnet, { subnet: '10.2.0.0/29', gateway: `10.2.0.${d % 8}` }])
    })
    const taken = fc.array(
      fc.tuple(fc.constantFrom('10.1.0', '10.2.0'), byte).map(([net, n]) => `${net}.${n}`),
      { maxLength: 80 },
    )
    await fc.assert(
      fc.asyncProperty(pools, taken, fc.option(byte), async (pools, taken, last) => {
        const [set = []] = pools.sets
        const book = new Book()
        for (const text of taken) book.held.set(text, {})
        if (last !== null) book.given[0] = parseAddress(`10.1.0.${last}`, 'last')
        const used = new Set([...taken, ...pools.reserved.keys()])
        const inSet = [...used].filter(text => rangeOf(set, parseAddress(text, 'ip')) !== undefined).length
        const size = set.reduce((sum, { start, end }) => sum + Number(end.bits - start.bits) + 1, 0)
        try {
          const [choice] = await choose(pools, [], book)
          return (
            choice !== undefined &&
            rangeOf(set, choice.address) === choice.range &&
            !used.has(formatAddress(choice.address))
          )
        } catch {
          return inSet === size
        }
      }),
      { numRuns: 500 },
    )
  },
)
