// What ADD of the macvlan plugin refuses: the code, and that nothing is changed.
import t from 'tap'
import { isolated } from '../harness/namespaces.ts'
import { refusals, type Refusal } from '../harness/refusals.ts'
import { uplink } from '../harness/uplink.ts'
import { hostLocal } from '../harness/world.ts'

isolated(import.meta)

const ipam = hostLocal(['10.1.0.0/24'])

function row(
  name: string,
  code: number,
  more: Partial<Refusal> & { readonly config?: object } = {},
): Refusal {
  return {
    before: uplink,
    ...more,
    name,
    code,
    type: 'macvlan',
    config: { master: 'eth0', ipam, ...more.config },
  }
}

refusals(t, [
  row('an unknown mode', 7, { config: { mode: 'brige' } }),
  row('an mtu above that of the master', 7, { config: { mtu: 1501 } }),
  row('an mtu below what the kernel takes', 999, { config: { mtu: 40 }, onlyOurs: 'it takes it' }),
  row('a negative mtu', 7, { config: { mtu: -1 } }),
  row('a master that is missing', 7, { config: { master: 'eth9' } }),
  row('a master that is missing in the sandbox', 7, {
    onlyOurs: 'newer than 1.1.1',
    config: { linkInContainer: true },
  }),
  row('no master and no default route', 7, { config: { master: undefined } }),
  row('a master whose name no link can have', 7, { config: { master: 'a/b' } }),
  row('a VLAN of a link that is missing', 7, { config: { master: 'eth9.10' } }),
  row('a master that is a port of a bridge', 999, {
    before: async world => {
      await uplink(world)
      await world.host.run('sh', '-ec', 'ip link add br0 type bridge; ip link set eth0 master br0')
    },
  }),
  row('a second passthru', 999, {
    before: async world => {
      await uplink(world)
      await world.host.run('ip', 'link', 'add', 'm0', 'link', 'eth0', 'type', 'macvlan', 'mode', 'passthru')
    },
    config: { mode: 'passthru' },
  }),
  row('another hardware address than that of the master, in the mode passthru', 7, {
    onlyOurs: 'the reference passes it over',
    config: { mode: 'passthru', mac: '02:00:00:00:00:77' },
  }),
  row('a hardware address that is none', 7, { config: { mac: 'zz' } }),
  row('a hardware address of a group', 7, { config: { runtimeConfig: { mac: '01:00:5e:00:00:01' } } }),
  row('an interface that exists in the sandbox', 7, {
    before: async world => {
      await uplink(world)
      await world.sandbox.run('ip', 'link', 'add', 'eth0', 'type', 'bridge')
    },
  }),
  row('hostAccess in another mode than bridge', 7, {
    onlyOurs: 'it is ours',
    config: { hostAccess: true, mode: 'private' },
  }),
  row('hostAccess with linkInContainer', 7, {
    onlyOurs: 'it is ours',
    config: { hostAccess: true, linkInContainer: true },
  }),
  row('an unknown argument', 999, { request: { args: 'COLOUR=green' } }),
  row('a namespace that is missing', 8, { request: { netns: '/run/netns/none' } }),
])
