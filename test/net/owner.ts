import fc from 'fast-check'
import t from 'tap'
import { networkTag, ownerOf, ownerTag } from '../../src/net/owner.ts'

const bytes = (text: string): number => Buffer.byteLength(text)

t.test('short names are kept', t => {
  const owner = { network: 'web', containerId: 'c1', ifname: 'eth0' }
  t.equal(ownerTag(owner), 'tnet web c1 eth0')
  t.equal(networkTag('web'), 'tnet web ')
  t.strictSame(ownerOf(ownerTag(owner)), owner)
  t.end()
})

t.test('long names are shortened, each by itself and always the same way', t => {
  const whole = { network: 'n'.repeat(40), containerId: 'c'.repeat(64), ifname: 'i'.repeat(15) }
  t.equal(ownerTag(whole), `tnet ${whole.network} ${whole.containerId} ${whole.ifname}`)
  const long = ownerTag({ ...whole, network: 'n'.repeat(41), containerId: 'c'.repeat(65) })
  t.match(long, /^tnet n{23}~[0-9a-f]{16} c{47}~[0-9a-f]{16} i{15}$/)
  t.equal(bytes(long), 126)
  t.ok(ownerTag({ ...whole, network: 'n'.repeat(41) }).startsWith(networkTag('n'.repeat(41))))
  t.not(networkTag('n'.repeat(41)), networkTag('n'.repeat(42)))
  t.equal(networkTag('ä'.repeat(21)).indexOf('\ufffd'), -1, 'no character is cut')
  t.end()
})

t.test('what is no tag of ours', t => {
  for (const text of [
    '',
    'tnet',
    'tnet web c1',
    'other web c1 eth0',
    'tnet web c1 eth0 more',
    'tnet  c1 eth0',
  ]) {
    t.equal(ownerOf(text), undefined, text)
  }
  t.end()
})

t.test('fits into a comment, and tells owners apart', t => {
  const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,200}$/)
  const owner = fc.record({ network: name, containerId: name, ifname: fc.stringMatching(/^[a-z0-9]{1,15}$/) })
  fc.assert(
    fc.property(owner, owner, (one, other) => {
      t.ok(bytes(ownerTag(one)) <= 127)
      t.ok(ownerTag(one).startsWith(networkTag(one.network)))
      const isSame =
        one.network === other.network && one.containerId === other.containerId && one.ifname === other.ifname
      t.equal(ownerTag(one) === ownerTag(other), isSame)
    }),
  )
  t.end()
})
