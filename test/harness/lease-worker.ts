// A process of its own that leases and gives back addresses: `node lease-worker.ts ENGINE PLACE ID CALLS`. Its last
// line says what it still holds.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TnetError } from '../../src/errors.ts'
import { parseHostLocal } from '../../src/ipam/host-local/config.ts'
import { hostLocal } from '../../src/ipam/host-local/host-local.ts'
import type { Ipam } from '../../src/ipam/ipam.ts'
import { tnetIpam } from '../../src/ipam/tnet-ipam/tnet-ipam.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'

const [engine, place = '', id = '', calls = ''] = process.argv.slice(2)
const NETWORK = 'net'
const CONTAINERS = 4

const open: Record<string, () => Promise<Ipam>> = {
  'host-local': async () => hostLocal(parseHostLocal({ ipam: { dataDir: place, subnet: '10.1.0.0/26' } })),
  'tnet-ipam': async () =>
    tnetIpam({ network: NETWORK, routes: [] }, { store: await sqliteStore(place), origin: 'cni' }),
}
const ipam = await open[engine ?? '']?.()
if (ipam === undefined) throw new Error(`no engine is called ${engine}`)
const held = new Map<string, string>()
for (let call = 0; call < Number(calls); call++) {
  const containerId = `${id}-${Math.floor(Math.random() * CONTAINERS)}`
  const owner = { network: NETWORK, containerId, ifname: 'eth0' }
  const has = held.get(containerId)
  if (has === undefined) {
    const found = await ipam.allocate(owner).catch((error: unknown) => error)
    if (found instanceof TnetError && found.code === 'EXHAUSTED') continue
    if (found instanceof Error) throw found
    const [address = ''] = (found as Awaited<ReturnType<Ipam['allocate']>>).ips[0]?.address.split('/') ?? []
    held.set(containerId, address)
  } else {
    if (
      engine === 'host-local' &&
      readFileSync(join(place, NETWORK, has), 'utf8') !== `${containerId}\r\neth0`
    ) {
      throw new Error(`${has} is no longer of ${containerId}`)
    }
    await ipam.check(owner)
    await ipam.release(owner)
    held.delete(containerId)
  }
}
process.stdout.write(`${JSON.stringify([...held])}\n`)
