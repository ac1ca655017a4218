// Entries of the index that are stale or wrong, under dates that say that all is well.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { parseHostLocal } from '../../../src/ipam/host-local/config.ts'
import { hostLocal } from '../../../src/ipam/host-local/host-local.ts'
import { OwnerIndex } from '../../../src/ipam/host-local/owner-index.ts'
import type { Owner } from '../../../src/ipam/ipam.ts'
import { isolated } from '../../harness/namespaces.ts'
import { type Temporary, temporary } from '../../harness/temporary.ts'

isolated(import.meta)

const NETWORK = 'net'
const RANGES = [[{ subnet: '10.1.0.0/28' }], [{ subnet: 'fd00::/64' }]]

class Place implements Disposable {
  readonly #directory: Temporary = temporary('/run')
  readonly dataDir = join(this.#directory.path, 'networks')
  readonly leases = join(this.dataDir, NETWORK)
  readonly index = join(this.dataDir, '.tnet', NETWORK)
  readonly ipam = hostLocal(parseHostLocal({ ipam: { dataDir: this.dataDir, ranges: RANGES } }))

  /** Address -> whose it is, as the file says. */
  held(): Record<string, string> {
    const names = existsSync(this.leases) ? readdirSync(this.leases) : []
    const files = names.filter(name => /^[0-9a-f]*[.:][0-9a-f.:]+$/.test(name)).sort()
    return Object.fromEntries(files.map(name => [name, readFileSync(join(this.leases, name), 'utf8')]))
  }

  of(wanted: Owner): string[] {
    const text = `${wanted.containerId}\r\n${wanted.ifname}`
    return Object.entries(this.held()).flatMap(([address, holder]) => (holder === text ? [address] : []))
  }

  /** What the index says of each holder. */
  entries(): Record<string, string> {
    const names = readdirSync(this.index).sort()
    return Object.fromEntries(names.map(name => [name, readlinkSync(join(this.index, name))]))
  }

  /** Puts something in the place of an entry, and seals: nobody can see that the index was touched. */
  plant(name: string, what: (path: string) => void): void {
    rmSync(join(this.index, name), { recursive: true, force: true })
    what(join(this.index, name))
    new OwnerIndex(this.dataDir, NETWORK, this.leases).seal()
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]()
  }
}

function owner(containerId: string, ifname = 'eth0'): Owner {
  return { network: NETWORK, containerId, ifname }
}

const A = owner('a')
const B = owner('b')

const plants: Record<string, (path: string) => void> = {
  "another's addresses": path => symlinkSync('10.1.0.3,fd00::3', path),
  "another's and its own": path => symlinkSync('10.1.0.3,10.1.0.2', path),
  'addresses that nobody has': path => symlinkSync('10.1.0.9,fd00::9', path),
  'no address': path => symlinkSync('lock', path),
  'a path': path => symlinkSync('../../outside,/etc/passwd', path),
  'many, where there are few': path => symlinkSync('*', path),
  'a file': path => writeFileSync(path, '10.1.0.3'),
  'a directory': path => mkdirSync(join(path, 'within'), { recursive: true }),
}

for (const [what, plant] of Object.entries(plants)) {
  const isDirectory = what === 'a directory'
  t.test(`an entry with ${what} released, hid or blocked a lease`, async t => {
    using place = new Place()
    const { ipam } = place
    await ipam.allocate(A)
    await ipam.allocate(B)
    const both = place.held()
    const right = place.entries()

    place.plant('a:eth0', plant)
    await ipam.check(A)
    await ipam.check(B)
    if (!isDirectory && what !== 'many, where there are few')
      t.same(place.entries(), right, 'it is corrected')
    place.plant('a:eth0', plant)
    await t.rejects(ipam.allocate(A), { code: 'EXISTS' }, 'its lease is seen')
    place.plant('a:eth0', plant)
    await t.rejects(ipam.allocate(owner('c'), ['10.1.0.2']), { code: 'TAKEN' })
    await ipam.allocate(owner('c'))
    await ipam.release(owner('c'))
    t.same(place.held(), both)
    place.plant('a:eth0', plant)
    await ipam.release(A)
    t.same(place.of(A), [], 'all that it has is given back')
    t.same(place.of(B), ['10.1.0.3', 'fd00::3'], 'and nothing of the other')
    if (!isDirectory) t.same(Object.keys(place.entries()), ['b:eth0'])
    place.plant('a:eth0', plant)
    await ipam.release(A)
    await ipam.allocate(A)
    t.equal(place.of(A).length, 2)
    await ipam.gc(NETWORK, [B])
    t.same(Object.keys(place.held()), ['10.1.0.3', 'fd00::3'])
    await ipam.allocate(A)
  })
}

t.test('two holders of one entry: the release of one hid the lease of the other', async t => {
  using place = new Place()
  const { ipam } = place
  const one = owner('a:b', 'c')
  const two = owner('a', 'b:c')
  await ipam.allocate(one)
  await ipam.allocate(two)
  await ipam.release(one)
  t.same(place.of(one), [])
  t.equal(place.of(two).length, 2)
  await ipam.check(two)
  await ipam.release(two)
  t.same(place.held(), {})
})

t.test('whatever the entries say, each has what its files say', async () => {
  const owners = [owner('a'), owner('a', 'eth1'), owner('b'), owner('a:b', 'c'), owner('a', 'b:c')]
  const someone = fc.constantFrom(...owners)
  // The own lease alone is no lie, and not seen where there is more.
  const target = fc.constantFrom(
    ...['2', '3', '4', '9'].flatMap(n => [`10.1.0.${n},fd00::${n}`, `10.1.0.${n},lock`]),
  )
  const step = fc.oneof(
    fc.record({ deed: fc.constant('allocate' as const), who: someone }),
    fc.record({ deed: fc.constant('release' as const), who: someone }),
    fc.record({ deed: fc.constant('lie' as const), who: someone, target }),
    fc.record({ deed: fc.constant('gc' as const), who: someone }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
      using place = new Place()
      const { ipam } = place
      await ipam.allocate(owner('first'))
      for (const { deed, who, ...rest } of steps) {
        const others = () =>
          Object.entries(place.held()).filter(([, text]) => text !== `${who.containerId}\r\n${who.ifname}`)
        const before = { own: place.of(who), others: others() }
        if (deed === 'lie') {
          const name = `${who.containerId}:${who.ifname}`
          place.plant(name, path => symlinkSync('target' in rest ? rest.target : '', path))
          continue
        }
        if (deed === 'gc') {
          await ipam.gc(NETWORK, [...owners, owner('first')])
        } else {
          const answer = await ipam[deed](who).then(
            () => 'done',
            (error: { code: string }) => error.code,
          )
          const wanted = deed === 'allocate' && before.own.length > 0 ? 'EXISTS' : 'done'
          if (answer !== wanted) throw new Error(`${deed}: ${answer}, want ${wanted}`)
        }
        const count = deed === 'gc' ? before.own.length : deed === 'allocate' ? 2 : 0
        if (place.of(who).length !== count) throw new Error(`${deed}: ${place.of(who).join()}`)
        if (JSON.stringify(others()) !== JSON.stringify(before.others))
          throw new Error(`${deed}: others changed`)
      }
    }),
    { numRuns: 150 },
  )
})
