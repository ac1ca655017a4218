import t from 'tap'
import { chmodSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { followed } from '../../src/sys/followed.ts'
import { isolated, lacks } from '../harness/namespaces.ts'
import { temporary } from '../harness/temporary.ts'

isolated(import.meta)

/** Directories `real/x` and `links`, only ours. */
function scene() {
  const folder = temporary()
  const at = (name: string) => `${folder.path}/${name}`
  mkdirSync(at('real/x'), { recursive: true })
  mkdirSync(at('links'))
  writeFileSync(at('file'), '')
  return { at, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

t.test('what is no link is itself, also where it is not there', async t => {
  using place = scene()
  for (const name of ['real', 'none', 'none/x', 'file']) t.equal(followed(place.at(name)), place.at(name))
})

t.test('links of ours are followed, one after the other', async t => {
  using place = scene()
  const { at } = place
  symlinkSync(at('real'), at('links/absolute'))
  symlinkSync('../real/x', at('links/relative'))
  symlinkSync('absolute', at('links/again'))
  t.equal(followed(at('links/absolute')), at('real'))
  t.equal(followed(at('links/relative')), at('links/../real/x'))
  t.equal(followed(at('links/again')), at('real'))
  t.equal(followed(at('links/absolute/x')), at('links/absolute/x'), 'what is above is not looked at')
})

t.test('refuses what others may have put there, and what leads nowhere', async t => {
  using place = scene()
  const { at } = place
  symlinkSync(at('none'), at('dangling'))
  symlinkSync(at('file'), at('tofile'))
  symlinkSync('round', at('round'))
  for (const mode of ['757', '775', '1777']) {
    mkdirSync(at(`open${mode}`))
    symlinkSync(at('real'), at(`open${mode}/link`))
    symlinkSync(at(`open${mode}/link`), at(`through${mode}`))
    chmodSync(at(`open${mode}`), Number.parseInt(mode, 8))
    t.throws(() => followed(at(`open${mode}/link`)), { code: 'IO' }, mode)
    t.throws(() => followed(at(`through${mode}`)), { code: 'IO' }, `by a link of ours, ${mode}`)
  }
  for (const name of ['dangling', 'tofile', 'round']) t.throws(() => followed(at(name)), { code: 'IO' }, name)
})

t.test('refuses the links of others, and in their directories', { skip: lacks('second user') }, async t => {
  using place = scene()
  const { at } = place
  symlinkSync(at('real'), at('link'))
  lchownSync(at('link'), 65534, 65534)
  t.throws(() => followed(at('link')), { code: 'IO' })
  mkdirSync(at('home'))
  symlinkSync(at('real'), at('home/link'))
  lchownSync(at('home'), 65534, 65534)
  t.throws(() => followed(at('home/link')), { code: 'IO' })
})
