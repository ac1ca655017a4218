import t from 'tap'
import fc from 'fast-check'
import { parseConditions } from '../../../src/chained/portmap/conditions.ts'
import { inBoth, ordered, without } from '../../../src/chained/portmap/ranges.ts'
import type { Box, Range } from '../../../src/net/mapping.ts'

const small = fc
  .tuple(fc.nat(40), fc.nat(40))
  .map(([a, b]): Range => [BigInt(Math.min(a, b)), BigInt(Math.max(a, b))])
const WHOLE: Range = [0n, 40n]
const has = (ranges: readonly Range[], value: bigint) =>
  ranges.some(([from, to]) => from <= value && value <= to)

t.test('sets of numbers', async () => {
  fc.assert(
    fc.property(fc.array(small), fc.array(small), fc.nat(40), (one, other, number) => {
      const value = BigInt(number)
      const joined = ordered(one)
      const apart = joined.every(([from], index) => index === 0 || from > (joined[index - 1]?.[1] ?? 0n) + 1n)
      return (
        apart &&
        has(joined, value) === has(one, value) &&
        has(without(one, WHOLE), value) === !has(one, value) &&
        has(inBoth(joined, ordered(other)), value) === (has(one, value) && has(other, value))
      )
    }),
  )
})

const parse = (texts: string[], family: 4 | 6 = 4) =>
  parseConditions('key', texts, { family, backend: undefined })
const takes = (boxes: readonly Box[] | undefined, saddr: bigint, daddr = 0n) =>
  boxes?.filter(box => has([box.saddr], saddr) && has([box.daddr], daddr)).length

t.test('both languages mean the same', async t => {
  const same: [string[], string[]][] = [
    [['-s', '10.0.0.0/8'], ['ip saddr 10.0.0.0/8']],
    [
      ['!', '-s', '10.0.0.0/8', '-d', '10.1.2.3'],
      ['ip', 'saddr', '!=', '10.0.0.0/8', 'ip daddr == 10.1.2.3'],
    ],
    [['-s', '10.0.0.1,10.0.0.3', '-i', 'eth0'], ['ip saddr { 10.0.0.1, 10.0.0.3 } iifname "eth0"']],
    [['--in-interface', 'veth+'], ['iifname veth*']],
    [['! --source 10.0.0.1 --destination 10.0.0.0/9'], ['ip saddr != {10.0.0.1} ip daddr 10.0.0.0/9']],
  ]
  for (const [iptables, nft] of same) t.strictSame(parse(iptables), parse(nft), nft.join(' '))
  t.equal(parse([]), undefined)
  t.strictSame(parse(['-s', 'fd00::/8'], 6), parse(['ip6 saddr fd00::/8'], 6))
})

t.test('each packet is in one box, or in none', async t => {
  const boxes = parse(['!', '-s', '10.0.0.0/8', '!', '-d', '0.0.0.7'])
  t.equal(takes(boxes, 0x0a000001n), 0)
  t.equal(takes(boxes, 0x09ffffffn), 1)
  t.equal(takes(boxes, 0x0b000000n), 1)
  t.equal(takes(boxes, 0xffffffffn, 7n), 0)
  t.equal(takes(boxes, 0n, 8n), 1)
})

t.test('what cannot be honoured is told', async t => {
  const refused = [
    ['-p', 'tcp'],
    ['-s'],
    ['!'],
    ['-s', '10.0.0.0/33'],
    ['-s', 'fd00::1'],
    ['!', '-i', 'eth0'],
    ['-i', 'a name that is too long'],
    ['tcp', 'dport', '80'],
    ['ip', 'saddr'],
    ['ip saddr { 10.0.0.1'],
    ['ip6 saddr ::1'],
    ['iifname != eth0'],
    ['-s', '10.0.0.1', '!', '-s', '10.0.0.1'],
    ['toString', 'x'],
  ]
  for (const texts of refused) t.throws(() => parse(texts), { code: 'BAD_CONFIG' }, texts.join(' '))
  t.throws(() => parseConditions('key', ['-s', '10.0.0.1'], { family: 4, backend: 'nftables' }), {
    code: 'BAD_CONFIG',
  })
})
