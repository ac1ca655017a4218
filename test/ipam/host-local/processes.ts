// host-local in many processes at once, some of them the reference's, and beside one that is stopped.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseHostLocal } from '../../../src/ipam/host-local/config.ts'
import { hostLocal } from '../../../src/ipam/host-local/host-local.ts'
import { call, subjects } from '../../harness/plugins.ts'
import { run, until } from '../../harness/run.ts'
import { temporary } from '../../harness/temporary.ts'

const NETWORK = 'net'
const WORKER = join(import.meta.dirname, '../../harness/lease-worker.ts')
const SUBNET = '10.1.0.0/26'

function leases(dataDir: string): string[] {
  return readdirSync(join(dataDir, NETWORK)).filter(name => name.startsWith('10.'))
}

t.test('16 processes at once: no address is given twice, none is lost', async t => {
  using directory = temporary()
  const dataDir = directory.path
  const reference = subjects().find(({ name }) => name === 'reference')
  const [outputs] = await Promise.all([
    Promise.all(
      Array.from({ length: 16 }, (_, id) =>
        run(process.execPath, [WORKER, 'host-local', dataDir, `p${id}`, '60'], { timeout: 90_000 }),
      ),
    ),
    reference === undefined ? undefined : referenceTurns(reference.dir, dataDir, 40),
  ])
  const held = outputs.flatMap(text => JSON.parse(text) as [string, string][])
  t.equal(new Set(held.map(([, address]) => address)).size, held.length, 'no address twice')
  t.same(leases(dataDir).sort(), held.map(([, address]) => address).sort())
  for (const [containerId, address] of held) {
    t.equal(readFileSync(join(dataDir, NETWORK, address), 'utf8'), `${containerId}\r\neth0`)
  }
  const ipam = hostLocal(parseHostLocal({ ipam: { dataDir, subnet: SUBNET } }))
  for (const [containerId] of held) await ipam.release({ network: NETWORK, containerId, ifname: 'eth0' })
  t.same(leases(dataDir), [])
})

/** The reference's own process, in between ours. */
async function referenceTurns(dir: string, dataDir: string, turns: number): Promise<void> {
  const config = {
    cniVersion: '1.0.0',
    name: NETWORK,
    type: 'host-local',
    ipam: { type: 'host-local', dataDir, ranges: [[{ subnet: SUBNET }]] },
  }
  for (let turn = 0; turn < turns; turn++) {
    for (const verb of ['ADD', 'DEL'] as const) {
      const { code, stdout } = await call(dir, 'host-local', {
        verb,
        config,
        containerId: 'ref',
        netns: '/x',
      })
      const full = verb === 'ADD' && stdout.includes('no IP addresses available')
      if (code !== 0 && !full) throw new Error(`${verb}: ${stdout}`)
    }
  }
}

t.test('a process that is stopped while it holds the lock', async t => {
  using directory = temporary()
  const dataDir = directory.path
  mkdirSync(join(dataDir, NETWORK))
  const lock = join(dataDir, NETWORK, 'lock')
  const sign = join(dataDir, 'locked')
  const holder = spawn('flock', ['--no-fork', lock, 'sh', '-c', `: > ${sign}; exec sleep 60`], {
    stdio: 'ignore',
  })
  const ended = once(holder, 'close')
  try {
    await until('the lock is held', async () => existsSync(sign))
    holder.kill('SIGSTOP')
    const config = parseHostLocal({ ipam: { dataDir, subnet: SUBNET } })
    const ipam = hostLocal(config, { patience: 200 })
    const owner = { network: NETWORK, containerId: 'c', ifname: 'eth0' }
    const deeds: Promise<unknown>[] = [ipam.allocate(owner), ipam.release(owner), ipam.gc(NETWORK, [])]
    await Promise.all(deeds.map(deed => t.rejects(deed, { code: 'TRY_AGAIN', message: lock })))
    await ipam.status(NETWORK)
    t.same(leases(dataDir), [])
    const waiting = hostLocal(config).allocate(owner)
    holder.kill('SIGKILL')
    t.match((await waiting).ips, [{ address: '10.1.0.2/26' }], 'goes on when the holder is gone')
  } finally {
    holder.kill('SIGKILL')
    await ended
  }
})
