import t from 'tap'
import { addressOf } from '../../src/net/ip.ts'
import { spokenAddress } from '../../src/net/spoken-address.ts'

t.test('reads what other programs print', async t => {
  for (const [spoken, exact] of [
    ['10.0.0.1', '10.0.0.1'],
    ['fd00::a', 'fd00::a'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::ffff:a00:1', '10.0.0.1'],
    ['fe80::1%eth0', 'fe80::1'],
  ] as const) {
    t.ok(addressOf(exact))
    t.same(spokenAddress(spoken), addressOf(exact), spoken)
  }
})

t.test('leaves names alone', async t => {
  for (const name of ['10', '10.1', '0x0a000001', 'deadbeef', '02:42:ac:11:00:02', 'c1.eth0', '']) {
    t.equal(spokenAddress(name), undefined, name)
  }
})
