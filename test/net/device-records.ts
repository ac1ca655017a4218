import { readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { DeviceRecords } from '../../src/net/device-records.ts'
import type { Link } from '../../src/netlink/route/link.ts'
import { temporary } from '../harness/temporary.ts'

const was = { address: '02:00:00:00:00:01', mtu: 9000, txQueueLength: 1000, flags: new Set(['promisc']) }
const card = { name: 'card', ...was } as unknown as Link
const veth = { ...card, linkInfo: { kind: 'veth' } } as Link
const port = { ...card, master: 7 }
const MARK = 'tnet+storage+c1+eth0'

t.test('what is on record of a device', async t => {
  using folder = temporary()
  const records = new DeviceRecords(folder.path)
  t.strictSame(records.marks(), [], 'where there is no folder yet')
  t.equal(records.get(MARK)?.isOf(card), undefined)
  records.remove(MARK)
  records.write(MARK, card)
  t.equal(records.get(MARK)?.isOf(card), true)
  t.equal(records.get(MARK)?.isOf(veth), false, 'a link of another kind is another one')
  t.strictSame(records.get(MARK)?.settings, {
    mac: '02:00:00:00:00:01',
    promisc: true,
    mtu: 9000,
    allmulti: false,
    txQLen: 1000,
  })
  records.write(MARK, port)
  t.strictSame(records.get(MARK)?.settings, {}, 'what it has from its bridge it is not to keep')
  records.write(MARK, veth)
  t.equal(records.get(MARK)?.isOf(veth), true, 'the last one counts')
  t.strictSame(records.marks(), [MARK])
  records.remove(MARK)
  t.equal(records.get(MARK), undefined)
})

t.test('another card of the same kind', async t => {
  using folder = temporary()
  const records = new DeviceRecords(folder.path)
  const own = { ...card, permanentAddress: '02:00:00:00:00:01' }
  records.write(MARK, own)
  t.equal(records.get(MARK)?.isOf(own), true)
  t.equal(records.get(MARK)?.isOf({ ...own, permanentAddress: '02:00:00:00:00:02' }), false)
  t.equal(records.get(MARK)?.isOf(card), false)
  t.ok(records.get(MARK)?.isCard)
  records.write(MARK, veth)
  t.notOk(records.get(MARK)?.isCard)
})

t.test('a record of an earlier version', async t => {
  using folder = temporary()
  const records = new DeviceRecords(folder.path)
  records.write(MARK, card)
  const [name = ''] = readdirSync(join(folder.path, 'devices'))
  rmSync(join(folder.path, 'devices', name))
  symlinkSync(`device ${MARK}`, join(folder.path, 'devices', name))
  t.equal(records.get(MARK)?.isOf({ ...card, permanentAddress: '02:00:00:00:00:02' }), true)
  t.strictSame(records.get(MARK)?.settings, {})
})

t.test('what somebody else put there', async t => {
  using folder = temporary()
  const records = new DeviceRecords(folder.path)
  records.write(MARK, card)
  writeFileSync(join(folder.path, 'devices/file'), 'device tnet+storage+c2+eth0\n')
  t.throws(() => records.marks(), { code: 'EINVAL' })
})
