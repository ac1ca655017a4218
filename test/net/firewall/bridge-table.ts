import t from 'tap'
import { makeFort } from '../../harness/firewall.ts'
import { isolated, makeNetns } from '../../harness/namespaces.ts'
import { ping } from '../../harness/traffic.ts'

isolated(import.meta)

const owner = { network: 'web', containerId: 'c1', ifname: 'eth0' }
const OWN = '02:00:00:00:00:03'
const FORGED = '02:00:00:00:00:66'

t.test('frames with a forged source are dropped at the checked port alone', async t => {
  const { firewall, host } = await makeFort(t)
  await host.run('ip', 'link', 'add', 'br0', 'address', '02:00:00:00:00:01', 'up', 'type', 'bridge')
  await host.run('ip', 'address', 'add', '10.1.1.1/24', 'dev', 'br0')
  const containers = []
  for (const number of [3, 4]) {
    const inside = await makeNetns('c')
    t.teardown(() => inside.remove())
    const port = ['ip', 'link', 'add', `v${number}`, 'master', 'br0', 'up', 'type', 'veth'] as const
    await host.run(
      ...port,
      'peer',
      'name',
      'eth0',
      'address',
      `02:00:00:00:00:0${number}`,
      'netns',
      inside.name,
    )
    await inside.run('ip', 'address', 'add', `10.1.1.${number}/24`, 'dev', 'eth0')
    await inside.run('ip', 'link', 'set', 'eth0', 'up')
    containers.push(inside)
  }
  const [checked, free] = containers
  const wear = (inside: typeof checked, mac: string) =>
    inside?.run('ip', 'link', 'set', 'eth0', 'address', mac)

  await firewall.spoofCheck(owner, { ifname: 'v3', mac: OWN })
  t.ok(await ping(checked, '10.1.1.1'), 'its own address')
  t.ok(await ping(checked, '10.1.1.4'), 'its own address, to a neighbour')
  await wear(checked, FORGED)
  t.notOk(await ping(checked, '10.1.1.1', 600), 'a forged address')
  t.notOk(await ping(checked, '10.1.1.4', 600), 'a forged address, to a neighbour')
  await wear(free, FORGED.replace('66', '67'))
  t.ok(await ping(free, '10.1.1.1'), 'the other port is not checked')
  await firewall.unspoofCheck(owner, 'v3')
  t.ok(await ping(checked, '10.1.1.1'), 'the check is gone')
})
