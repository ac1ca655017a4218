// What ADD and DEL cost with many leases: the same system calls as with few. Times are told, not asserted.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseHostLocal } from '../../../src/ipam/host-local/config.ts'
import { hostLocal } from '../../../src/ipam/host-local/host-local.ts'
import { formatAddress, parseSubnet } from '../../../src/net/ip.ts'
import { faults } from '../../harness/file-faults.ts'
import { temporary } from '../../harness/temporary.ts'

const NETWORK = 'net'
const owner = { network: NETWORK, containerId: 'c', ifname: 'eth0' }

/** Leases as the reference leaves them, from the first host of the subnet on. */
function fill(dataDir: string, subnet: string, count: number): void {
  const { network } = parseSubnet(subnet, 'subnet')
  const leases = join(dataDir, NETWORK)
  mkdirSync(leases, { recursive: true })
  const name = (n: number) => formatAddress({ ...network, bits: network.bits + BigInt(n) })
  for (let n = 0; n < count; n++) writeFileSync(join(leases, name(n + 2)), `other${n}\r\neth0`)
  if (count > 0) writeFileSync(join(leases, 'last_reserved_ip.0'), name(count + 1))
}

/** The calls of node:fs that `deed` makes, and how long it takes. */
async function cost(deed: () => Promise<unknown>): Promise<{ calls: readonly string[]; ms: number }> {
  using counted = faults({ count: true })
  const start = performance.now()
  await deed()
  return { calls: [...counted.calls], ms: performance.now() - start }
}

for (const subnet of ['10.1.0.0/16', 'fd00::/64']) {
  t.test(subnet, async t => {
    const calls: { add: readonly string[]; del: readonly string[] }[] = []
    for (const count of [1, 5000]) {
      using directory = temporary()
      fill(directory.path, subnet, count)
      const ipam = hostLocal(parseHostLocal({ ipam: { dataDir: directory.path, subnet } }))
      const first = await cost(() => ipam.check({ ...owner, containerId: 'other0' }))
      const add = await cost(() => ipam.allocate(owner))
      const del = await cost(() => ipam.release(owner))
      const [adds, dels] = await times(ipam)
      t.comment(
        `${count} leases: the index is made in ${first.ms.toFixed(1)} ms; then ADD ${adds} ms, DEL ${dels} ms (medians of 50)`,
      )
      calls.push({ add: add.calls, del: del.calls })

      writeFileSync(
        join(directory.path, NETWORK, 'last_reserved_ip.0'),
        formatAddress(parseSubnet(subnet, 'x').last),
      )
      const wrapped = await cost(() => ipam.allocate(owner))
      t.comment(`${count} leases: ADD that has to pass by all of them: ${wrapped.ms.toFixed(1)} ms`)
      const { ms } = await cost(() => ipam.gc(NETWORK, []))
      t.comment(`${count} leases: GC of all: ${ms.toFixed(0)} ms`)
      await t.rejects(ipam.check({ ...owner, containerId: 'other0' }), { code: 'CHECK_FAILED' })
    }
    t.same(calls[1], calls[0], 'the same system calls')
    t.comment(`ADD: ${calls[0]?.add.join(' ')}`)
    t.comment(`DEL: ${calls[0]?.del.join(' ')}`)
  })
}

async function times(ipam: ReturnType<typeof hostLocal>): Promise<[add: string, del: string]> {
  const adds: number[] = []
  const dels: number[] = []
  for (let n = 0; n < 50; n++) {
    const start = performance.now()
    await ipam.allocate(owner)
    const between = performance.now()
    await ipam.release(owner)
    adds.push(between - start)
    dels.push(performance.now() - between)
  }
  const median = (all: number[]) => (all.sort((a, b) => a - b)[25] ?? 0).toFixed(2)
  return [median(adds), median(dels)]
}
