import t from 'tap'
import { deleteAddress, FOREVER, getAddress, newAddress } from '../../../src/netlink/route/address.ts'
import { AF_INET, AF_INET6 } from '../../../src/netlink/route/family.ts'
import { goldenReply, goldenRequest, survivesDamage, vectors } from '../../harness/golden.ts'
import { isolated } from '../../harness/namespaces.ts'
import { addPair, NEW, scene } from '../../harness/netlink.ts'

isolated(import.meta)

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
const none = new Set<never>()

t.test('requests of ip', t => {
  const header = { family: AF_INET, headerFlags: none, scope: 'universe', index: 10 } as const
  goldenRequest(t, vector('address-4'), {
    type: newAddress,
    flags: 0x605,
    value: {
      ...header,
      prefixLength: 24,
      scope: 'link',
      local: '10.1.2.3',
      label: 'va:1',
      address: '10.1.2.3',
      broadcast: '10.1.2.255',
      cacheInfo: { preferred: 8000, valid: 9000, created: 0, updated: 0 },
    },
  })
  goldenRequest(t, vector('address-peer'), {
    type: newAddress,
    flags: 0x605,
    value: { ...header, prefixLength: 32, local: '10.1.2.3', address: '10.1.2.4', routePriority: 7 },
  })
  goldenRequest(t, vector('address-6'), {
    type: newAddress,
    flags: 0x605,
    value: {
      ...header,
      family: AF_INET6,
      prefixLength: 64,
      local: 'fd00::1',
      flags: new Set(['nodad', 'noprefixroute'] as const),
      address: 'fd00::1',
    },
  })
  goldenRequest(t, vector('address-delete'), {
    type: deleteAddress,
    flags: 0x5,
    value: { ...header, prefixLength: 24, local: '10.1.2.3', address: '10.1.2.3' },
  })
  t.end()
})

t.test('answers of the kernel', t => {
  const all = goldenReply(t, vector('addresses-reply'), newAddress)
  t.match(all, [
    { address: '10.1.2.5', local: '10.1.2.4', label: 'va:1', scope: 'link', cacheInfo: { preferred: 8000 } },
    { address: '10.1.2.3', local: '10.1.2.3', broadcast: '10.1.2.255', label: 'va', prefixLength: 24 },
    { address: 'fd00::1', flags: new Set(['nodad', 'permanent']), cacheInfo: { valid: FOREVER } },
    { scope: 'link', protocol: 'kernel_ll' },
  ])
  t.end()
})

t.test('damaged bytes', t => {
  survivesDamage(vectors(import.meta.dirname, 'addresses-reply', 'address-4'), newAddress)
  t.end()
})

t.test('addresses of a real link', async t => {
  const { socket } = await scene(t)
  const index = await addPair(socket)
  const four = { family: AF_INET, index, prefixLength: 24, local: '10.1.2.3', address: '10.1.2.3' }
  const flags = new Set(['noprefixroute'] as const)
  await socket.request(newAddress, { ...four, broadcast: '10.1.2.255', label: 'va:7', flags }, NEW)
  const six = { family: AF_INET6, index, prefixLength: 64, address: 'fd00::1' }
  const cacheInfo = { preferred: 100, valid: 200 }
  await socket.request(newAddress, { ...six, flags: new Set(['nodad'] as const), cacheInfo }, NEW)

  const list = async () =>
    (await socket.dump(getAddress, { index }, newAddress)).filter(each => each.index === index)
  const all = await list()
  t.match(
    all.find(({ family }) => family === AF_INET),
    {
      local: '10.1.2.3',
      broadcast: '10.1.2.255',
      label: 'va:7',
      flags: new Set(['permanent', 'noprefixroute']),
    },
  )
  t.match(
    all.find(({ address }) => address === 'fd00::1'),
    { prefixLength: 64, flags: new Set(['nodad']), cacheInfo: { preferred: 100, valid: 200 } },
  )

  await t.rejects(socket.request(newAddress, four, NEW), { code: 'EEXIST', request: 'RTM_NEWADDR' })
  await socket.request(deleteAddress, four)
  await t.rejects(socket.request(deleteAddress, four), { code: 'EADDRNOTAVAIL' })
  t.notOk((await list()).some(({ family }) => family === AF_INET))
})
