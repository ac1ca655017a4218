// A host's network card and what it is plugged into: another host, or a switch, in a namespace of its own.
import type { Test } from 'tap'
import { makeNetns, type Netns } from './namespaces.ts'
import type { World } from './world.ts'

/** The host's eth0 with 10.1.0.100 and fd00:1::64; its other end, `switch`, is on the host too and has no address. */
export async function uplink({ host }: Pick<World, 'host'>): Promise<void> {
  await host.run('sh', '-ec', `${CARD} type veth peer name switch address 02:00:00:00:00:0b; ${ADDRESSES}`)
  await host.run('ip', 'link', 'set', 'switch', 'up')
}

/** As `uplink`, but the other end is eth0 of another host, with 10.1.0.200 and fd00:1::c8. */
export async function neighbour({ host }: Pick<World, 'host'>): Promise<Netns> {
  const other = await makeNetns('neighbour')
  await host.run(
    'sh',
    '-ec',
    `${CARD} type veth peer name eth0 address 02:00:00:00:00:0b netns ${other.name}; ${ADDRESSES}`,
  )
  await other.run('sh', '-ec', 'ip link set eth0 up; ip addr add 10.1.0.200/24 dev eth0')
  await other.run('ip', 'addr', 'add', 'fd00:1::c8/64', 'dev', 'eth0', 'nodad')
  return other
}

/** Of a row: the master is a link of the container. */
export const onInner = {
  onlyOurs: 'newer than 1.1.1',
  before: ({ sandbox }: World) =>
    sandbox.run('ip', 'link', 'add', 'inner', 'up', 'address', '02:00:00:00:00:0a', 'type', 'bridge'),
  config: { master: 'inner', linkInContainer: true },
  also: async (t: Test, { sandbox }: World) =>
    void t.match(await sandbox.run('ip', 'link', 'show', 'eth0'), /eth0@inner/),
}

const CARD = 'ip link add eth0 address 02:00:00:00:00:0a'
const ADDRESSES = `ip link set eth0 up; ip addr add 10.1.0.100/24 dev eth0
  ip addr add fd00:1::64/64 dev eth0 nodad`
