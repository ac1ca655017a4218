import t from 'tap'
import { problemsOf, type Circumstances } from '../../src/engine/veth-problems.ts'
import type { DroppingChain } from '../../src/net/dropping-chains.ts'
import type { Link } from '../../src/netlink/route/link.ts'
import type { VethEnd, VethPair } from '../../src/net/veths.ts'

const UP = new Set(['up'] as const)
const none = new Set<never>()

interface Facts {
  readonly name?: string
  readonly up?: boolean
  readonly mtu?: number
  readonly bridge?: { readonly up?: boolean; readonly mtu?: number }
  readonly state?: number
}

function end({ name = 'veth0', up = true, mtu = 1500, bridge, state = 3 }: Facts = {}): VethEnd {
  const port = bridge === undefined ? {} : { portKind: 'bridge', portData: { state } }
  const link = { name, index: 2, mtu, flags: up ? UP : none, linkInfo: { kind: 'veth', ...port } }
  const master = bridge && {
    name: 'br0',
    mtu: bridge.mtu ?? 1500,
    flags: (bridge.up ?? true) ? UP : none,
    linkInfo: { kind: 'bridge' },
  }
  const namespace = { id: '4:1', inode: 1, path: '/proc/self/ns/net', mounts: [], pids: [], own: true }
  return {
    namespace,
    link: link as unknown as Link,
    addresses: [],
    master: master as unknown as Link | undefined,
    masterAddresses: [],
  }
}

const owner = { network: 'tnet:front', containerId: 'web', ifname: 'eth0' }
const calm: Circumstances = { bridged: false, recorded: undefined, unseen: undefined, drops: [] }
const kinds = (pair: VethPair, around: Partial<Circumstances> = {}, by: typeof owner | null = owner) =>
  problemsOf(pair, by ?? undefined, { ...calm, ...around }).map(({ kind }) => kind)

t.test('a healthy pair', async t => {
  t.strictSame(kinds({ end: end(), other: end() }), [])
  t.strictSame(kinds({ end: end({ bridge: {} }), other: end() }, { bridged: true, recorded: true }), [])
  t.strictSame(kinds({ end: end(), other: end() }, {}, null), [])
})

t.test('what is wrong with one', async t => {
  t.strictSame(kinds({ end: end(), other: undefined }), ['orphan'])
  t.strictSame(kinds({ end: end(), other: undefined }, { unseen: 'not permitted' }), ['unknown'])
  t.strictSame(kinds({ end: end(), other: end() }, { recorded: false }), ['orphan'])
  t.strictSame(kinds({ end: end(), other: end() }, { recorded: false }, null), [])
  t.strictSame(kinds({ end: end(), other: end({ up: false }) }), ['down'])
  t.strictSame(kinds({ end: end({ up: false }), other: end({ up: false }) }), ['down'])
  t.strictSame(kinds({ end: end({ bridge: { up: false } }), other: end() }), ['down'])
  t.strictSame(kinds({ end: end({ mtu: 9000 }), other: end() }), ['mtu'])
  t.strictSame(kinds({ end: end({ bridge: { mtu: 9000 } }), other: end() }), ['mtu'])
  t.strictSame(kinds({ end: end({ mtu: 9000, bridge: {} }), other: end({ mtu: 9000 }) }), [])
  t.strictSame(kinds({ end: end(), other: end() }, { bridged: true }), ['not-enslaved'])
  t.strictSame(kinds({ end: end(), other: end({ bridge: {} }) }, { bridged: true }), [])
  t.strictSame(kinds({ end: end({ bridge: {}, state: 4 }), other: end() }), ['not-forwarding'])
})

t.test(
  'chains of others that drop concern who the host routes for, and no one that they speak of',
  async t => {
    const chain = (families: (4 | 6)[], speaks: boolean): DroppingChain => ({
      name: 'ip filter FORWARD',
      families,
      speaksOf: (link, addresses) => speaks && link === 'br0' && addresses.join() === '10.1.0.2,fd00::2',
    })
    const port = { ...end({ bridge: {} }), masterAddresses: ['10.1.0.1/24'] }
    const inside = { ...end(), addresses: ['10.1.0.2/24', 'fd00::2/64', 'fe80::2/64'] }
    const pair = { end: port, other: inside }
    const drops = [chain([4], false)]
    t.strictSame(kinds(pair, { drops }), ['foreign-drop'])
    t.strictSame(kinds(pair, { drops: [chain([6], false), chain([4, 6], true)] }), ['foreign-drop'])
    t.strictSame(kinds(pair, { drops: [chain([4], true)] }), [])
    t.strictSame(kinds(pair, { drops }, null), [], 'of another program')
    t.strictSame(kinds({ ...pair, end: { ...port, masterAddresses: ['fe80::1/64'] } }, { drops }), [])
    const ipv6 = { ...inside, addresses: ['fd00::2/64'] }
    t.strictSame(kinds({ ...pair, other: ipv6 }, { drops }), [], 'of another family')
    const pointToPoint = { end: { ...end(), addresses: ['10.1.0.1/32'] }, other: inside }
    t.strictSame(kinds(pointToPoint, { drops }), ['foreign-drop'])
  },
)

t.test('a port without carrier does not forward: the cause is told, not that', async t => {
  t.strictSame(kinds({ end: end({ bridge: {}, state: 0 }), other: end({ up: false }) }), ['down'])
  t.strictSame(kinds({ end: end({ bridge: { up: false }, state: 0 }), other: end() }), ['down'])
})

t.test('each cause is one line with the names in it', async t => {
  const broken = {
    end: end({ name: 'vetha', mtu: 1400, bridge: {}, state: 4 }),
    other: end({ name: 'eth0', up: false }),
  }
  for (const { cause } of problemsOf(broken, owner, { ...calm, recorded: false })) {
    t.match(cause, /vetha|eth0/)
    t.notMatch(cause, '\n')
  }
})
