import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { DeviceRecords } from '../../src/net/device-records.ts'
import type { Link } from '../../src/netlink/route/link.ts'
import { temporary } from '../harness/temporary.ts'

const card = { name: 'card' } as Link
const veth = { name: 'card', linkInfo: { kind: 'veth' } } as Link
const MARK = 'tnet+storage+c1+eth0'

t.test('what is on record of a device', async t => {
  using folder = temporary()
  const records = new DeviceRecords(folder.path)
  t.strictSame(records.marks(), [], 'where there is no folder yet')
  t.equal(records.tells(MARK, card), undefined)
  records.remove(MARK)
  records.write(MARK, card)
  t.equal(records.tells(MARK, card), true)
  t.equal(records.tells(MARK, veth), false, 'a link of another kind is another one')
  records.write(MARK, veth)
  t.equal(records.tells(MARK, veth), true, 'the last one counts')
  t.strictSame(records.marks(), [MARK])
  records.remove(MARK)
  t.notOk(records.has(MARK))
})

t.test('what somebody else put there', async t => {
  using folder = temporary()
  const records = new DeviceRecords(folder.path)
  records.write(MARK, card)
  writeFileSync(join(folder.path, 'devices/file'), 'device tnet+storage+c2+eth0\n')
  t.throws(() => records.marks(), { code: 'EINVAL' })
})
