// CHECK of a plugin whose link a later one of the list has given another mtu and another MAC address.
import t from 'tap'
import { chain } from '../harness/chain.ts'
import { type Feature, isolated, lacks } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { uplink } from '../harness/uplink.ts'
import { hostLocal, makeWorld } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(300_000)

interface Row {
  readonly type: string
  readonly needs: Feature
  readonly config?: object
  /** What tuning is asked for besides the mtu. */
  readonly mac?: string
  readonly onlyOurs?: string
}

const mac = '02:00:00:00:00:77'
const rows: Row[] = [
  { type: 'macvlan', needs: 'macvlan', config: { master: 'eth0', mac: '02:00:00:00:00:01' }, mac },
  { type: 'ipvlan', needs: 'ipvlan', config: { master: 'eth0' } },
  { type: 'vlan', needs: 'vlan', config: { master: 'eth0', vlanId: 10 }, mac, onlyOurs: 'its CHECK fails' },
  { type: 'tap', needs: 'tun', config: { mac: '02:00:00:00:00:01' }, mac, onlyOurs: 'newer than 1.1.1' },
  { type: 'ptp', needs: 'veth', mac },
  { type: 'bridge', needs: 'bridge', mac },
]

for (const subject of subjects()) {
  for (const { type, needs, config, mac, onlyOurs } of rows) {
    if (subject.name === 'reference' && onlyOurs !== undefined) continue
    const versions = subject.name === 'reference' ? ['1.0.0'] : ['1.0.0', '1.1.0']
    for (const cniVersion of versions) {
      t.test(`${subject.name}: ${type}, ${cniVersion}`, { skip: lacks(needs) }, async t => {
        await using world = await makeWorld(subject)
        await uplink(world)
        const tuning = { mtu: 1300, ...(mac === undefined ? {} : { mac }) }
        const before = { type, ...config, mtu: 1400, ipam: hostLocal(['10.1.0.0/24']) }
        const sample = { type: 'tuning', config: tuning, after: [before] }
        const one = chain(world, sample, { containerId: 'one', netns: world.sandbox.path }, { cniVersion })
        await one.add()
        for (const { code, stdout } of await one.check()) t.equal(code, 0, stdout)
        await world.sandbox.run('ip', 'link', 'set', 'eth0', 'mtu', '1290')
        const [first, second] = await one.check()
        t.equal(second?.code, 1, 'tuning sees that it is another')
        const isTold = cniVersion === '1.1.0' && type !== 'ptp' && type !== 'bridge'
        t.equal(first?.code, isTold ? 1 : 0, `${type} sees it where the result tells it`)
        for (const { code, stdout } of await one.del()) t.equal(code, 0, stdout)
      })
    }
  }
}
