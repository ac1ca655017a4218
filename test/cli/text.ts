import t from 'tap'
import fc from 'fast-check'
import { json, styled, visible, width } from '../../src/cli/text.ts'

t.test('what a terminal obeys or hides is written out', async t => {
  t.equal(visible('eth0'), 'eth0')
  t.equal(visible('größe 網路 é'), 'größe 網路 é')
  t.equal(visible('a\x1b[31mb'), 'a\\x1b[31mb')
  t.equal(visible('a\rb\nc\td'), 'a\\x0db\\x0ac\\x09d')
  t.equal(visible('\x9b2J\x7f'), '\\x9b2J\\x7f')
  t.equal(visible('\u202ereversed\u2066'), '\\u{202e}reversed\\u{2066}')
  t.equal(visible('\u200b\u2028\ufeff'), '\\u{200b}\\u{2028}\\u{feff}')
  t.equal(visible('\ud800'), '\\u{d800}')
  t.equal(visible('\u{e0041}'), '\\u{e0041}')
})

t.test('no text comes out with a control or format character', async t => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      text => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(visible(text)),
    ),
  )
  t.pass()
})

t.test('JSON says the same and holds none of them either', async t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const encoded = json({ text })
      return JSON.parse(encoded).text === text && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(encoded)
    }),
  )
  t.equal(json({ a: [1] }, 2), '{\n  "a": [\n    1\n  ]\n}')
  t.equal(json(undefined), 'null')
})

t.test('width in columns', async t => {
  t.equal(width('eth0'), 4)
  t.equal(width('網路'), 4)
  t.equal(width('e\u0301'), 1)
  t.equal(width(styled('red', 'eth0')), 4)
})
