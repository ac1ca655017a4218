import t from 'tap'
import { gatewayOf, parseSubnets } from '../../../src/engine/networks/subnets.ts'
import { formatAddress, formatSubnet } from '../../../src/net/ip.ts'

const asked = { subnets: [] as string[], ranges: [] as string[], gateways: [] as string[], auxiliary: {} }

t.test('each value goes to the subnet that it lies in', async t => {
  const [four, six] = parseSubnets({
    subnets: ['10.1.0.0/16', 'fd00:1::/64'],
    ranges: ['10.1.5.0/24'],
    gateways: ['fd00:1::ff', '10.1.0.9'],
    auxiliary: { router: '10.1.0.1', printer: 'fd00:1::1' },
  })
  if (four === undefined || six === undefined) return t.fail('two subnets')
  t.equal(four.range && formatSubnet(four.range), '10.1.5.0/24')
  t.equal(formatAddress(gatewayOf(four)), '10.1.0.9')
  t.same(Object.keys(four.auxiliary), ['router'])
  t.equal(formatAddress(gatewayOf(six)), 'fd00:1::ff')
  t.same(Object.keys(six.auxiliary), ['printer'])
})

t.test('the gateway is the first address that is nothing else', async t => {
  const gateway = (auxiliary: Record<string, string>) => {
    const [subnet] = parseSubnets({ ...asked, subnets: ['10.1.0.0/29'], auxiliary })
    return subnet && formatAddress(gatewayOf(subnet))
  }
  t.equal(gateway({}), '10.1.0.1')
  t.equal(gateway({ a: '10.1.0.1', b: '10.1.0.2' }), '10.1.0.3')
  const all = Object.fromEntries([1, 2, 3, 4, 5, 6].map(last => [`a${last}`, `10.1.0.${last}`]))
  t.throws(() => gateway(all), { code: 'BAD_CONFIG' })
})

t.test('what is refused', async t => {
  const refused: [string, Partial<typeof asked>][] = [
    ['host bits', { subnets: ['10.0.0.1/24'] }],
    ['no prefix length', { subnets: ['10.0.0.0'] }],
    ['short form', { subnets: ['10.1/16'] }],
    ['octal form', { subnets: ['010.0.0.0/8'] }],
    ['no room', { subnets: ['10.0.0.0/31'] }],
    ['no room in IPv6', { subnets: ['fd00::/127'] }],
    ['two of a family', { subnets: ['10.0.0.0/24', '10.0.1.0/24'] }],
    ['overlapping', { subnets: ['10.0.0.0/16', '10.0.1.0/24'] }],
    ['gateway outside', { subnets: ['10.0.0.0/24'], gateways: ['10.0.1.1'] }],
    ['gateway of the other family', { subnets: ['10.0.0.0/24'], gateways: ['fd00::1'] }],
    ['gateway without subnet', { gateways: ['10.0.1.1'] }],
    ['two gateways', { subnets: ['10.0.0.0/24'], gateways: ['10.0.0.1', '10.0.0.2'] }],
    ['gateway with prefix', { subnets: ['10.0.0.0/24'], gateways: ['10.0.0.1/24'] }],
    ['gateway is the subnet', { subnets: ['10.0.0.0/24'], gateways: ['10.0.0.0'] }],
    ['gateway is the broadcast', { subnets: ['10.0.0.0/24'], gateways: ['10.0.0.255'] }],
    ['range outside', { subnets: ['10.0.0.0/24'], ranges: ['10.0.1.0/28'] }],
    ['range larger', { subnets: ['10.0.0.0/24'], ranges: ['10.0.0.0/16'] }],
    ['range with host bits', { subnets: ['10.0.0.0/24'], ranges: ['10.0.0.5/28'] }],
    ['range without subnet', { ranges: ['10.0.0.0/24'] }],
    ['two ranges', { subnets: ['10.0.0.0/24'], ranges: ['10.0.0.0/28', '10.0.0.16/28'] }],
    ['auxiliary outside', { subnets: ['10.0.0.0/24'], auxiliary: { a: '10.0.1.1' } }],
    [
      'auxiliary is the gateway',
      { subnets: ['10.0.0.0/24'], gateways: ['10.0.0.1'], auxiliary: { a: '10.0.0.1' } },
    ],
    ['auxiliary is no address', { subnets: ['10.0.0.0/24'], auxiliary: { a: 'b' } }],
  ]
  for (const [name, input] of refused)
    t.throws(() => parseSubnets({ ...asked, ...input }), { code: 'BAD_CONFIG' }, name)
})
