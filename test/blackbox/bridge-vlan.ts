// VLANs of bridge ports, and the VLAN's gateway. Needs a kernel with VLAN filtering on bridges.
import t from 'tap'
import { isolated, lacks, makeNetns } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { ping } from '../harness/traffic.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const skip = lacks('bridge VLAN filtering')
const subject = subjects().find(({ name }) => name === 'tnet')
const ipam = hostLocal(['10.1.0.0/24'])

interface Vlan {
  readonly vlan: number
  readonly vlanEnd?: number
  readonly flags?: readonly string[]
}

/** `100 PVID untagged`, in order, of the one veth that is a port and not the gateway's. */
async function vlans({ host }: World): Promise<string[]> {
  const links = JSON.parse(await host.run('bridge', '-j', 'vlan')) as { ifname: string; vlans: Vlan[] }[]
  const port = links.find(({ ifname }) => ifname.startsWith('veth'))
  // Newer versions of bridge(8) tell neighbours as a range.
  const single = (port?.vlans ?? []).flatMap(({ vlan, vlanEnd = vlan, flags = [] }) =>
    Array.from({ length: vlanEnd - vlan + 1 }, (_, index) => [vlan + index, ...flags]),
  )
  return single.map(words => words.join(' ').replace('Egress Untagged', 'untagged'))
}

const rows = [
  { name: 'vlan', config: { vlan: 100 }, wanted: ['100 PVID untagged'] },
  {
    name: 'vlan, preserveDefaultVlan',
    config: { vlan: 100, preserveDefaultVlan: true },
    wanted: ['1 untagged', '100 PVID untagged'],
  },
  {
    name: 'vlan and trunk',
    config: { vlan: 100, vlanTrunk: [{ id: 101 }, { minID: 200, maxID: 202 }] },
    wanted: ['100 PVID untagged', '101', '200', '201', '202'],
  },
  {
    name: 'trunk with its own VLAN 1',
    config: { vlanTrunk: [{ id: 101 }], preserveDefaultVlan: true },
    wanted: ['1 PVID untagged', '101'],
  },
]

for (const { name, config, wanted } of rows) {
  t.test(name, { skip }, async t => {
    if (subject === undefined) return t.pass('the reference alone was asked for')
    await using world = await makeWorld(subject)
    const full = world.config({ ...config, ipam })
    const added = await world.call('ADD', full)
    t.equal(added.code, 0, added.stdout)
    t.strictSame(await vlans(world), wanted)
    t.equal((await world.call('CHECK', { ...full, prevResult: added.json })).code, 0)
    t.equal((await world.call('DEL', full)).code, 0)
    t.strictSame((await world.facts()).ports, [])
  })
}

const damages = {
  'the bridge does not tell VLANs apart': 'ip link set cni0 type bridge vlan_filtering 0',
  'untagged frames are in no VLAN': 'bridge vlan add vid 100 untagged dev $0',
  'a VLAN of the trunk is gone': 'bridge vlan del vid 201 dev $0',
  'a VLAN more': 'bridge vlan add vid 7 dev $0',
}

for (const [name, damage] of Object.entries(damages)) {
  t.test(`CHECK: ${name}`, { skip }, async t => {
    if (subject === undefined) return t.pass('the reference alone was asked for')
    await using world = await makeWorld(subject)
    // Of two ways to carry a VLAN, the last counts.
    const config = world.config({
      vlan: 100,
      vlanTrunk: [
        { minID: 99, maxID: 101 },
        { minID: 200, maxID: 202 },
      ],
    })
    const { json: prevResult } = await world.call('ADD', config)
    t.equal((await world.call('CHECK', { ...config, prevResult })).code, 0)
    const [port = ''] = /veth\w+/.exec(await world.host.run('bridge', 'link')) ?? []
    await world.host.run('sh', '-ec', damage, port)
    t.equal((await world.call('CHECK', { ...config, prevResult })).json?.['code'], 100)
  })
}

t.test('a bridge without VLAN filtering gets it', { skip }, async t => {
  if (subject === undefined) return t.pass('the reference alone was asked for')
  await using world = await makeWorld(subject)
  await world.host.run('ip', 'link', 'add', 'cni0', 'type', 'bridge')
  const config = world.config({ vlan: 100 })
  t.equal((await world.call('ADD', config)).code, 0)
  t.match(await world.host.run('ip', '-d', 'link', 'show', 'cni0'), 'vlan_filtering 1')
  t.equal((await world.call('DEL', config)).code, 0)
})

t.test(
  'neighbours of one VLAN reach each other, others do not; the gateway goes with its last user',
  { skip },
  async t => {
    if (subject === undefined) return t.pass('the reference alone was asked for')
    await using world = await makeWorld(subject)
    await using two = await makeNetns('second')
    await using three = await makeNetns('third')
    const config = world.config({ isGateway: true, ipam })
    const calls = [
      { containerId: 'one', netns: world.sandbox.path, vlan: 100 },
      { containerId: 'two', netns: two.path, vlan: 100 },
      { containerId: 'three', netns: three.path, vlan: 200 },
    ]
    for (const { vlan, ...request } of calls) {
      // Each VLAN has its own gateway; one address range is enough to tell who reaches whom.
      const gateway = vlan === 100 ? {} : { isGateway: false }
      const { code, stdout, json } = await world.call('ADD', { ...config, ...gateway, vlan }, request)
      t.equal(code, 0, stdout)
      const names = ((json?.['interfaces'] ?? []) as { name: string }[]).map(({ name }) => name)
      t.equal(names[3], vlan === 100 ? 'cni0.100' : undefined, 'the answer names the gateway of the VLAN')
    }
    t.ok(await ping(world.sandbox, '10.1.0.3'), 'the same VLAN')
    t.ok(await ping(world.sandbox, '10.1.0.1'), 'the gateway of the VLAN')
    t.notOk(await ping(world.sandbox, '10.1.0.4', 500), 'another VLAN')
    t.notOk(await ping(three, '10.1.0.1', 500), 'the gateway of another VLAN')
    const links = () => world.host.run('ip', '-br', 'link')
    for (const [index, { vlan, ...request }] of calls.entries()) {
      t.match(await links(), 'cni0.100', `before the end of ${request.containerId}`)
      t.equal((await world.call('DEL', { ...config, vlan }, request)).code, 0)
      if (index === 1) break
    }
    t.notMatch(await links(), 'cni0.100', 'nobody uses it any more')
  },
)
