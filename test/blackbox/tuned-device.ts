// A device of the host that was lent to a container and changed there comes back as it was, whichever way it comes back.
import t from 'tap'
import { chain, gc } from '../harness/chain.ts'
import { isolated, makeNetns, type Netns } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { run } from '../harness/run.ts'
import type { Sample } from '../harness/samples.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(300_000)

const MAC = '02:00:00:00:00:0a'
const lent = { type: 'host-device', device: 'card', ipam: hostLocal(['10.1.0.0/24']) }
const settings = { mac: '02:00:00:00:00:77', mtu: 1400, promisc: true, allmulti: true, txQLen: 500 }
const tuned: Sample = {
  type: 'tuning',
  config: { ...settings, ethtool: { features: { gro: false } } },
  after: [lent],
}
const plain: Sample = { type: 'host-device', config: lent }

/** What a device has that can be changed, a feature among it. */
async function facts({ host }: World) {
  const text = await host.run('ip', '-j', '-d', 'link', 'show', 'card')
  const [{ address, mtu, txqlen, promiscuity, allmulti, flags }] = JSON.parse(text)
  const isOn = (flag: string) => flags.includes(flag)
  const features = await host.run('ethtool', '-k', 'card')
  const gro = /^generic-receive-offload: (\w+)/m.exec(features)?.[1]
  return { address, mtu, txqlen, promiscuity, allmulti, flags: ['PROMISC', 'ALLMULTI'].filter(isOn), gro }
}

async function scene(play: (world: World) => Promise<void>): Promise<void> {
  const subject = subjects().find(({ name }) => name === 'tnet')
  if (subject === undefined) return
  await using world = await makeWorld(subject)
  await world.host.run(
    'ip',
    'link',
    'add',
    'card',
    'address',
    MAC,
    'mtu',
    '1450',
    'type',
    'veth',
    'peer',
    'plug',
  )
  await play(world)
}

/** The path of the sandbox leads to the namespace of another container; the sandbox's own has another path. */
async function recycle({ sandbox }: World): Promise<AsyncDisposable> {
  const [kept, other] = [await makeNetns('kept'), await makeNetns('other')]
  const lead = async (from: Netns, to: Netns) => {
    await run('umount', [from.path])
    await run('mount', ['--bind', to.path, from.path])
  }
  await lead(kept, sandbox)
  await lead(sandbox, other)
  return {
    async [Symbol.asyncDispose]() {
      await lead(sandbox, kept)
      for (const each of [other, kept]) await each[Symbol.asyncDispose]()
    },
  }
}

/** As the kernel does with a card when its namespace ends. */
async function bringBack({ sandbox, host }: World): Promise<void> {
  await sandbox.run('ip', 'link', 'set', 'eth0', 'down')
  await sandbox.run('ip', 'link', 'set', 'eth0', 'name', 'dev5')
  await sandbox.run('ip', 'link', 'set', 'dev5', 'netns', `/proc/${process.pid}/ns/net`)
  await run('ip', ['link', 'set', 'dev5', 'netns', host.name])
}

const NOWHERE = ['DEL without a namespace', 'DEL when the kernel has brought it back']
for (const how of ['DEL', ...NOWHERE, 'DEL by a path to another container', 'GC']) {
  t.test(`tuned: ${how}`, t =>
    scene(async world => {
      const before = await facts(world)
      const one = chain(world, tuned, { containerId: 'one', netns: world.sandbox.path })
      await one.add()
      const netns = NOWHERE.includes(how) ? '' : world.sandbox.path
      if (how === 'DEL when the kernel has brought it back') await bringBack(world)
      await using _ = how === 'DEL by a path to another container' ? await recycle(world) : undefined
      const answers = how === 'GC' ? await gc(world, tuned, []) : await one.del({ netns })
      for (const { code, stdout } of answers) t.equal(code, 0, stdout)
      const after = await facts(world)
      // GC comes to host-device first, as the list names them: what tuning alone knows of is not restored then.
      t.strictSame(after, how === 'GC' ? { ...before, gro: after.gro } : before)
    }),
  )
}

t.test("one that is somebody else's port by then keeps what it has from that", t =>
  scene(async world => {
    const one = chain(world, plain, { containerId: 'one', netns: world.sandbox.path })
    await one.add()
    await world.sandbox.run('ip', 'link', 'set', 'eth0', 'mtu', '1300')
    await bringBack(world)
    await world.host.run('sh', '-ec', 'ip link add br0 type bridge; ip link set dev5 master br0')
    for (const { code, stdout } of await one.del({ netns: '' })) t.equal(code, 0, stdout)
    t.match(await facts(world), { mtu: 1300 })
  }),
)

t.test('changed by the container itself', t =>
  scene(async world => {
    const before = await facts(world)
    const one = chain(world, plain, { containerId: 'one', netns: world.sandbox.path })
    await one.add()
    const changes = ['address', settings.mac, 'mtu', '1300', 'promisc', 'on', 'txqueuelen', '9']
    await world.sandbox.run('ip', 'link', 'set', 'eth0', ...changes)
    for (const { code, stdout } of await one.del()) t.equal(code, 0, stdout)
    t.strictSame(await facts(world), before)
  }),
)
