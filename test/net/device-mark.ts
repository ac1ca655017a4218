import t from 'tap'
import { markedOwner, markOf, marksOf, networkMark, originalName } from '../../src/net/device-mark.ts'

const owner = { network: 'storage', containerId: 'c1', ifname: 'eth+0' }

t.test('a mark', async t => {
  t.equal(markOf(owner), 'tnet+storage+c1+eth+0')
  t.strictSame(markedOwner(markOf(owner)), owner)
  t.equal(markedOwner('tnet+storage+c1'), undefined)
  t.equal(markedOwner(''), undefined)
  t.ok(markOf(owner).startsWith(networkMark('storage')))
  t.notOk(markOf(owner).startsWith(networkMark('stor')), 'a network whose name begins alike')
  t.equal(
    Buffer.byteLength(
      markOf({ network: 'n'.repeat(255), containerId: 'c'.repeat(255), ifname: 'i'.repeat(15) }),
    ),
    126,
  )
})

t.test('what a link says', async t => {
  const link = { alternativeNames: { names: ['enp5s0', markOf(owner), 'tnet-use-1'] } }
  t.strictSame(marksOf(link as never), [markOf(owner)])
  t.strictSame(marksOf({} as never), [])
  for (const [alias, name] of [
    ['card', 'card'],
    ['to the rack', undefined],
    ['tnet storage c1 eth0', undefined],
    ['../card', undefined],
    ['c'.repeat(16), undefined],
    [undefined, undefined],
  ]) {
    t.equal(originalName({ alias } as never), name, alias ?? 'none')
  }
})
