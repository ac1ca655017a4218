import t from 'tap'
import { batch } from '../../../src/netlink/netfilter/batch.ts'
import { encodeKey } from '../../../src/netlink/netfilter/data-type.ts'
import { verdict } from '../../../src/netlink/netfilter/data.ts'
import { element, interval, newElement, ranges } from '../../../src/netlink/netfilter/element.ts'
import { deleteSet, newSet, setRequest, VERDICT_TYPE } from '../../../src/netlink/netfilter/set.ts'
import { newTable } from '../../../src/netlink/netfilter/table.ts'
import { NETLINK_NETFILTER, request } from '../../../src/netlink/socket.ts'
import { NLM_F_CREATE } from '../../../src/wire/message.ts'
import { goldenBatch } from '../../harness/golden-batch.ts'
import { survivesDamage, vectors } from '../../harness/golden.ts'
import { isolated } from '../../harness/namespaces.ts'
import { scene } from '../../harness/netlink.ts'

isolated(import.meta)

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
const set = { family: 'inet', table: 't', name: 's', id: 1 } as const
const map = { ...set, name: 'm' } as const
/** What nft 1.0.6 notes of each concatenation, and does not need. */
const concatenated = Uint8Array.of(0, 4, 13, 0, 0, 0, 1, 0)

t.test('sets of nft', t => {
  const same = (name: string, spec: Parameters<typeof setRequest>[0], userData = {}) => {
    const made = setRequest(spec)
    const value = { ...made, userData: { ...made.userData, ...userData } }
    goldenBatch(t, vector(name), [request(newSet, value, NLM_F_CREATE)])
  }
  same('set-address', { ...set, key: ['ipv4_addr'], comment: 'ours' })
  same('set-interval', { ...set, key: ['ipv4_addr'], flags: ['interval'] })
  same('set-timeout', { ...set, key: ['ipv6_addr'], timeout: 30_000n, size: 100 })
  same('set-concatenation', { ...set, key: ['ifname', 'ether_addr'] }, { keyTypeof: concatenated })
  same(
    'set-ranges',
    { ...set, key: ['ipv4_addr', 'ipv4_addr'], flags: ['interval'] },
    { keyTypeof: concatenated },
  )
  same('map-verdict', { ...map, key: ['ifname'], data: 'verdict' }, { dataInterval: 0 })
  same(
    'map-target',
    { ...map, key: ['inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] },
    { keyTypeof: concatenated, dataTypeof: concatenated, dataInterval: 0 },
  )
  const { id: _, ...named } = set
  goldenBatch(t, vector('set-delete'), [request(deleteSet, named)])
  t.end()
})

t.test('what a map maps to', t => {
  t.match(setRequest({ ...map, key: ['ifname'], data: 'verdict' }), { dataType: VERDICT_TYPE, dataLength: 0 })
  t.match(setRequest({ ...map, key: ['ifname'], data: ['mark'] }), { dataType: 19, dataLength: 4 })
  t.end()
})

const LISTED = `table inet t {
	set names {
		type ifname
		timeout 30s
		elements = { "eth0" timeout 1d expires 1d comment "ours" }
	}

	set subnets {
		type ipv4_addr
		flags interval
		comment "of all"
		elements = { 10.1.2.0/24, 224.0.0.0/3 }
	}

	set pairs {
		type ipv4_addr . inet_service
		flags interval
		elements = { 10.1.2.0/24 . 80-90 }
	}

	map verdicts {
		type inet_proto . inet_service : verdict
		elements = { tcp . 80 : accept }
	}

	map targets {
		type inet_service : ipv4_addr . inet_service
		elements = { 80 : 10.1.2.3 . 8080 }
	}
}
`

t.test('nft lists what it finds as if it were its own', async t => {
  const { netns, socket } = await scene(t, NETLINK_NETFILTER)
  const table = { family: 'inet', table: 't' } as const
  const bytes = (...octets: number[]) => Uint8Array.from(octets)
  const port = (protocol: string, number: number) =>
    encodeKey(['inet_proto', 'inet_service'], [protocol, number])
  const range = (address: string, number: number) =>
    encodeKey(['ipv4_addr', 'inet_service'], [address, number])
  const sets = [
    setRequest({ ...table, id: 1, name: 'names', key: ['ifname'], timeout: 30_000n }),
    setRequest({
      ...table,
      id: 2,
      name: 'subnets',
      key: ['ipv4_addr'],
      flags: ['interval'],
      comment: 'of all',
    }),
    setRequest({ ...table, id: 3, name: 'pairs', key: ['ipv4_addr', 'inet_service'], flags: ['interval'] }),
    setRequest({ ...table, id: 4, name: 'verdicts', key: ['inet_proto', 'inet_service'], data: 'verdict' }),
    setRequest({
      ...table,
      id: 5,
      name: 'targets',
      key: ['inet_service'],
      data: ['ipv4_addr', 'inet_service'],
    }),
  ]
  const elements = {
    names: [element(encodeKey(['ifname'], ['eth0']), { timeout: 86_400_000n, comment: 'ours' })],
    subnets: [
      ...interval(bytes(10, 1, 2, 0), bytes(10, 1, 2, 255)),
      ...interval(bytes(224, 0, 0, 0), bytes(255, 255, 255, 255)),
    ],
    pairs: [ranges(range('10.1.2.0', 80), range('10.1.2.255', 90))],
    verdicts: [element(port('tcp', 80), { data: verdict('accept') })],
    targets: [element(encodeKey(['inet_service'], [80]), { data: { value: range('10.1.2.3', 8080) } })],
  }
  await batch(socket, [
    request(newTable, { family: 'inet', name: 't' }, NLM_F_CREATE),
    ...sets.map(set => request(newSet, set, NLM_F_CREATE)),
    ...Object.entries(elements).map(([set, elements]) =>
      request(newElement, { ...table, set, elements }, NLM_F_CREATE),
    ),
  ])
  const listed = await netns.run('nft', 'list', 'ruleset')
  t.equal(listed.replace(/expires \S+/, 'expires 1d'), LISTED)
})

t.test('damaged bytes', t => {
  const names = ['set-address', 'set-ranges', 'set-timeout', 'map-verdict', 'map-target']
  survivesDamage(vectors(import.meta.dirname, ...names), newSet)
  t.end()
})
