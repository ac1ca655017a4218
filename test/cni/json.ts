import fc from 'fast-check'
import t from 'tap'
import { isObject, type Json, parseJson } from '../../src/cni/json.ts'
import { TnetError } from '../../src/errors.ts'

t.test('reads what JSON.parse reads, and refuses what it refuses', async t => {
  for (const text of [
    '{}',
    ' [ ] ',
    'null',
    'true',
    'false',
    '0',
    '-0',
    '1.5e3',
    '1E-2',
    '"a\\u00e9\\n\\"\\\\\\/\\b\\f\\r\\t"',
    '{"a":{"b":[1,2,{"c":null}]}}',
    '\t\n\r {"a" : 1 , "b" : [ 1 , 2 ] }\n',
    '"\\ud83d\\ude00"',
    '"\u2028"',
  ]) {
    t.same(parseJson(text), JSON.parse(text), named(text))
  }
  for (const text of [
    '',
    ' ',
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,',
    '{"a":1,}',
    '{a:1}',
    "{'a':1}",
    '[1,]',
    '[,]',
    '[1 2]',
    '01',
    '1.',
    '.5',
    '+1',
    '1e',
    '0x10',
    'NaN',
    'Infinity',
    'tru',
    'nul',
    'truefalse',
    '{}{}',
    '{} x',
    '"a\nb"',
    '"a',
    '"\\x"',
    '"\\u12g4"',
    '"\\u12',
    '\ufeff{}',
    '--1',
    '-',
    '// comment\n{}',
  ]) {
    t.throws(() => JSON.parse(text), SyntaxError, `JSON.parse ${named(text)}`)
    t.throws(() => parseJson(text), { code: 'BAD_JSON' }, named(text))
  }
})

t.test('says where', async t => {
  t.throws(() => parseJson('{"a": 1,\n "b": x}'), { message: /line 2, column 7/ })
  t.throws(() => parseJson('{"a": 1,\n "b"'), { message: /line 2, column 5/ })
  t.throws(() => parseJson('[1,\n2,\n3}'), { message: /line 3, column 2/ })
})

t.test('depth is bounded', async t => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  t.ok(parseJson(nested(64)))
  for (const depth of [66, 10_000, 500_000]) {
    t.throws(() => parseJson(nested(depth)), { code: 'BAD_JSON', message: /64/ }, `${depth}`)
    t.throws(() => parseJson('{"a":'.repeat(depth)), { code: 'BAD_JSON' }, `${depth} objects`)
  }
})

t.test('keys that are properties of every object elsewhere are keys like any other', async t => {
  const value = parseJson('{"constructor": {"prototype": {"polluted": true}}, "toString": 2}')
  t.same(Object.keys(value as object), ['constructor', 'toString'])
  t.equal(Object.getPrototypeOf(value), null)
  t.equal('hasOwnProperty' in (parseJson('{}') as object), false)
})

t.test('but for __proto__, which is none', async t => {
  for (const text of [
    '{"__proto__": {"polluted": true}}',
    '{"a": [{"__proto__": 1}]}',
    '{"\\u005f_proto__": 1}',
  ]) {
    t.throws(() => parseJson(text), { code: 'BAD_JSON' }, text)
  }
  t.equal(({} as Record<string, unknown>)['polluted'], undefined)
})

t.test('the last of repeated keys counts, at its own place', async t => {
  t.same(Object.entries(parseJson('{"a":1,"A":2,"a":3}') as object), [
    ['A', 2],
    ['a', 3],
  ])
})

t.test('numbers are exact', async t => {
  t.same(parseJson('[9007199254740991, 9007199254740993, -9007199254740993, 1e400]'), [
    9007199254740991,
    9007199254740993n,
    -9007199254740993n,
    Infinity,
  ])
  t.equal(parseJson('1500.0'), 1500)
  t.equal(
    parseJson('9'.repeat(1000)),
    Infinity,
    'a number that nothing could mean is not worked off digit by digit',
  )
})

t.test('half a surrogate pair is no character', async t => {
  t.equal(parseJson('"\\ud800x"'), '\ufffdx')
})

const json = fc
  .jsonValue({ depthSize: 'medium' })
  .filter(value => !JSON.stringify(value).includes('__proto__'))

t.test('round trip of any value, in any layout', async () => {
  fc.assert(
    fc.property(json, fc.constantFrom('', ' ', '\t', '\n  '), (value, space) => {
      const text = JSON.stringify(value, null, space)
      return JSON.stringify(plain(parseJson(text))) === JSON.stringify(plain(JSON.parse(text) as Json))
    }),
    { numRuns: 500 },
  )
})

t.test('whatever the text, there is a value or a typed error, and the same as JSON.parse has', async () => {
  const broken = json.chain(value => {
    const text = JSON.stringify(value)
    return fc
      .tuple(fc.nat(text.length), fc.nat(3), fc.string({ maxLength: 3 }))
      .map(([at, cut, more]) => text.slice(0, at) + more + text.slice(at + cut))
  })
  fc.assert(
    fc.property(
      fc.oneof(
        broken,
        fc.string(),
        fc.string({ unit: fc.constantFrom(...'{}[]",:\\0123456789.eE+-tfn \n') }),
      ),
      text => {
        let expected: unknown
        try {
          expected = JSON.parse(text)
        } catch {
          expected = TnetError
        }
        let found: unknown
        try {
          found = parseJson(text)
        } catch (error) {
          if (!(error instanceof TnetError) || error.code !== 'BAD_JSON') throw error
          found = TnetError
        }
        if (expected === TnetError || found === TnetError) return found === expected
        return JSON.stringify(plain(found as Json)) === JSON.stringify(plain(expected as Json))
      },
    ),
    { numRuns: 3000 },
  )
})

/** Printable in a line of TAP. */
function named(text: string): string {
  return JSON.stringify(text).replace(/[^ -~]/g, character => `U+${character.charCodeAt(0).toString(16)}`)
}

/** With prototypes, with numbers as doubles, without half surrogates: as both parsers have it. */
function plain(value: Json): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(plain)
  if (!isObject(value)) return value
  return Object.entries(value)
    .map(([key, inner]) => [key.toWellFormed(), plain(inner)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
}
