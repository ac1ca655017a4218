import t from 'tap'
import { networkPools } from '../../../src/ipam/tnet-ipam/network-pools.ts'
import { formatRange } from '../../../src/ipam/ranges.ts'
import type { NetworkRecord, SubnetRecord } from '../../../src/store/schema.ts'

function network(...subnets: SubnetRecord[]): NetworkRecord {
  return {
    id: 'ab12',
    name: 'blue',
    driver: 'bridge',
    created: '2026-01-01T00:00:00Z',
    internal: false,
    ipv6: false,
    labels: {},
    options: {},
    ipam: { subnets },
  }
}

t.test('a set for each family', async t => {
  const { sets, reserved } = networkPools(
    network(
      { subnet: 'fd00::/64', gateway: 'fd00::1' },
      { subnet: '10.1.0.0/24', gateway: '10.1.0.254', aux: { printer: '10.1.0.7' } },
      { subnet: '10.2.0.0/24' },
    ),
  )
  t.same(
    sets.map(set => set.map(formatRange)),
    [
      ['10.1.0.1-10.1.0.254 in 10.1.0.0/24', '10.2.0.1-10.2.0.254 in 10.2.0.0/24'],
      ['fd00::1-fd00::ffff:ffff:ffff:ffff in fd00::/64'],
    ],
  )
  t.same([...reserved.keys()].sort(), ['10.1.0.254', '10.1.0.7', 'fd00::1'])
})

t.test('a part to take addresses from', async t => {
  const range = (ipRange: string, subnet = '10.1.0.0/16') =>
    networkPools(network({ subnet, ipRange })).sets[0]?.map(formatRange)
  t.same(range('10.1.5.0/24'), ['10.1.5.0-10.1.5.255 in 10.1.0.0/16'])
  t.same(range('10.1.0.0/24'), ['10.1.0.1-10.1.0.255 in 10.1.0.0/16'], 'never the address of the network')
  t.same(range('10.1.255.0/24'), ['10.1.255.0-10.1.255.254 in 10.1.0.0/16'], 'nor that of broadcast')
  t.same(range('fd00::ff00/120', 'fd00::/64'), ['fd00::ff00-fd00::ffff in fd00::/64'])
})

t.test('a record that is none', async t => {
  for (const record of [
    { subnet: '10.1.0.1/24' },
    { subnet: '10.1.0.0/24', gateway: 'x' },
    { subnet: '10.1.0.0/24', ipRange: '10.0.0.0/8' },
    { subnet: '10.1.0.0/24', ipRange: 'fd00::/120' },
    { subnet: '10.1.0.0/24', aux: { a: '10.1' } },
  ]) {
    t.throws(() => networkPools(network(record)), { code: 'BAD_CONFIG' }, JSON.stringify(record))
  }
})
