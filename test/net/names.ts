import t from 'tap'
import { checkedInterface, checkedName } from '../../src/net/names.ts'

t.test('names of networks and sandboxes', async t => {
  for (const name of ['a', 'web-1', 'A.b_c', '0', '123', 'x'.repeat(128)])
    t.equal(checkedName('sandbox', name), name)
  const wrong = [
    '',
    '.',
    '..',
    '-a',
    '.a',
    'a/b',
    '../a',
    'a b',
    'a\0',
    'a\nb',
    'a\x1b[m',
    'é',
    'a\u202e',
    'x'.repeat(129),
    'x'.repeat(300),
  ]
  for (const name of wrong)
    t.throws(() => checkedName('network', name), { code: 'BAD_CONFIG' }, JSON.stringify(name))
})

t.test('names of interfaces', async t => {
  for (const name of ['eth0', 'a', 'x'.repeat(15), 'a.b', 'é'])
    t.equal(checkedInterface('--ifname', name), name)
  const wrong = [
    '',
    '.',
    '..',
    'a/b',
    'a:b',
    'a b',
    'a\tb',
    'a\0',
    'a\x1b',
    'a\u202e',
    'x'.repeat(16),
    'é'.repeat(8),
  ]
  for (const name of wrong)
    t.throws(() => checkedInterface('--ifname', name), { code: 'BAD_CONFIG' }, JSON.stringify(name))
})
