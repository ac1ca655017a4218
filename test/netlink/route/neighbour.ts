import t from 'tap'
import { AF_INET, AF_INET6 } from '../../../src/netlink/route/family.ts'
import { deleteNeighbour, getNeighbour, newNeighbour } from '../../../src/netlink/route/neighbour.ts'
import { goldenReply, goldenRequest, survivesDamage, vectors } from '../../harness/golden.ts'
import { isolated } from '../../harness/namespaces.ts'
import { addPair, NEW, scene } from '../../harness/netlink.ts'

isolated(import.meta)

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
const none = new Set<never>()
const permanent = new Set(['permanent'] as const)
const header = { family: AF_INET, index: 10, state: permanent, flags: none, type: 0 } as const
const mac = '02:00:00:00:00:99'

t.test('requests of ip', t => {
  goldenRequest(t, vector('neighbour-4'), {
    type: newNeighbour,
    flags: 0x605,
    value: { ...header, destination: '10.1.2.9', linkAddress: mac },
  })
  goldenRequest(t, vector('neighbour-6'), {
    type: newNeighbour,
    flags: 0x505,
    value: {
      ...header,
      family: AF_INET6,
      state: new Set(['reachable'] as const),
      flags: new Set(['ext_learned', 'router'] as const),
      destination: 'fd00::9',
      linkAddress: mac,
    },
  })
  goldenRequest(t, vector('neighbour-proxy'), {
    type: newNeighbour,
    flags: 0x605,
    value: { ...header, flags: new Set(['proxy'] as const), destination: '10.1.2.9' },
  })
  goldenRequest(t, vector('neighbour-delete'), {
    type: deleteNeighbour,
    flags: 0x5,
    value: { ...header, destination: '10.1.2.9' },
  })
  t.end()
})

t.test('answers of the kernel', t => {
  const all = goldenReply(t, vector('neighbours-reply'), newNeighbour)
  const find = (destination: string) => all.find(each => each.destination === destination)
  t.match(find('10.1.2.9'), { linkAddress: mac, state: permanent, index: 10, type: 1 })
  t.match(find('fd00::9'), { linkAddress: mac, state: new Set(['stale']), flags: new Set(['router']) })
  t.end()
})

t.test('damaged bytes', t => {
  survivesDamage(vectors(import.meta.dirname, 'neighbours-reply', 'neighbour-6', 'fdb-reply'), newNeighbour)
  t.end()
})

t.test('neighbours of a real link', async t => {
  const { socket } = await scene(t)
  const index = await addPair(socket)
  const four = { family: AF_INET, index, destination: '10.1.2.9' }
  await socket.request(newNeighbour, { ...four, state: permanent, linkAddress: mac }, NEW)
  await t.rejects(socket.request(newNeighbour, { ...four, state: permanent, linkAddress: mac }, NEW), {
    code: 'EEXIST',
  })
  const [found] = await socket.dump(getNeighbour, { family: AF_INET, interface: index }, newNeighbour)
  t.match(found, { ...four, linkAddress: mac, state: permanent })
  t.match(await socket.get(getNeighbour, four, newNeighbour), { linkAddress: mac })
  await t.rejects(
    socket.dump(getNeighbour, { family: AF_INET, index }, newNeighbour),
    {
      code: 'EINVAL',
      kernelMessage: 'Invalid values in header for neighbor dump request',
    },
    'the end of a dump says why',
  )
  await socket.request(deleteNeighbour, four)
  t.same(await socket.dump(getNeighbour, { family: AF_INET, interface: index }, newNeighbour), [])
})
