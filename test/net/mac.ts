import t from 'tap'
import { macOf, parseMac, randomMac } from '../../src/net/mac.ts'

t.test('three forms, one text', async t => {
  for (const text of ['02:42:ac:11:00:02', '02:42:AC:11:00:02', '02-42-ac-11-00-02', '0242.ac11.0002']) {
    t.equal(parseMac(text, 'mac'), '02:42:ac:11:00:02', text)
  }
})

t.test('what no link can have', async t => {
  for (const text of [
    '',
    'zz',
    '02:42:ac:11:00',
    '02:42:ac:11:00:02:03:04',
    '0242ac110002',
    '02:42-ac:11-00:02',
    '2:42:ac:11:0:2',
    ' 02:42:ac:11:00:02',
    '02:42:ac:11:00:02\n',
    '01:00:5e:00:00:01',
    'ff:ff:ff:ff:ff:ff',
    '00:00:00:00:00:00',
  ]) {
    t.equal(macOf(text), undefined, JSON.stringify(text))
    t.throws(() => parseMac(text, 'mac'), { code: 'BAD_CONFIG', message: /^mac: want/ }, JSON.stringify(text))
  }
})

t.test('random ones are fit for a link, and differ', async t => {
  const some = Array.from({ length: 100 }, randomMac)
  t.equal(new Set(some).size, 100)
  t.ok(some.every(mac => macOf(mac) === mac && (Number.parseInt(mac.slice(0, 2), 16) & 2) === 2))
})
