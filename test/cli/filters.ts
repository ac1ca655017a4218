import t from 'tap'
import fc from 'fast-check'
import { networkFilter } from '../../src/cli/filters.ts'
import { pairs } from '../../src/cli/pairs.ts'
import type { NetworkRecord } from '../../src/store/schema.ts'

const network: NetworkRecord = {
  id: 'abc123',
  name: 'front-1',
  driver: 'bridge',
  created: '2026-01-01T00:00:00Z',
  internal: false,
  ipv6: false,
  labels: { team: 'a', empty: '', 'with=equals': 'b=c' },
  options: {},
  ipam: { subnets: [] },
}
const fits = (...texts: string[]) =>
  networkFilter(texts, ['driver', 'id', 'label', 'label!', 'name', 'scope', 'type'])(network)

t.test('one of each key, all of the labels', async t => {
  t.ok(fits())
  t.ok(fits('name=front'))
  t.ok(fits('name=nope', 'name=1'))
  t.notOk(fits('name=front', 'driver=macvlan'))
  t.ok(fits('id=abc'))
  t.notOk(fits('id=bc'))
  t.ok(fits('label=team', 'label=team=a', 'label=empty', 'label=empty='))
  t.notOk(fits('label=team=a', 'label=nope'))
  t.ok(fits('label!=nope', 'label!=team=b'))
  t.notOk(fits('label!=team'))
  t.ok(fits('type=custom'))
  t.notOk(fits('type=builtin'))
  t.ok(fits('scope=local'))
})

t.test('names that every object has are no labels', async t => {
  for (const name of ['constructor', '__proto__', 'toString']) t.notOk(fits(`label=${name}`))
})

t.test('what is no filter', async t => {
  for (const text of ['', 'name', '=x', 'nope=1', 'dangling=true', '__proto__=1']) {
    t.throws(() => fits(text), { code: 'BAD_CONFIG' }, text)
  }
  t.throws(() => networkFilter(['name=a'], ['label']), { code: 'BAD_CONFIG' })
})

t.test('pairs', async t => {
  t.strictSame(pairs('--opt', ['a=1', 'b=', 'c=d=e']), { a: '1', b: '', c: 'd=e' })
  t.strictSame(pairs('--label', ['a', 'b=1'], { bare: true }), { a: '', b: '1' })
  t.strictSame(Object.keys(pairs('--label', ['__proto__=x', 'constructor=y'])), ['__proto__', 'constructor'])
  for (const texts of [['a'], ['=1'], [''], ['a=1', 'a=2']]) {
    t.throws(() => pairs('--opt', texts), { code: 'BAD_CONFIG' }, texts.join(' '))
  }
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[^=]+$/), fc.string()), wanted => {
      const found = pairs(
        '--opt',
        Object.entries(wanted).map(([key, value]) => `${key}=${value}`),
      )
      t.strictSame(Object.entries(found).sort(), Object.entries(wanted).sort())
    }),
    { numRuns: 50 },
  )
})
