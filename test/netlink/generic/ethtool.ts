import t from 'tap'
import { NETLINK_GENERIC } from '../../../src/netlink/descriptor.ts'
import { familyOf } from '../../../src/netlink/generic/controller.ts'
import { ETHTOOL, ethtoolMessages } from '../../../src/netlink/generic/ethtool.ts'
import { NetlinkSocket } from '../../../src/netlink/socket.ts'
import { goldenReply, goldenRequest, survivesDamage, vectors } from '../../harness/golden.ts'
import { isolated } from '../../harness/namespaces.ts'
import { addPair, scene } from '../../harness/netlink.ts'

isolated(import.meta)

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
/** What the kernel of the vectors called the family. */
const { getFeatures, setFeatures, getFeaturesReply, setFeaturesReply } = ethtoolMessages(21)
const COMPACT = { name: 'va', flags: new Set(['compactBitsets'] as const) }
/** 32 bits in a number, the lowest first. */
const words = (...numbers: number[]) => new Uint8Array(Uint32Array.from(numbers).buffer)
/** ethtool leaves in its padding what was there. */
const PADDED = [[3, 3, 1, 0]]

t.test('requests of ethtool', t => {
  goldenRequest(t, vector('features-get'), {
    type: getFeatures,
    flags: 0x5,
    value: { command: 11, version: 1, header: COMPACT },
  })
  goldenRequest(t, vector('features-set'), {
    type: setFeatures,
    flags: 0x5,
    value: {
      command: 12,
      version: 1,
      header: COMPACT,
      wanted: { bits: [{ name: 'tx-tcp-segmentation' }, { name: 'tx-udp-segmentation', value: true }] },
    },
  })
  const off = [
    'rx-checksum',
    'tx-checksum-ipv4',
    'tx-checksum-ip-generic',
    'tx-checksum-ipv6',
    'tx-checksum-fcoe-crc',
    'tx-checksum-sctp',
    'tx-scatter-gather',
    'tx-scatter-gather-fraglist',
    'tx-tcp-segmentation',
    'tx-tcp-ecn-segmentation',
    'tx-tcp-mangleid-segmentation',
    'tx-tcp6-segmentation',
    'tx-tcp-accecn-segmentation',
    'tx-generic-segmentation',
    'rx-gro',
    'rx-lro',
    'rx-vlan-hw-parse',
    'tx-vlan-hw-insert',
    'rx-ntuple-filter',
    'rx-hashing',
  ]
  goldenRequest(t, vector('features-set-short'), {
    type: setFeatures,
    flags: 0x5,
    unterminated: PADDED,
    value: { command: 12, version: 1, header: COMPACT, wanted: { bits: off.map(name => ({ name })) } },
  })
  t.end()
})

t.test('answers of the kernel', t => {
  const device = { index: 10, name: 'va' }
  const [compact] = goldenReply(t, vector('features-reply'), getFeaturesReply)
  t.match(compact, { header: device, hardware: { size: 64, mask: words(0xffff_ffff, 0xffff_ffff) } })
  t.match(compact, { wanted: { isList: true, value: { length: 8 } }, active: { isList: true } })

  const [inWords] = goldenReply(t, vector('features-words-reply'), getFeaturesReply)
  t.match(inWords?.header, device)
  t.equal(inWords?.hardware?.bits?.length, 64)
  t.match(inWords?.hardware?.bits?.slice(0, 3), [
    { index: 0, name: 'tx-scatter-gather', value: true },
    { index: 1, name: 'tx-checksum-ipv4', value: undefined },
    { index: 2, name: '', value: undefined },
  ])
  t.match(inWords?.fixed, { isList: true, bits: [{ name: 'vlan-challenged' }] })
  t.notOk(inWords?.active?.bits?.some(({ name }) => name === 'rx-gro'))
  t.equal(inWords?.unknown, undefined, 'every attribute has a row')

  const [changed] = goldenReply(t, vector('features-set-reply'), setFeaturesReply)
  t.match(changed?.wanted, { value: words(0b10, 0), mask: words(0b10, 0) }, 'tx-checksum-ipv4 is not on')
  t.match(changed?.active?.value, words(0, 0), 'what has changed is off')
  t.end()
})

t.test('damaged bytes', t => {
  survivesDamage(vectors(import.meta.dirname, 'features-words-reply', 'features-reply'), getFeaturesReply)
  survivesDamage(vectors(import.meta.dirname, 'features-set', 'features-set-short'), setFeatures)
  t.end()
})

t.test('features of a real link', async t => {
  const { socket: route, fd, netns } = await scene(t)
  const index = await addPair(route)
  using socket = new NetlinkSocket(NETLINK_GENERIC, { netns: fd })
  const messages = ethtoolMessages((await familyOf(socket, ETHTOOL)).id)
  const set = (...bits: { name: string; value?: true }[]) =>
    socket.get(messages.setFeatures, { header: { index }, wanted: { bits } }, messages.setFeaturesReply)
  const changed = await set({ name: 'tx-tcp6-segmentation' }, { name: 'tx-checksum-ipv4', value: true })
  t.match(changed.header, { index, name: 'va' })
  t.match(changed.wanted?.bits, [{ name: 'tx-checksum-ipv4', value: true }], 'the device cannot')
  t.strictSame(
    changed.active?.bits?.map(({ name, value }) => [name, value]),
    [['tx-tcp6-segmentation', undefined]],
  )
  const shown = await netns.run('ethtool', '-k', 'va')
  t.match(shown, /^\ttx-tcp6-segmentation: off$/m)
  t.match(shown, /^\ttx-tcp-segmentation: on$/m)

  await t.rejects(set({ name: 'tx-gso-list' }, { name: 'nothing', value: true }), {
    code: 'EOPNOTSUPP',
    kernelMessage: 'bit name not found',
    attribute: 'wanted.bits.item.name',
  })
  t.match(
    await netns.run('ethtool', '-k', 'va'),
    /^tx-gso-list: on$/m,
    'nothing of a refused request is done',
  )
  await t.rejects(set({ name: 'vlan-challenged', value: true }), { code: 'EINVAL' })
  const none = socket.get(messages.getFeatures, { header: { name: 'none' } }, messages.getFeaturesReply)
  await t.rejects(none, { code: 'ENODEV', attribute: 'header.name' })
})
