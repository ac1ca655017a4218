import fc from 'fast-check'
import t from 'tap'
import { leaseText, parseLease } from '../../../src/ipam/host-local/lease.ts'

t.test('two lines, or the container alone in files of old versions', async t => {
  t.equal(leaseText({ containerId: 'c1', ifname: 'eth0' }), 'c1\r\neth0')
  t.same(parseLease('c1\r\neth0'), { containerId: 'c1', ifname: 'eth0' })
  t.same(parseLease(' c1\r\neth0\n'), { containerId: 'c1', ifname: 'eth0' })
  t.same(parseLease('c1'), { containerId: 'c1', ifname: undefined })
  t.same(parseLease('c1\n'), { containerId: 'c1', ifname: undefined })
})

t.test('what was never finished', async t => {
  for (const text of ['', 'c1\r', 'c1\r\n', '\r\n', '\0', '\0\0\0\0\0\0\0\0', 'c1\r\n\0\0\0\0', ' \n']) {
    t.equal(parseLease(text), undefined, JSON.stringify(text))
  }
})

t.test('is read back', async () => {
  const word = fc.stringMatching(/^[A-Za-z0-9_.:;$-]{1,20}$/)
  fc.assert(
    fc.property(word, word, (containerId, ifname) => {
      const found = parseLease(leaseText({ containerId, ifname }))
      return found?.containerId === containerId && found.ifname === ifname
    }),
  )
})
