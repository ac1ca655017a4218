import t from 'tap'
import { editDistance, nearest } from '../src/misspelled.ts'

const KEYS = [
  'name',
  'type',
  'mtu',
  'vlan',
  'vlanTrunk',
  'isGateway',
  'isDefaultGateway',
  'bridge',
  'hairpinMode',
  'dns',
]

t.test('slips', async t => {
  for (const [word, meant] of [
    ['isGatway', 'isGateway'],
    ['isgateWya', 'isGateway'],
    ['brigde', 'bridge'],
    ['bridges', 'bridge'],
    ['nmae', 'name'],
    ['hairpinmode_', 'hairpinMode'],
    ['mtus', 'mtu'],
    ['MUT', 'mtu'],
    ['vlanTrunks', 'vlanTrunk'],
  ] as const) {
    t.equal(nearest(word, KEYS), meant, word)
  }
})

t.test('other words', async t => {
  for (const word of ['', 'x', 'capabilities', 'subnet', 'vx', 'qs', 'plugins', 'a'.repeat(10_000)]) {
    t.equal(nearest(word, KEYS), undefined, word.slice(0, 20))
  }
})

t.test('distances', async t => {
  t.equal(editDistance('abc', 'abc', 2), 0)
  t.equal(editDistance('abc', 'acb', 2), 1)
  t.equal(editDistance('abc', 'abcd', 2), 1)
  t.equal(editDistance('abc', 'xbz', 2), 2)
  t.equal(editDistance('abc', 'xyz', 2), undefined)
  t.equal(editDistance('', 'ab', 2), 2)
  t.equal(editDistance('ab', '', 1), undefined)
})
