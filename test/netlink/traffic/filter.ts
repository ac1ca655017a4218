import t from 'tap'
import { deleteFilter, ETH_P_ALL, getFilter, newFilter } from '../../../src/netlink/traffic/filter.ts'
import {
  handle,
  TC_H_CLSACT_EGRESS,
  TC_H_CLSACT_INGRESS,
  TC_H_INGRESS,
} from '../../../src/netlink/traffic/header.ts'
import { newQdisc } from '../../../src/netlink/traffic/qdisc.ts'
import { goldenRequest, survivesDamage, vectors } from '../../harness/golden.ts'
import { isolated } from '../../harness/namespaces.ts'
import { addPair, linkOf, NEW, scene } from '../../harness/netlink.ts'
import { readVector } from '../../harness/vectors.ts'
import { readMessages } from '../../../src/wire/message.ts'

isolated(import.meta)

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
const header = { family: 0, index: 10, handle: 0, parent: TC_H_CLSACT_INGRESS, protocol: ETH_P_ALL } as const
const zero = { index: 0, capabilities: 0, references: 0, bindings: 0 }
const selector = {
  flags: new Set(['terminal'] as const),
  offsetShift: 0,
  offsetMask: 0,
  offset: 0,
  offsetOffset: 0,
  hashOffset: 0,
  hashMask: 0,
}
const everything = { mask: 0, value: 0, offset: 0, offsetMask: 0 }
const mark = new TextEncoder().encode('tnet')

t.test('requests of tc', t => {
  const type = newFilter
  goldenRequest(t, vector('filter-u32'), {
    type,
    flags: 0x605,
    value: {
      ...header,
      priority: 7,
      kind: 'u32',
      options: {
        actions: [
          {
            kind: 'mirred',
            options: { parameters: { ...zero, action: 'stolen', direction: 'egress_redirect', link: 12 } },
            cookie: mark,
          },
        ],
        selector: { ...selector, keys: [everything] },
      },
    },
  })
  goldenRequest(t, vector('filter-u32-keys'), {
    type,
    flags: 0x605,
    value: {
      ...header,
      parent: TC_H_CLSACT_EGRESS,
      protocol: 0x800,
      priority: 8,
      kind: 'u32',
      options: {
        class: handle(1, 1),
        selector: {
          ...selector,
          keys: [
            { mask: 0xff000000, value: 0x0a000000, offset: 12, offsetMask: 0 },
            { mask: 0xffff, value: 80, offset: 20, offsetMask: 0 },
          ],
        },
      },
    },
  })
  goldenRequest(t, vector('filter-matchall'), {
    type,
    flags: 0x605,
    value: {
      ...header,
      priority: 9,
      kind: 'matchall',
      options: {
        actions: [
          {
            kind: 'mirred',
            options: { parameters: { ...zero, action: 'pipe', direction: 'ingress_mirror', link: 12 } },
          },
        ],
      },
    },
  })
  goldenRequest(t, vector('filter-delete'), {
    type: deleteFilter,
    flags: 0x5,
    value: { ...header, priority: 7 },
  })
  t.end()
})

t.test('answers of the kernel', t => {
  // The kernel leaves out the flag of a nest that tc sets: these bytes are not made again.
  const [priority, table, filter] = readVector(vector('filters-reply'))
    .datagrams.flatMap(datagram => [...readMessages(datagram)])
    .filter(({ type }) => type === newFilter.type)
    .map(({ payload }) => newFilter.decode(payload))
  t.match(priority, { kind: 'u32', priority: 7, chain: 0 })
  t.match(table?.options, { divisor: 1 })
  t.match(filter?.options, {
    flags: new Set(['not_in_hw']),
    selector: { keys: [everything] },
    actions: [
      { kind: 'mirred', cookie: mark, options: { parameters: { direction: 'egress_redirect', link: 12 } } },
    ],
  })
  t.end()
})

t.test('damaged bytes', t => {
  const files = ['filters-reply', 'filter-u32', 'filter-u32-keys', 'filter-matchall']
  survivesDamage(vectors(import.meta.dirname, ...files), newFilter)
  t.end()
})

t.test('filters of a real link', async t => {
  const { socket } = await scene(t)
  const index = await addPair(socket)
  const link = (await linkOf(socket, 'vb')).index
  const place = { index, parent: TC_H_CLSACT_INGRESS, protocol: ETH_P_ALL, priority: 7 }
  const parameters = { action: 'stolen', direction: 'egress_redirect', link } as never
  const filter = {
    ...place,
    kind: 'u32',
    options: {
      selector: { flags: new Set(['terminal'] as const), keys: [everything] },
      actions: [{ kind: 'mirred', options: { parameters }, cookie: mark }],
    },
  }
  await t.rejects(socket.request(newFilter, filter, NEW), { code: 'EINVAL' })
  await socket.request(newQdisc, { index, handle: handle(0xffff), parent: TC_H_INGRESS, kind: 'clsact' }, NEW)
  await socket.request(newFilter, filter, NEW)
  const found = () => socket.dump(getFilter, { index, parent: TC_H_CLSACT_INGRESS }, newFilter)
  t.match((await found()).at(-1)?.options, {
    actions: [{ cookie: mark, options: { parameters: { link } } }],
  })
  await socket.request(deleteFilter, place)
  t.same(await found(), [])
  await t.rejects(socket.request(deleteFilter, place), { code: 'ENOENT' })
})
