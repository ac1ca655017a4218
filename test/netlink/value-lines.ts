import fc from 'fast-check'
import t from 'tap'
import { valueLines } from '../../src/netlink/value-lines.ts'

t.test('one attribute a line, what is inside is indented', t => {
  const value = {
    family: 2,
    flags: new Set(['up', 'noarp']),
    change: new Set(),
    absent: undefined,
    name: 'br0',
    big: 5n,
    hairpin: true,
    linkInfo: { kind: 'bridge', data: { priority: 7 } },
    names: ['a', 'b'],
    multipath: [
      { index: 1, gateway: '10.0.0.1' },
      { index: 2, flags: new Set(['onlink']) },
    ],
    payload: Uint8Array.of(1, 255),
    vlans: [new Set(['pvid'])],
  }
  t.same(valueLines(value), [
    'family 2',
    'flags up noarp',
    'name br0',
    'big 5',
    'hairpin true',
    'linkInfo',
    '  kind bridge',
    '  data',
    '    priority 7',
    'names a, b',
    'multipath',
    '  - index 1',
    '    gateway 10.0.0.1',
    '  - index 2',
    '    flags onlink',
    'payload 0x01ff',
    'vlans',
    '  - pvid',
  ])
  t.end()
})

t.test('long bytes are cut and counted', t => {
  t.same(valueLines(new Uint8Array(64)), [`0x${'00'.repeat(64)}`])
  t.same(valueLines(new Uint8Array(65)), [`0x${'00'.repeat(64)}... (65 bytes)`])
  t.same(valueLines(null), ['null'])
  t.end()
})

t.test('no name writes to the terminal or breaks a line', t => {
  fc.assert(
    fc.property(fc.string({ unit: fc.nat({ max: 0xffff }).map(code => String.fromCharCode(code)) }), text => {
      const [line = '', ...more] = valueLines({ name: text })
      // oxlint-disable-next-line no-control-regex
      return more.length === 0 && !/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/.test(line)
    }),
  )
  t.same(valueLines({ alias: 'a b' }), ['alias "a b"'])
  t.same(valueLines({ alias: '\u001b[31m\u202e' }), ['alias "\\u001b[31m\\u202e"'])
  const controls = [
    ...Array(0x20).keys(),
    ...Array.from({ length: 0x21 }, (_, i) => 0x7f + i),
    0x202e,
    0x2066,
  ]
  for (const code of controls) {
    const character = String.fromCharCode(code)
    t.notOk(valueLines({ alias: character })[0]?.includes(character), code.toString(16))
  }
  t.same(valueLines({ alias: '' }), ['alias ""'])
  t.end()
})
