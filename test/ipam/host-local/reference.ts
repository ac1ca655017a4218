// One lease directory, kept by the reference's host-local and by ours in turns: each finds what the other made, and
// gives the address that the other would.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { TnetError } from '../../../src/errors.ts'
import { parseHostLocal } from '../../../src/ipam/host-local/config.ts'
import { hostLocal } from '../../../src/ipam/host-local/host-local.ts'
import { formatAddress } from '../../../src/net/ip.ts'
import { call, subjects } from '../../harness/plugins.ts'
import { temporary } from '../../harness/temporary.ts'

const NETWORK = 'net'
const OPTIONS = {
  skip: subjects().some(({ name }) => name === 'reference') ? false : 'this machine has no reference plugins',
}

type Section = Readonly<Record<string, unknown>>

/** What ADD says of addresses, or 'refused'. Other verbs: 'done' or 'refused'. */
type Said = string

interface Keeper {
  readonly name: string
  run(verb: 'ADD' | 'DEL' | 'CHECK', containerId: string, ip?: string): Promise<Said>
}

function ours(ipam: Section): Keeper {
  const leases = hostLocal(parseHostLocal({ ipam }))
  return {
    name: 'tnet',
    async run(verb, containerId, ip) {
      const owner = { network: NETWORK, containerId, ifname: 'eth0' }
      try {
        if (verb === 'ADD') {
          const { ips } = await leases.allocate(owner, ip === undefined ? [] : [ip])
          return ips.map(({ address, gateway }) => `${address} via ${gateway}`).join(' ')
        }
        await (verb === 'DEL' ? leases.release(owner) : leases.check(owner))
        return 'done'
      } catch (error) {
        if (error instanceof TnetError) return 'refused'
        throw error
      }
    },
  }
}

function reference(ipam: Section): Keeper {
  const dir = subjects().find(({ name }) => name === 'reference')?.dir ?? ''
  return {
    name: 'reference',
    async run(verb, containerId, ip) {
      const prevResult = verb === 'CHECK' ? { prevResult: { cniVersion: '1.0.0' } } : {}
      const config = {
        cniVersion: '1.0.0',
        name: NETWORK,
        type: 'x',
        ipam: { type: 'host-local', ...ipam },
        ...prevResult,
      }
      const args = ip === undefined ? undefined : `IP=${ip}`
      const { code, json } = await call(dir, 'host-local', { verb, config, containerId, netns: '/x', args })
      if (code !== 0) return 'refused'
      const ips = json?.['ips'] as { address: string; gateway: string }[] | undefined
      return ips?.map(({ address, gateway }) => `${address} via ${gateway}`).join(' ') ?? 'done'
    },
  }
}

function content(dataDir: string): Record<string, string> {
  const folder = join(dataDir, NETWORK)
  if (!existsSync(folder)) return {}
  const names = readdirSync(folder)
    .filter(name => name !== 'lock')
    .sort()
  return Object.fromEntries(names.map(name => [name, readFileSync(join(folder, name), 'utf8')]))
}

const step = fc.record({
  verb: fc.constantFrom('ADD' as const, 'ADD' as const, 'DEL' as const, 'CHECK' as const),
  container: fc.nat(5).map(n => `c${n}`),
  ip: fc.option(
    fc.integer({ min: 3, max: 5 }).map(n => `10.1.0.${n}`),
    { freq: 4, nil: undefined },
  ),
  mine: fc.boolean(),
})
// A call that is refused after the reference has leased a part of what it asks for moves the reference's mark of the last
// address. Ours chooses all before it leases any: such calls are not among these.
const pools = fc.constantFrom<Section>(
  { subnet: '10.1.0.0/29' },
  {
    ranges: [
      [{ subnet: '10.1.0.0/29', gateway: '10.1.0.4' }],
      [{ subnet: 'fd00::/64', rangeStart: 'fd00::fffe', rangeEnd: 'fd00::1:9' }],
    ],
  },
  {
    ranges: [
      [{ subnet: '10.1.0.0/24', rangeStart: '10.1.0.3', rangeEnd: '10.1.0.5' }, { subnet: '10.1.1.0/30' }],
    ],
  },
)

t.test('a random row of calls: both say the same, and leave the same files', OPTIONS, async t => {
  await fc.assert(
    fc.asyncProperty(pools, fc.array(step, { minLength: 4, maxLength: 14 }), async (section, row) => {
      using mixed = temporary()
      using pure = temporary()
      const keepers = [
        ours({ ...section, dataDir: mixed.path }),
        reference({ ...section, dataDir: mixed.path }),
      ]
      const judge = reference({ ...section, dataDir: pure.path })
      for (const { verb, container, ip, mine } of row) {
        const asked = verb === 'ADD' ? ip : undefined
        // The reference gives a second lease to who asks for an address by number: ours refuses, so it is not asked.
        const held = Object.values(content(pure.path)).includes(`${container}\r\neth0`)
        if (asked !== undefined && held) continue
        const said = await keepers[mine ? 0 : 1]?.run(verb, container, asked)
        const right = await judge.run(verb, container, asked)
        if (said !== right)
          throw new Error(`${verb} ${container} ${asked}: ${said}, the reference says ${right}`)
        const [got, wanted] = [content(mixed.path), content(pure.path)]
        if (JSON.stringify(got) !== JSON.stringify(wanted)) {
          throw new Error(
            `${verb} ${container}: ${JSON.stringify(got)}, the reference has ${JSON.stringify(wanted)}`,
          )
        }
      }
    }),
    { numRuns: 20 },
  )
  t.pass()
})

t.test('names of files are in the same canonical text', OPTIONS, async t => {
  using directory = temporary()
  const ipam = { dataDir: directory.path, subnet: '::/0', gateway: 'ff00::1' }
  const group = fc.oneof(fc.constant(0), fc.constant(0), fc.constant(1), fc.integer({ min: 0, max: 0xffff }))
  const samples = fc.sample(fc.array(group, { minLength: 8, maxLength: 8 }), 25)
  for (const [n, groups] of samples.entries()) {
    const bits = groups.reduce((sum, each) => (sum << 16n) | BigInt(each), 0n)
    if (bits >> 32n === 0xffffn || bits === 0n) continue
    const text = formatAddress({ family: 6, bits })
    const written = groups.map(each => each.toString(16).padStart(4, '0')).join(':')
    t.equal(await reference(ipam).run('ADD', `c${n}`, written), `${text}/0 via ff00::1`)
    t.ok(existsSync(join(directory.path, NETWORK, text)), text)
    t.equal(await ours(ipam).run('DEL', `c${n}`), 'done')
    t.notOk(existsSync(join(directory.path, NETWORK, text)), text)
  }
})
