import t from 'tap'
import { batch } from '../../../src/netlink/netfilter/batch.ts'
import { encodeKey } from '../../../src/netlink/netfilter/data-type.ts'
import { findElements } from '../../../src/netlink/netfilter/element-lookup.ts'
import { element, newElement, ranges } from '../../../src/netlink/netfilter/element.ts'
import { newSet, setRequest } from '../../../src/netlink/netfilter/set.ts'
import { newTable } from '../../../src/netlink/netfilter/table.ts'
import { NETLINK_NETFILTER, request } from '../../../src/netlink/socket.ts'
import { NLM_F_CREATE } from '../../../src/wire/message.ts'
import { isolated } from '../../harness/namespaces.ts'
import { scene } from '../../harness/netlink.ts'

isolated(import.meta)

const place = { family: 'inet', table: 't', set: 's' } as const
const pair = (...addresses: [string, string]): Uint8Array => encodeKey(['ipv4_addr', 'ipv4_addr'], addresses)
const at = (set: string, key: Uint8Array) => ({ ...place, set, elements: [element(key)] })

t.test('elements that are there and those that are not', async t => {
  const { socket } = await scene(t, NETLINK_NETFILTER)
  const nothing = await findElements(socket, [at('s', encodeKey(['ipv4_addr'], ['10.0.0.1']))])
  t.same(nothing.elements, [undefined], 'no such table')
  await batch(socket, [
    request(newTable, { family: 'inet', name: 't' }, NLM_F_CREATE),
    request(newSet, setRequest({ ...place, name: 's', key: ['ipv4_addr'], id: 1 }), NLM_F_CREATE),
    request(
      newSet,
      setRequest({ ...place, name: 'r', key: ['ipv4_addr', 'ipv4_addr'], flags: ['interval'], id: 2 }),
      NLM_F_CREATE,
    ),
    request(
      newElement,
      { ...place, elements: [element(encodeKey(['ipv4_addr'], ['10.0.0.1']), { comment: 'ours' })] },
      NLM_F_CREATE,
    ),
    request(
      newElement,
      {
        ...place,
        set: 'r',
        elements: [ranges(pair('10.1.2.3', '10.1.2.0'), pair('10.1.2.3', '10.1.2.255'))],
      },
      NLM_F_CREATE,
    ),
  ])
  const { generation, elements } = await findElements(socket, [
    at('s', encodeKey(['ipv4_addr'], ['10.0.0.1'])),
    at('s', encodeKey(['ipv4_addr'], ['10.0.0.2'])),
    at('r', pair('10.1.2.3', '10.1.2.77')),
    at('elsewhere', pair('10.1.2.3', '10.1.2.77')),
  ])
  t.not(generation, nothing.generation)
  t.match(elements[0], { userData: { comment: 'ours' } })
  t.equal(elements[1], undefined)
  t.match(elements[2], {
    key: { value: pair('10.1.2.3', '10.1.2.0') },
    keyEnd: { value: pair('10.1.2.3', '10.1.2.255') },
  })
  t.equal(elements[3], undefined)
})

t.test('more than the buffer of the socket holds', async t => {
  const { socket } = await scene(t, NETLINK_NETFILTER)
  const key = encodeKey(['ipv4_addr'], ['10.0.0.1'])
  const { elements } = await findElements(
    socket,
    Array.from({ length: 1000 }, () => at('s', key)),
  )
  t.equal(elements.length, 1000)
})

t.test('another refusal is an error', async t => {
  const { socket } = await scene(t, NETLINK_NETFILTER)
  await batch(socket, [
    request(newTable, { family: 'inet', name: 't' }, NLM_F_CREATE),
    request(newSet, setRequest({ ...place, name: 's', key: ['ipv4_addr'], id: 1 }), NLM_F_CREATE),
  ])
  await t.rejects(findElements(socket, [at('s', Uint8Array.of(1, 2))]), { code: 'EINVAL' })
})
