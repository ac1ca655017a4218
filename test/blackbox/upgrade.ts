// A node moves from the reference's plugins to ours, its containers running: what the reference attached is checked and
// removed by ours, and nothing remains. Leases go the other way, too.
import { existsSync } from 'node:fs'
import t, { type Test } from 'tap'
import { chain } from '../harness/chain.ts'
import { isolated, lacks, type Netns } from '../harness/namespaces.ts'
import { subjects, type Subject } from '../harness/plugins.ts'
import { run } from '../harness/run.ts'
import { type Sample, samples } from '../harness/samples.ts'
import { withoutHistory } from '../harness/snapshot.ts'
import { uplink } from '../harness/uplink.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const ours = subjects().find(({ name }) => name === 'tnet')
const reference = subjects().find(({ name }) => name === 'reference')
const VERSION = { cniVersion: '1.0.0' }

interface Move {
  readonly from: Subject
  readonly to: Subject
}

async function move(t: Test, sample: Sample, { from, to }: Move): Promise<void> {
  await using world = await makeWorld(from)
  await sample.prepare?.(world)
  await sample.devices?.(world, ['warm', 'one'])
  const netns = world.sandbox.path
  // What the first call of each makes, and all share.
  for (const one of [world, world.by(to)]) {
    const warm = chain(one, sample, { containerId: 'warm', netns }, VERSION)
    await warm.add()
    await warm.del()
  }
  const before = await world.snapshot()
  for (const where of [{}, { netns: '' }]) {
    const old = chain(world, sample, { containerId: 'one', netns }, VERSION)
    await old.add()
    const options = { ...VERSION, prevResult: old.result() }
    const moved = chain(world.by(to), sample, { containerId: 'one', netns }, options)
    for (const { code, stdout } of await moved.check()) t.equal(code, 0, `CHECK: ${stdout}`)
    for (const { code, stdout } of await moved.del(where)) t.equal(code, 0, `DEL: ${stdout}`)
    if (where.netns === '') await remake(world.sandbox)
    await sample.devices?.(world, ['warm', 'one'])
    t.equal(withoutHistory(await world.snapshot()), withoutHistory(before), 'nothing is left')
  }
}

/** What is in it goes with it: first, since the kernel takes a namespace down only later. */
async function remake(sandbox: Netns): Promise<void> {
  const { name } = sandbox
  await sandbox[Symbol.asyncDispose]()
  await run('ip', ['netns', 'add', name])
  await run('ip', ['-n', name, 'link', 'set', 'lo', 'up'])
}

const ipam = hostLocal(['10.1.0.0/24'])
/** Their MAC address, which tells a link to DEL, is not what ADD told by then: tuning has changed it back. */
const tuned: Sample[] = [
  { prepare: uplink, after: [{ type: 'macvlan', master: 'eth0', ipam }], needs: 'macvlan' as const },
  { prepare: uplink, after: [{ type: 'vlan', master: 'eth0', vlanId: 10, ipam }], needs: 'vlan' as const },
  { after: [{ type: 'ptp', ipam }] },
  {
    devices: ({ host }: World) =>
      host.run(
        'sh',
        '-ec',
        'ip link show card 2>/dev/null || ip link add card address 02:00:00:00:00:0a type veth peer plug address 02:00:00:00:00:0b',
      ),
    after: [{ type: 'host-device', device: 'card', ipam }],
  },
].map(list => ({ ...list, type: 'tuning', config: { mac: '02:00:00:00:00:77' } }))

for (const sample of [...samples, ...tuned]) {
  if (ours === undefined || reference === undefined) break
  const { reference: known } = sample
  if (typeof known === 'string' || !existsSync(`${reference.dir}/${sample.type}`)) continue
  const skip = sample.needs === undefined ? false : lacks(sample.needs)
  const list = [...(sample.after ?? []), sample].map(({ type }) => type).join(', ')
  t.test(`from the reference: ${list}`, { skip }, t =>
    move(t, { ...sample, ...known }, { from: reference, to: ours }),
  )
}

t.test('to the reference: leases', async t => {
  const leases = samples.find(({ type }) => type === 'host-local')
  if (ours === undefined || reference === undefined || leases === undefined) return
  await move(t, leases, { from: ours, to: reference })
})
