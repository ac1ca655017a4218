import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { TnetError } from '../../../src/errors.ts'
import { parseHostLocal } from '../../../src/ipam/host-local/config.ts'
import { hostLocal } from '../../../src/ipam/host-local/host-local.ts'
import { OwnerIndex } from '../../../src/ipam/host-local/owner-index.ts'
import type { Ipam, Owner } from '../../../src/ipam/ipam.ts'
import { lstat } from '../../../src/sys/syscalls.ts'
import { type Fault, faults } from '../../harness/file-faults.ts'
import { isolated } from '../../harness/namespaces.ts'
import { type Temporary, temporary } from '../../harness/temporary.ts'

isolated(import.meta)

const NETWORK = 'net'
const RANGES = [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00::/64' }]]

/** The lease files: address -> content. */
type Files = Readonly<Record<string, string>>

class Place implements Disposable {
  readonly #directory: Temporary = temporary('/run')
  readonly dataDir = join(this.#directory.path, 'networks')
  readonly leases = join(this.dataDir, NETWORK)
  readonly index = join(this.dataDir, '.tnet', NETWORK)
  readonly ipam: Ipam = hostLocal(parseHostLocal({ ipam: { dataDir: this.dataDir, ranges: RANGES } }))

  files(): Files {
    const names = existsSync(this.leases) ? readdirSync(this.leases) : []
    const leases = names.filter(name => /^[0-9a-f.:]+$/.test(name)).sort()
    return Object.fromEntries(leases.map(name => [name, readFileSync(join(this.leases, name), 'utf8')]))
  }

  /** As the reference would leave it: nothing of ours is told. */
  write(name: string, text: string): void {
    mkdirSync(this.leases, { recursive: true })
    writeFileSync(join(this.leases, name), text)
  }

  sealed(): boolean {
    return (
      existsSync(this.leases) && new OwnerIndex(this.dataDir, NETWORK, this.leases).covers(lstat(this.leases))
    )
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]()
  }
}

function owner(containerId: string, ifname = 'eth0'): Owner {
  return { network: NETWORK, containerId, ifname }
}

const valid = [
  { containerId: 'other', ifname: 'eth0' },
  { containerId: 'older', ifname: 'net1' },
]

interface Scene {
  readonly name: string
  before(place: Place): Promise<void>
  deed(place: Place): Promise<unknown>
}

async function others({ ipam }: Place): Promise<void> {
  await ipam.allocate(owner('other'))
  await ipam.allocate(owner('gone'))
  await ipam.release(owner('gone'))
}

const add = ({ ipam }: Place): Promise<unknown> => ipam.allocate(owner('c'))
const scenes: Scene[] = [
  { name: 'the first ADD', before: async () => {}, deed: add },
  { name: 'ADD beside others', before: others, deed: add },
  {
    name: 'ADD after the reference',
    before: async place => {
      await others(place)
      place.write('10.1.0.77', 'older')
      place.write('10.1.0.78', 'other\r\neth0')
    },
    deed: add,
  },
  {
    name: 'ADD where a file was never finished',
    before: async place => {
      await others(place)
      place.write('10.1.0.4', '')
    },
    deed: add,
  },
  {
    name: 'ADD where the next address is shorter than the last, and the one after is taken',
    before: async place => {
      await others(place)
      place.write('last_reserved_ip.0', '10.1.0.254')
    },
    deed: add,
  },
  {
    name: 'DEL',
    before: async place => {
      await others(place)
      await add(place)
    },
    deed: ({ ipam }) => ipam.release(owner('c')),
  },
  {
    name: 'DEL after the reference',
    before: async place => {
      await others(place)
      await add(place)
      place.write('10.1.0.77', 'older')
    },
    deed: ({ ipam }) => ipam.release(owner('c')),
  },
  {
    name: 'GC',
    before: async place => {
      await others(place)
      await add(place)
      place.write('10.1.0.77', 'older')
    },
    deed: ({ ipam }) => ipam.gc(NETWORK, valid),
  },
]

/** Plays a scene once for each of its calls, with the fault that falls on it. Answers with what is wrong afterwards. */
async function everyPoint(
  scene: Scene,
  fault: (n: number) => Fault,
  wrongs: (place: Place, outcome: unknown, rest: Files) => Promise<(string | false)[]>,
): Promise<{ points: number; wrong: string[] }> {
  const wrong: string[] = []
  for (let n = 1; ; n++) {
    using place = new Place()
    await scene.before(place)
    const rest = Object.fromEntries(
      Object.entries(place.files()).filter(([, text]) => !/^(c\r|$)/.test(text)),
    )
    let outcome: unknown
    let hit: boolean
    {
      using injected = faults(fault(n))
      outcome = await scene.deed(place).then(
        () => 'done',
        (error: unknown) => error,
      )
      hit = injected.hit
    }
    if (!hit) return { points: n - 1, wrong }
    for (const text of await wrongs(place, outcome, rest))
      if (text !== false) wrong.push(`call ${n}: ${text}`)
  }
}

function same(a: Files, b: Files): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

const CLEANERS: Record<string, (place: Place) => Promise<unknown>> = {
  'one DEL': ({ ipam }) => ipam.release(owner('c')),
  'one GC': ({ ipam }) => ipam.gc(NETWORK, valid),
  'ADD of another, then one DEL': async ({ ipam }) => {
    await ipam.allocate(owner('next'))
    await ipam.release(owner('c'))
    await ipam.release(owner('next'))
  },
}

for (const scene of scenes) {
  for (const [kind, fault] of Object.entries({
    killed: (n: number): Fault => ({ kill: n }),
    'killed, a write half done': (n: number): Fault => ({ tear: n }),
  })) {
    t.test(`${scene.name}, ${kind} at every call: nothing is left`, async t => {
      for (const [cleaner, clean] of Object.entries(CLEANERS)) {
        const { points, wrong } = await everyPoint(scene, fault, async (place, _, rest) => {
          await clean(place)
          const left = place.files()
          const sealed = place.sealed() || !existsSync(place.leases)
          for (const each of valid) await place.ipam.release({ network: NETWORK, ...each })
          return [
            !same(left, rest) && `left: ${JSON.stringify(left)}`,
            !sealed && 'the index is not whole',
            !same(place.files(), {}) && 'the index does not find the others',
          ]
        })
        t.same(wrong, [], `${points} points, then ${cleaner}`)
      }
    })
  }

  t.test(`${scene.name}, an error at every call: all or nothing`, async t => {
    for (const errno of ['EIO', 'ENOSPC', 'EACCES', 'EINTR'] as const) {
      const { points, wrong } = await everyPoint(
        scene,
        n => ({ fail: n, errno }),
        async (place, outcome, rest) => {
          const done = outcome === 'done'
          const own = Object.values(place.files()).filter(text => text === 'c\r\neth0').length
          const typed = outcome instanceof TnetError && ['IO', 'PERMISSION'].includes(outcome.code)
          await place.ipam.release(owner('c'))
          return [
            !done && (errno === 'EINTR' || !typed) && `${outcome}`,
            scene.deed === add && own !== (done ? 2 : 0) && `${own} leases, ${outcome}`,
            scene.deed !== add && done && own > 0 && 'said done, and leases are there',
            !same(place.files(), rest) && `DEL leaves ${JSON.stringify(place.files())}`,
          ]
        },
      )
      t.same(wrong, [], `${points} points, ${errno}`)
    }
  })
}

t.test('what the index says is only a hint', async t => {
  using place = new Place()
  const { ipam } = place
  await ipam.allocate(owner('a'))
  await ipam.allocate(owner('b'))
  t.ok(place.sealed())

  await t.test('its loss', async t => {
    rmSync(join(place.dataDir, '.tnet'), { recursive: true })
    t.notOk(place.sealed())
    await ipam.check(owner('a'))
    t.ok(place.sealed())
  })

  await t.test('an entry that is lost', async t => {
    rmSync(join(place.index, 'a:eth0'))
    t.notOk(place.sealed(), 'is noticed')
    await ipam.check(owner('a'))
  })

  await t.test('an entry that lies', async t => {
    rmSync(join(place.index, 'a:eth0'))
    const outside = join(place.dataDir, 'outside')
    writeFileSync(outside, 'a\r\neth0')
    symlinkSync('10.1.0.3,../outside,10.1.0.2', join(place.index, 'a:eth0'))
    new OwnerIndex(place.dataDir, NETWORK, place.leases).seal()
    t.ok(place.sealed())
    await ipam.release(owner('a'))
    t.same(Object.keys(place.files()), ['10.1.0.3', 'fd00::3'], 'the leases of another are not touched')
  })

  await t.test('a copy with dates and all, of an older state', async t => {
    const date = Math.floor(Date.now() / 1000) - 86_400
    place.write('10.1.0.9', 'late\r\neth0')
    utimesSync(place.leases, date, date)
    await ipam.release(owner('late'))
    t.same(Object.keys(place.files()), ['10.1.0.3', 'fd00::3'])
  })
})

t.test('names that the index cannot hold', async t => {
  using place = new Place()
  const long = owner('x'.repeat(250), 'eth0')
  await place.ipam.allocate(long)
  await place.ipam.allocate(owner('a'))
  t.ok(place.sealed())
  await place.ipam.check(long)
  await t.rejects(place.ipam.allocate(long), { code: 'EXISTS' })
  await place.ipam.release(long)
  t.same(Object.keys(place.files()), ['10.1.0.3', 'fd00::3'])
  await place.ipam.release(owner('../..', 'eth0'))
  await place.ipam.release(owner('a/b', 'eth0'))
})

t.test('more addresses than an entry can say', async t => {
  using place = new Place()
  for (let n = 0; n < 400; n++) place.write(`fd00::${(n + 4096).toString(16)}`, 'many\r\neth0')
  await place.ipam.allocate(owner('a'))
  t.ok(place.sealed())
  await t.rejects(place.ipam.allocate(owner('many')), { code: 'EXISTS' })
  await place.ipam.release(owner('many'))
  t.same(Object.keys(place.files()), ['10.1.0.2', 'fd00::2'])
})

t.test('leases of the container alone, from old versions', async t => {
  using place = new Place()
  const { ipam } = place
  place.write('10.1.0.2', 'old')
  place.write('10.1.0.3', 'old\r\neth1')
  await t.rejects(ipam.allocate(owner('old')), { code: 'EXISTS' })
  await ipam.check(owner('old'))
  await ipam.release(owner('old', 'eth1'))
  t.same(place.files(), { '10.1.0.2': 'old' }, 'what has its own name goes first')
  await ipam.gc(NETWORK, [{ containerId: 'old', ifname: 'net7' }])
  t.same(place.files(), { '10.1.0.2': 'old' }, 'valid by the container')
  await ipam.release(owner('old', 'eth1'))
  t.same(place.files(), {})
})
