// A plugin killed at each system call that changes something, then cleaned up by one call: everything is as before.
import type { Test } from 'tap'
import { stopAt, tellingCalls, type Point, type Target } from './sweep.ts'
import type { World } from './world.ts'

export interface KillSweep {
  readonly world: World
  readonly type: string
  readonly config: object
  readonly ifname?: string | undefined
  /** What is killed. DEL is given something to delete each time. */
  readonly killed: 'ADD' | 'DEL'
  readonly cleanUp: 'DEL' | 'GC'
  readonly by?: 'kill' | 'killgroup'
  /** What has to be the same as well, beyond what a snapshot shows. */
  readonly also?: () => Promise<string>
  /** Only these system calls. */
  readonly only?: readonly string[]
  /** Each call is the first one of the machine: no bridge, no table, no lease folder. */
  readonly isCold?: boolean
}

/** At every call. What is left by a death between two deeds is what is left by one at the second. */
const IS_FULL = process.env['TNET_TEST_FULL'] === '1'

export interface Leak extends Point {
  readonly left: string
}

/** Kills at every point; answers what was left, and tells the count. */
export async function killSweep(t: Test, sweep: KillSweep): Promise<Leak[]> {
  const { world, type, killed, by = 'kill' } = sweep
  await must(sweep, 'ADD')
  await must(sweep, 'DEL')
  if (sweep.isCold === true) await chill(world)
  const before = await state(sweep)
  const target: Target = { world, type, verb: killed, config: sweep.config, ifname: sweep.ifname }
  const calls = sweep.only ?? (IS_FULL ? await allOf(sweep, target) : ['deed'])

  const leaks: Leak[] = []
  const counts: Record<string, number> = {}
  for (const syscall of calls) {
    for (let n = 1; ; n++) {
      if (sweep.isCold === true) await chill(world)
      if (killed === 'DEL') await must(sweep, 'ADD')
      const stopped = await stopAt(target, { syscall, n }, { by })
      const cleaned = await clean(sweep)
      const after = await state(sweep)
      if (cleaned !== '' || after !== before) {
        leaks.push({ syscall, n, left: `${cleaned}${difference(before, after)}` })
        await restore(sweep)
      }
      if (!stopped.hit) break
      counts[syscall] = (counts[syscall] ?? 0) + 1
    }
  }
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const list = Object.entries(counts).map(([syscall, count]) => `${syscall} ${count}`)
  t.comment(`${type} ${killed} killed at ${total} points, then ${sweep.cleanUp}: ${list.join(', ')}`)
  t.ok(total > 0, 'it was killed at all')
  return leaks
}

/** Every system call that the call makes. */
async function allOf(sweep: KillSweep, target: Target): Promise<string[]> {
  if (sweep.killed === 'DEL') await must(sweep, 'ADD')
  const calls = await tellingCalls(target)
  if (sweep.killed === 'ADD') await must(sweep, 'DEL')
  return calls
}

/** Takes away what calls leave on purpose. */
async function chill({ host }: World): Promise<void> {
  await host.run(
    'sh',
    '-c',
    'ip link del cni0 2>/dev/null; nft flush ruleset; rm -rf /var/lib/cni/* /var/lib/cni/networks/.tnet /run/tnet',
  )
}

/** What has to be the same: all; after a first call only what is the attachment's own. */
async function state({ world, isCold, also }: KillSweep): Promise<string> {
  if (isCold !== true) return [await world.snapshot(), await also?.()].join('\n')
  const { ports, sandbox, leases, ruleset } = await world.facts()
  const mentions = ruleset.split('\n').filter(line => /10\.1\.0\.|fd00:1:|c1/.test(line))
  return JSON.stringify({ ports, sandbox, leases, mentions }, null, 1)
}

async function must({ world, type, config, ifname }: KillSweep, verb: 'ADD' | 'DEL'): Promise<void> {
  const { code, stdout, stderr } = await world.call(verb, config, { type, ifname })
  if (code !== 0) throw new Error(`${verb} of ${type}: ${stdout}${stderr}`)
}

/** The one call that has to suffice; answers why it did not. */
async function clean({ world, type, config, cleanUp, ifname }: KillSweep): Promise<string> {
  const isGc = cleanUp === 'GC'
  const request = isGc ? { type, containerId: '', netns: '', ifname: '' } : { type, ifname }
  const { code, stdout, stderr } = await world.call(
    cleanUp,
    isGc ? { ...config, 'cni.dev/valid-attachments': [] } : config,
    request,
  )
  return code === 0 ? '' : `${cleanUp}: ${stdout}${stderr}\n`
}

/** After a leak: what the next points start from has to be clean again, or they would all be blamed. */
async function restore({ world, type, config, ifname }: KillSweep): Promise<void> {
  await world.call('DEL', config, { type, ifname })
  await world.host.run('sh', '-c', `find ${world.leaseFolder} -type f -size 0 ! -name lock -delete; true`)
}

/** The lines that are in one text alone. */
export function difference(before: string, after: string): string {
  const [old, fresh] = [before.split('\n'), after.split('\n')]
  const gone = old.filter(line => !fresh.includes(line)).map(line => `- ${line}`)
  const come = fresh.filter(line => !old.includes(line)).map(line => `+ ${line}`)
  return [...gone, ...come].join('\n')
}
