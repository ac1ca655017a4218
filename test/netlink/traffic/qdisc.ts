import t from 'tap'
import { handle, TC_H_INGRESS, TC_H_ROOT } from '../../../src/netlink/traffic/header.ts'
import { deleteQdisc, getQdisc, newQdisc } from '../../../src/netlink/traffic/qdisc.ts'
import { goldenReply, goldenRequest, survivesDamage, vectors } from '../../harness/golden.ts'
import { isolated } from '../../harness/namespaces.ts'
import { addPair, NEW, scene } from '../../harness/netlink.ts'
import { readMessages } from '../../../src/wire/message.ts'
import { readVector } from '../../harness/vectors.ts'

isolated(import.meta)

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
const header = { family: 0, index: 10, handle: 0, parent: TC_H_ROOT, info: 0 }
const none = { cellLog: 0, linkLayer: 'unaware', overhead: 0, cellAlign: 0, mpu: 0, rate: 0 } as const
const ethernet = { ...none, linkLayer: 'ethernet', cellAlign: 0xffff } as const

/** Which the tool computes, and the kernel has no use for. */
function tablesOf(name: string) {
  const [message] = readVector(vector(name)).datagrams.flatMap(datagram => [...readMessages(datagram)])
  if (message === undefined) throw new Error(`${name} has no message`)
  const { options } = newQdisc.decode(message.payload)
  return (options ?? {}) as { rateTable?: Uint8Array; peakRateTable?: Uint8Array }
}

t.test('requests of tc', t => {
  const type = newQdisc
  goldenRequest(t, vector('qdisc-tbf'), {
    type,
    flags: 0x505,
    value: {
      ...header,
      handle: handle(1),
      kind: 'tbf',
      options: {
        parameters: {
          rate: { ...ethernet, cellLog: 3, rate: 1_250_000 },
          peakRate: none,
          limit: 64_018,
          buffer: 409_593,
          mtu: 0,
        },
        burst: 32_768,
        rateTable: tablesOf('qdisc-tbf').rateTable,
      },
    },
  })
  goldenRequest(t, vector('qdisc-tbf-64'), {
    type,
    flags: 0x605,
    value: {
      ...header,
      kind: 'tbf',
      options: {
        parameters: {
          rate: { ...ethernet, cellLog: 6, rate: 0xffff_ffff },
          peakRate: { ...ethernet, cellLog: 6, rate: 0xffff_ffff },
          limit: 2_097_152,
          buffer: 3_812,
          mtu: 31,
        },
        burst: 1_048_576,
        rate64: 12_500_000_000n,
        rateTable: tablesOf('qdisc-tbf-64').rateTable,
        peakRate64: 25_000_000_000n,
        peakBurst: 9_000,
        peakRateTable: tablesOf('qdisc-tbf-64').peakRateTable,
      },
    },
  })
  const ingress = { ...header, handle: handle(0xffff), parent: TC_H_INGRESS }
  goldenRequest(t, vector('qdisc-ingress'), { type, flags: 0x605, value: { ...ingress, kind: 'ingress' } })
  goldenRequest(t, vector('qdisc-clsact'), { type, flags: 0x605, value: { ...ingress, kind: 'clsact' } })
  goldenRequest(t, vector('qdisc-delete'), {
    type: deleteQdisc,
    flags: 0x5,
    value: { ...ingress, kind: 'clsact' },
  })
  t.end()
})

t.test('answers of the kernel', t => {
  const all = goldenReply(t, vector('qdiscs-reply'), newQdisc)
  t.match(
    all.map(({ index, kind }) => [index, kind]),
    [
      [11, 'noqueue'],
      [10, 'tbf'],
      [10, 'clsact'],
      [12, 'tbf'],
    ],
  )
  t.match(all[1], {
    handle: handle(1),
    parent: TC_H_ROOT,
    options: { parameters: { rate: { rate: 1_250_000 }, limit: 64_018, buffer: 409_600 } },
  })
  t.match(all[3]?.options, { rate64: 12_500_000_000n, parameters: { rate: { rate: 0xffff_ffff } } })
  t.end()
})

t.test('damaged bytes', t => {
  survivesDamage(vectors(import.meta.dirname, 'qdiscs-reply', 'qdisc-tbf-64'), newQdisc)
  t.end()
})

t.test('qdiscs of a real link', async t => {
  const { socket } = await scene(t)
  const index = await addPair(socket)
  const place = { index, handle: handle(1), parent: TC_H_ROOT }
  const parameters = { rate: { linkLayer: 'ethernet', rate: 125_000 }, limit: 20_000 } as never
  await socket.request(newQdisc, { ...place, kind: 'tbf', options: { parameters, burst: 10_000 } }, NEW)
  const found = async () =>
    (await socket.dump(getQdisc, { index }, newQdisc)).filter(each => each.index === index)
  t.match(await found(), [{ kind: 'tbf', handle: handle(1), options: { parameters: { limit: 20_000 } } }])
  await t.rejects(socket.request(newQdisc, { ...place, kind: 'nothing' }, NEW), { code: 'EEXIST' })
  await socket.request(deleteQdisc, place)
  t.match(await found(), [{ kind: 'noqueue', handle: 0 }])
  await t.rejects(socket.request(deleteQdisc, place), { code: 'EINVAL' })
})
