import t from 'tap'
import { formatAddress, parseAddress } from '../../src/net/ip.ts'
import { formatRange, parseRanges, type RangesConfig, rangeOf } from '../../src/ipam/ranges.ts'

function shown(config: RangesConfig): string[][] {
  return parseRanges(config).sets.map(set =>
    set.map(range => `${formatRange(range)} gateway ${range.gateway && formatAddress(range.gateway)}`),
  )
}

const subnet = '10.1.0.0/24'

t.test('what a subnet leaves unsaid', async t => {
  t.same(shown({ ipam: { subnet } }), [['10.1.0.1-10.1.0.254 in 10.1.0.0/24 gateway 10.1.0.1']])
  t.same(shown({ ipam: { subnet: '10.1.0.0/30' } }), [['10.1.0.1-10.1.0.2 in 10.1.0.0/30 gateway 10.1.0.1']])
  t.same(shown({ ipam: { subnet: 'fd00::/126' } }), [['fd00::1-fd00::3 in fd00::/126 gateway fd00::1']])
  t.same(shown({ ipam: { subnet: '10.0.0.0/8', rangeStart: '', rangeEnd: null, gateway: '' } }), [
    ['10.0.0.1-10.255.255.254 in 10.0.0.0/8 gateway 10.0.0.1'],
  ])
})

t.test('what is said counts', async t => {
  const more = { rangeStart: '10.1.0.10', rangeEnd: '10.1.0.20', gateway: '10.9.0.1' }
  t.same(shown({ ipam: { ranges: [[{ subnet, ...more }]] } }), [
    ['10.1.0.10-10.1.0.20 in 10.1.0.0/24 gateway 10.9.0.1'],
  ])
  t.same(shown({ ipam: { ranges: [[{ subnet, rangeStart: '10.1.0.5', rangeEnd: '10.1.0.5' }]] } }), [
    ['10.1.0.5-10.1.0.5 in 10.1.0.0/24 gateway 10.1.0.1'],
  ])
})

t.test('order: the runtime’s ranges, the single one, the list', async t => {
  const sets = shown({
    ipam: { subnet, ranges: [[{ subnet: '10.2.0.0/24' }, { subnet: '10.3.0.0/24' }]] },
    ipRanges: [[{ subnet: '10.4.0.0/24' }]],
    cniVersion: '1.0.0',
  })
  t.same(
    sets.map(set => set.map(text => text.split(' ')[2])),
    [['10.4.0.0/24'], ['10.1.0.0/24'], ['10.2.0.0/24', '10.3.0.0/24']],
  )
})

t.test('gateways are reserved wherever they lie', async t => {
  const { reserved } = parseRanges({
    ipam: { ranges: [[{ subnet, gateway: '10.2.0.9' }], [{ subnet: '10.2.0.0/24' }]] },
  })
  t.same([...reserved.keys()], ['10.2.0.9', '10.2.0.1'])
})

t.test('BAD_CONFIG', async t => {
  const range = (more: object) => ({ ranges: [[{ subnet, ...more }]] })
  const rows: Record<string, RangesConfig> = {
    'no ranges': { ipam: {} },
    'no subnet, though a start': { ipam: { rangeStart: '10.1.0.1' } },
    'an empty list': { ipam: { ranges: [] } },
    'an empty set': { ipam: { ranges: [[]] } },
    'a flat list': { ipam: { ranges: [{ subnet }] } },
    'ranges of the wrong type': { ipam: { ranges: 'all' } },
    'a set of the wrong type': { ipam: { ranges: [{ 0: { subnet } }] } },
    'a range of the wrong type': { ipam: { ranges: [[subnet]] } },
    'a range that is null': { ipam: { ranges: [[null]] } },
    'a subnet of the wrong type': { ipam: { subnet: 5 } },
    'a number too large for JSON': { ipam: { subnet: 2n ** 70n } },
    'a range without subnet': { ipam: { ranges: [[{ rangeStart: '10.1.0.1' }]] } },
    'host bits': { ipam: { subnet: '10.1.0.1/24' } },
    'host bits in IPv6': { ipam: { subnet: 'fd00::1/64' } },
    octal: { ipam: { subnet: '010.1.0.0/24' } },
    short: { ipam: { subnet: '10.1/24' } },
    '/31': { ipam: { subnet: '10.1.0.0/31' } },
    '/32': { ipam: { subnet: '10.1.0.0/32' } },
    '/127': { ipam: { subnet: 'fd00::/127' } },
    '/128': { ipam: { subnet: 'fd00::/128' } },
    'a start outside': { ipam: range({ rangeStart: '10.2.0.1' }) },
    'an end outside': { ipam: range({ rangeEnd: '10.2.0.1' }) },
    'a start after the end': { ipam: range({ rangeStart: '10.1.0.9', rangeEnd: '10.1.0.8' }) },
    'an end before what the start is by default': { ipam: range({ rangeEnd: '10.1.0.0' }) },
    'a start of the other family': { ipam: range({ rangeStart: 'fd00::1' }) },
    'a start that is octal': { ipam: range({ rangeStart: '10.1.0.010' }) },
    'a gateway that is none': { ipam: range({ gateway: 'router' }) },
    'a gateway of the other family': { ipam: range({ gateway: 'fd00::1' }) },
    'IPv4 in disguise': { ipam: range({ gateway: '::ffff:10.1.0.1' }) },
    'overlap in a set': { ipam: { ranges: [[{ subnet }, { subnet: '10.1.0.128/25' }]] } },
    'overlap of sets': { ipam: { ranges: [[{ subnet }], [{ subnet: '10.0.0.0/8' }]] } },
    'the same twice': { ipam: { ranges: [[{ subnet }], [{ subnet }]] } },
    'overlap with the runtime’s': { ipam: { subnet }, ipRanges: [[{ subnet: '10.1.0.0/16' }]] },
    'two families in a set': { ipam: { ranges: [[{ subnet }, { subnet: 'fd00::/64' }]] } },
    'a bad range of the runtime': { ipam: { subnet }, ipRanges: [[{ subnet: 'x' }]] },
    'two of a family in 0.2.0': {
      ipam: { subnet, ranges: [[{ subnet: '10.2.0.0/24' }]] },
      cniVersion: '0.2.0',
    },
    'two of a family, no version': {
      ipam: { subnet, ranges: [[{ subnet: '10.2.0.0/24' }]] },
      cniVersion: '',
    },
  }
  for (const [name, config] of Object.entries(rows)) {
    t.throws(() => parseRanges(config), { name: 'TnetError', code: 'BAD_CONFIG' }, name)
  }
})

t.test('what is allowed beside it', async t => {
  t.equal(
    parseRanges({ ipam: { subnet, ranges: [[{ subnet: 'fd00::/64' }]] }, cniVersion: '0.2.0' }).sets.length,
    2,
  )
  t.equal(
    parseRanges({ ipam: { subnet, ranges: [[{ subnet: '10.2.0.0/24' }]] }, cniVersion: '0.3.0' }).sets.length,
    2,
  )
  const halves = [
    { subnet, rangeEnd: '10.1.0.99' },
    { subnet, rangeStart: '10.1.0.100' },
  ]
  const [set = []] = parseRanges({ ipam: { ranges: [halves] } }).sets
  t.equal(rangeOf(set, parseAddress('10.1.0.99', 'ip')), set[0])
  t.equal(rangeOf(set, parseAddress('10.1.0.100', 'ip')), set[1])
  t.equal(rangeOf(set, parseAddress('10.1.0.255', 'ip')), undefined)
  t.equal(rangeOf(set, parseAddress('::10.1.0.1', 'ip')), undefined)
})
