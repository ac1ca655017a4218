import t from 'tap'
import { NETLINK_GENERIC } from '../../../src/netlink/descriptor.ts'
import { familyOf, getFamily, newFamily } from '../../../src/netlink/generic/controller.ts'
import { genericMessage } from '../../../src/netlink/generic/header.ts'
import { attributes } from '../../../src/wire/attributes.ts'
import { Reader, Writer } from '../../../src/wire/bytes.ts'
import { u32 } from '../../../src/wire/codec.ts'
import { goldenReply, goldenRequest, survivesDamage, vectors } from '../../harness/golden.ts'
import { isolated } from '../../harness/namespaces.ts'
import { scene } from '../../harness/netlink.ts'

isolated(import.meta)

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''

t.test('the request of ethtool', t => {
  goldenRequest(t, vector('family-get'), {
    type: getFamily,
    flags: 0x5,
    value: { command: 3, version: 1, name: 'ethtool' },
  })
  t.end()
})

t.test('the answer of the kernel', t => {
  const [family] = goldenReply(t, vector('family-reply'), newFamily)
  t.match(family, { command: 1, version: 2, id: 21, name: 'ethtool', familyVersion: 1, headerSize: 0 })
  t.strictSame(family?.groups, [{ id: 6, name: 'monitor' }])
  const change = family?.operations?.find(({ id }) => id === 12)
  t.strictSame([...(change?.flags ?? [])], ['do', 'policy', 'namespaceAdmin'])
  t.equal(family?.unknown, undefined, 'every attribute has a row')
  t.end()
})

t.test('damaged bytes', t => {
  survivesDamage(vectors(import.meta.dirname, 'family-reply'), newFamily)
  t.end()
})

t.test('families of this kernel', async t => {
  const { socket } = await scene(t, NETLINK_GENERIC)
  const controller = await familyOf(socket, 'nlctrl')
  t.match(controller, { id: 16, name: 'nlctrl' })
  t.ok((await familyOf(socket, 'ethtool')).id > 16)
  await t.rejects(familyOf(socket, 'nothing'), { code: 'ENOENT', request: 'CTRL_CMD_GETFAMILY' })
})

t.test('a message says what it is, unless its value does', t => {
  const type = genericMessage('THING_CMD_GET', { family: 30, command: 7 }, attributes({ size: [1, u32] }))
  const bytes = (value: Parameters<typeof type.encode>[1]) => {
    const out = new Writer()
    type.encode(out, value)
    return out.written()
  }
  t.equal(type.type, 30)
  t.strictSame([...bytes({})], [7, 1, 0, 0])
  t.strictSame([...bytes({ command: 8, version: 2 })], [8, 2, 0, 0])
  t.strictSame(type.decode(new Reader(bytes({ size: 5 }))), { command: 7, version: 1, size: 5 })
  t.end()
})
