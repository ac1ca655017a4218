import t from 'tap'
import { freeIPv4Pool, freeIPv6Pool, IPV4_POOLS, type Used } from '../../../src/engine/networks/pools.ts'
import { formatSubnet, overlap, parseSubnet } from '../../../src/net/ip.ts'

const used = (...subnets: string[]): Used[] =>
  subnets.map(text => ({ subnet: parseSubnet(text, 'subnet'), what: text }))

t.test('pools come in the order of Docker', async t => {
  t.equal(IPV4_POOLS.length, 31)
  t.equal(formatSubnet(freeIPv4Pool([])), '172.17.0.0/16')
  t.equal(formatSubnet(freeIPv4Pool(used('172.17.0.0/16'))), '172.18.0.0/16')
  t.equal(formatSubnet(freeIPv4Pool(used('172.16.0.0/12'))), '192.168.0.0/20')
  t.equal(formatSubnet(freeIPv4Pool(used('172.16.0.0/12', '192.168.0.5/32'))), '192.168.16.0/20')
  t.equal(formatSubnet(freeIPv4Pool(used('172.17.255.255/32', '172.18.4.0/24'))), '172.19.0.0/16')
})

t.test('none is given twice, and the end is told', async t => {
  const given: Used[] = []
  for (let count = 0; count < IPV4_POOLS.length; count++) {
    const subnet = freeIPv4Pool(given)
    t.notOk(given.some(each => overlap(each.subnet, subnet)))
    given.push({ subnet, what: '' })
  }
  t.throws(() => freeIPv4Pool(given), { code: 'EXHAUSTED' })
})

t.test('IPv6 pools are of the machine', async t => {
  const first = freeIPv6Pool('machine one', [])
  t.match(formatSubnet(first), /^fd[0-9a-f]{2}:[0-9a-f:]+::\/64$/)
  t.equal(formatSubnet(first), formatSubnet(freeIPv6Pool('machine one', [])))
  t.not(formatSubnet(first), formatSubnet(freeIPv6Pool('machine two', [])))
  const second = freeIPv6Pool('machine one', [{ subnet: first, what: '' }])
  t.equal(second.network.bits - first.network.bits, 1n << 64n)
  t.equal(first.network.bits >> 120n, 0xfdn)
  t.throws(() => freeIPv6Pool('machine one', used('fd00::/8')), { code: 'EXHAUSTED' })
})
