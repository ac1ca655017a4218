// What every way to keep leases keeps to: one model says what each of a random row of calls answers.
import fc from 'fast-check'
import type { Test } from 'tap'
import { TnetError } from '../../src/errors.ts'
import type { Attached, Ipam } from '../../src/ipam/ipam.ts'

export interface Leases extends AsyncDisposable {
  /** As another process would find them. */
  open(): Promise<Ipam & Partial<AsyncDisposable>>
  /** Runs `deed` and kills it at the n-th thing that it does to the leases, where it has so many. */
  killed(n: number, deed: () => Promise<unknown>): Promise<unknown>
}

export interface Subnet {
  readonly subnet: string
  readonly gateway: string
}

export interface IpamSubject {
  /** An empty place for the leases of one network, one address of each subnet for an interface. */
  make(network: string, subnets: readonly Subnet[]): Promise<Leases>
}

const NETWORK = 'compliance'
/** Room for five and six, so that exhaustion is frequent. */
const SUBNETS: readonly Subnet[] = [
  { subnet: '10.1.0.0/29', gateway: '10.1.0.1' },
  { subnet: 'fd00::/125', gateway: 'fd00::1' },
]
const POOLS = [[2, 3, 4, 5, 6].map(n => `10.1.0.${n}`), [2, 3, 4, 5, 6, 7].map(n => `fd00::${n}`)]
const LENGTHS = SUBNETS.map(({ subnet }) => subnet.split('/')[1])
const GATEWAYS = SUBNETS.map(({ gateway }) => gateway)
const OWNERS: readonly Attached[] = ['c0', 'c1', 'c2', 'c3'].flatMap(containerId =>
  ['eth0', 'eth1'].map(ifname => ({ containerId, ifname })),
)

type Call =
  | { readonly verb: 'allocate' | 'release' | 'check'; readonly owner: number }
  | { readonly verb: 'request'; readonly owner: number; readonly addresses: readonly string[] }
  | { readonly verb: 'gc'; readonly valid: readonly number[] }
  | { readonly verb: 'status' }
  | { readonly verb: 'reopen' }
  | {
      readonly verb: 'kill'
      readonly deed: 'allocate' | 'release'
      readonly owner: number
      readonly n: number
    }

const owner = fc.nat(OWNERS.length - 1)
const address = fc.constantFrom(
  ...POOLS.flat(),
  ...GATEWAYS,
  '10.1.0.0',
  '10.1.0.7',
  '10.2.0.2',
  'fd00::8',
  'nonsense',
)
const calls: fc.Arbitrary<Call>[] = [
  fc.record({ verb: fc.constant('allocate' as const), owner }),
  fc.record({ verb: fc.constant('allocate' as const), owner }),
  fc.record({ verb: fc.constant('release' as const), owner }),
  fc.record({ verb: fc.constant('request' as const), owner, addresses: fc.array(address, { maxLength: 3 }) }),
  fc.record({ verb: fc.constant('check' as const), owner }),
  fc.record({ verb: fc.constant('gc' as const), valid: fc.array(owner, { maxLength: 6 }) }),
  fc.record({ verb: fc.constant('status' as const) }),
  fc.record({ verb: fc.constant('reopen' as const) }),
]
const kill = fc.record({
  verb: fc.constant('kill' as const),
  deed: fc.constantFrom('allocate' as const, 'release' as const),
  owner,
  n: fc.integer({ min: 1, max: 40 }),
})

export async function ipamCompliance(t: Test, name: string, subject: IpamSubject, runs = 100): Promise<void> {
  await t.test(`${name}: a random row of calls answers as the model says`, async t => {
    const call = fc.oneof(...calls)
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 5, maxLength: 60 }), row => run(subject, row)),
      { numRuns: runs },
    )
    t.pass()
  })
  await t.test(`${name}: after a kill, giving back leaves nothing`, async t => {
    const call = fc.oneof(...calls, kill, kill)
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 5, maxLength: 40 }), row => run(subject, row)),
      { numRuns: runs },
    )
    t.pass()
  })
}

async function run(subject: IpamSubject, row: readonly Call[]): Promise<void> {
  await using leases = await subject.make(NETWORK, SUBNETS)
  const model = new Model()
  let ipam = await leases.open()
  try {
    for (const call of row) {
      if (call.verb === 'reopen') {
        await ipam[Symbol.asyncDispose]?.()
        ipam = await leases.open()
      } else if (call.verb === 'kill') {
        const who = { network: NETWORK, ...OWNERS[call.owner]! }
        const deed = () => (call.deed === 'allocate' ? ipam.allocate(who) : ipam.release(who))
        await leases.killed(call.n, deed).catch(() => {})
        await ipam.release(who)
        model.killed(call.owner)
      } else {
        const wanted = model.answer(call)
        const got = await answer(ipam, call)
        if (!wanted(got)) throw new Error(`${JSON.stringify(call)}: ${JSON.stringify(got)}; ${model}`)
      }
    }
    for (const index of OWNERS.keys()) await ipam.release({ network: NETWORK, ...OWNERS[index]! })
    for (const index of OWNERS.keys()) {
      const left = await answer(ipam, { verb: 'check', owner: index })
      if (left !== 'CHECK_FAILED') throw new Error(`a lease is left of ${JSON.stringify(OWNERS[index])}`)
    }
    await ipam.status(NETWORK)
  } finally {
    await ipam[Symbol.asyncDispose]?.()
  }
}

/** The addresses given, 'done', or the code of the error. */
type Answer = string | readonly string[]

async function answer(ipam: Ipam, call: Exclude<Call, { verb: 'reopen' | 'kill' }>): Promise<Answer> {
  try {
    switch (call.verb) {
      case 'allocate':
      case 'request': {
        const requested = call.verb === 'request' ? call.addresses : undefined
        const { ips } = await ipam.allocate({ network: NETWORK, ...OWNERS[call.owner]! }, requested)
        return ips.map((ip, set) => checkedAddress(ip.address, ip.gateway, set))
      }
      case 'release':
      case 'check':
        await ipam[call.verb]({ network: NETWORK, ...OWNERS[call.owner]! })
        return 'done'
      case 'gc':
        await ipam.gc(
          NETWORK,
          call.valid.map(index => OWNERS[index]!),
        )
        return 'done'
      case 'status':
        await ipam.status(NETWORK)
        return 'done'
    }
  } catch (error) {
    if (error instanceof TnetError) return error.code
    throw error
  }
}

function checkedAddress(cidr: string, gateway: string | undefined, set: number): string {
  const [text = '', length] = cidr.split('/')
  if (length !== LENGTHS[set] || gateway !== GATEWAYS[set]) throw new Error(`${cidr} via ${gateway}`)
  return text
}

class Model {
  readonly #held = new Map<number, readonly string[]>()
  /** The address that each pool gave last; null: a kill came in between, so that it may be any. */
  #last: (string | undefined | null)[] = POOLS.map(() => undefined)

  /** Whether an answer is right. What it changes is taken over. */
  answer(call: Exclude<Call, { verb: 'reopen' | 'kill' }>): (got: Answer) => boolean {
    switch (call.verb) {
      case 'allocate':
        return got => this.#allocate(call.owner, [], got)
      case 'request':
        return got => this.#allocate(call.owner, call.addresses, got)
      case 'release':
        this.#held.delete(call.owner)
        return got => got === 'done'
      case 'check':
        return got => got === (this.#held.has(call.owner) ? 'done' : 'CHECK_FAILED')
      case 'gc':
        for (const index of this.#held.keys()) if (!call.valid.includes(index)) this.#held.delete(index)
        return got => got === 'done'
      case 'status':
        return got => got === (POOLS.every(pool => this.#free(pool).length > 0) ? 'done' : 'EXHAUSTED')
    }
  }

  killed(index: number): void {
    this.#held.delete(index)
    this.#last = this.#last.map(() => null)
  }

  #allocate(index: number, requested: readonly string[], got: Answer): boolean {
    const plan = this.#plan(requested)
    if (this.#held.has(index)) {
      const alsoBad = plan === 'BAD_CONFIG' && got === 'BAD_CONFIG'
      return got === 'EXISTS' || alsoBad
    }
    if (typeof plan === 'string') return got === plan
    if (typeof got === 'string' || got.length !== plan.length) return false
    const right = plan.every((choices, set) => choices.includes(got[set] ?? ''))
    this.#held.set(index, got)
    this.#last = [...got]
    return right
  }

  /** For each pool the addresses that may come, or the code of the error. */
  #plan(requested: readonly string[]): readonly (readonly string[])[] | string {
    const distinct = [...new Set(requested)]
    const wanted = POOLS.map(pool => distinct.filter(text => pool.includes(text)))
    if (wanted.some(list => list.length > 1) || wanted.flat().length < distinct.length) return 'BAD_CONFIG'
    const plans: (readonly string[])[] = []
    for (const [set, pool] of POOLS.entries()) {
      const [request] = wanted[set] ?? []
      const free = this.#free(pool)
      if (request !== undefined && !free.includes(request)) return 'TAKEN'
      if (request === undefined && free.length === 0) return 'EXHAUSTED'
      plans.push(request === undefined ? this.#next(pool, this.#last[set]) : [request])
    }
    return plans
  }

  #next(pool: readonly string[], last: string | undefined | null): readonly string[] {
    const free = this.#free(pool)
    if (last === null) return free
    const after = pool.indexOf(last ?? '') + 1
    return [...pool.slice(after), ...pool.slice(0, after)].filter(text => free.includes(text)).slice(0, 1)
  }

  #free(pool: readonly string[]): string[] {
    const used = [...this.#held.values()].flat()
    return pool.filter(text => !used.includes(text))
  }

  toString(): string {
    return `held ${JSON.stringify([...this.#held])}, last ${JSON.stringify(this.#last)}`
  }
}
