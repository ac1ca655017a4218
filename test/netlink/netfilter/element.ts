import t from 'tap'
import { encodeKey } from '../../../src/netlink/netfilter/data-type.ts'
import { value, verdict } from '../../../src/netlink/netfilter/data.ts'
import {
  deleteElement,
  type Element,
  element,
  getElement,
  interval,
  newElement,
  ranges,
} from '../../../src/netlink/netfilter/element.ts'
import { request } from '../../../src/netlink/socket.ts'
import { Writer } from '../../../src/wire/bytes.ts'
import { NLM_F_CREATE, writeMessage } from '../../../src/wire/message.ts'
import { goldenBatch } from '../../harness/golden-batch.ts'
import { goldenRequest, survivesDamage, vectors } from '../../harness/golden.ts'

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
const place = { family: 'inet', table: 't', set: 's' } as const
const address = (...octets: number[]): Uint8Array => Uint8Array.from(octets)

t.test('elements of nft', t => {
  const added = (name: string, elements: readonly Element[], rest: object = {}) =>
    goldenBatch(t, vector(name), [request(newElement, { ...place, ...rest, elements }, NLM_F_CREATE)])
  added('element-comment', [element(address(10, 1, 2, 3), { comment: 'ours' })], { setId: 1 })
  const { timeout, ...brief } = element(address(10, 1, 2, 3), { timeout: 60_000n })
  added('element-timeout', [{ timeout, ...brief }], { setId: 1 })
  const subnet = [
    encodeKey(['ipv4_addr', 'ipv4_addr'], ['10.1.2.3', '10.1.2.0']),
    encodeKey(['ipv4_addr', 'ipv4_addr'], ['10.1.2.3', '10.1.2.255']),
  ] as const
  added('element-ranges', [ranges(...subnet, { comment: 'ours' })], { setId: 1 })
  added('element-names', [element(encodeKey(['ifname', 'ether_addr'], ['veth0', '02:00:00:00:00:01']))], {
    setId: 1,
  })
  const names = ['eth0', 'eth1'].map(name => encodeKey(['ifname'], [name]))
  added(
    'element-verdict',
    [
      element(names[0] as Uint8Array, { data: verdict('jump', 'c') }),
      element(names[1] as Uint8Array, { data: verdict('drop') }),
    ],
    { set: 'm', setId: 1 },
  )
  const port = encodeKey(['inet_proto', 'inet_service'], ['tcp', 80])
  const target = encodeKey(['ipv4_addr', 'inet_service'], ['10.1.2.3', 8080])
  added('element-target', [element(port, { data: value(target) })], { set: 'm', setId: 1 })
  const all = { flags: new Set(['catchall'] as const), data: verdict('drop') }
  added('element-catchall', [all], { set: 'm', setId: 1 })
  const one = { ...place, elements: [element(address(10, 1, 2, 3))] }
  goldenBatch(t, vector('element-delete'), [request(deleteElement, one)])
  t.end()
})

t.test('intervals of one type, in the style of two elements', t => {
  const end = new Set(['intervalEnd'] as const)
  // nft says in a set that it finds empty that there is nothing before the first interval
  const before: Element = { flags: end, key: { value: address(0, 0, 0, 0) } }
  const [first, last] = interval(address(10, 1, 2, 0), address(10, 1, 2, 255))
  goldenBatch(t, vector('element-interval'), [
    request(
      newElement,
      { ...place, setId: 1, elements: [before, first as Element, { flags: end, key: last?.key }] },
      NLM_F_CREATE,
    ),
  ])
  t.strictSame(last, { key: { value: address(10, 1, 3, 0) }, flags: end })
  t.same(interval(address(0, 0, 255, 255), address(0, 0xff, 0xff, 0xff))[1]?.key, {
    value: address(1, 0, 0, 0),
  })
  t.equal(interval(address(224, 0, 0, 0), address(255, 255, 255, 255)).length, 1, 'up to the last address')
  t.end()
})

t.test('the question for one element', t => {
  goldenRequest(t, vector('element-get'), {
    type: getElement,
    flags: 0x5,
    value: {
      family: 'inet',
      version: 0,
      resourceId: 0,
      set: 's',
      table: 't',
      elements: [{ key: { value: address(10, 1, 2, 3) } }],
    },
  })
  t.end()
})

t.test('a refused element is told by its place', t => {
  const elements = [element(address(1, 1, 1, 1)), element(address(2, 2, 2, 2))]
  const out = new Writer()
  writeMessage(out, newElement, { flags: 0, sequence: 1, value: { ...place, elements } })
  t.same(newElement.locate(out.written(), out.length - 2), ['elements', '2', 'key', 'value'])
  t.same(newElement.locate(out.written(), out.length), [])
  t.end()
})

t.test('damaged bytes', t => {
  const names = ['element-comment', 'element-ranges', 'element-verdict', 'element-target', 'element-catchall']
  survivesDamage(vectors(import.meta.dirname, ...names), newElement)
  t.end()
})
