import t from 'tap'
import { errorText, RelayedError } from '../../src/cni/error.ts'
import { CODES, type Code, TnetError, together } from '../../src/errors.ts'
import { Steps } from '../../src/steps.ts'

const read = (error: unknown) => JSON.parse(errorText(error, '1.0.0')) as Record<string, unknown>

t.test('the bytes', async t => {
  const error = new TnetError('BAD_CONFIG', 'a<b>', 'do "this"')
  t.equal(
    errorText(error, undefined),
    '{\n    "code": 7,\n    "msg": "a\\u003cb\\u003e",\n    "details": "do \\"this\\""\n}',
  )
  t.equal(
    errorText(new TnetError('BAD_CONFIG', 'a'), '1.1.0'),
    '{\n    "cniVersion": "1.1.0",\n    "code": 7,\n    "msg": "a"\n}',
  )
})

t.test('nothing that a terminal would obey', async t => {
  const text = errorText(new TnetError('IO', 'a\u001b[2J\n\u007f\u0085', 'b\r'), undefined)
  t.notMatch(JSON.stringify(JSON.parse(text)), /\\[nr]|[\u007f-\u009f]/)
  t.match(JSON.parse(text), { msg: 'a\\u001b[2J\\u000a\\u007f\\u0085', details: 'b\\u000d' })
})

t.test('every code has its number', async t => {
  for (const code of Object.keys(CODES) as Code[])
    t.equal(read(new TnetError(code, 'x'))['code'], CODES[code][0], code)
})

t.test('what was never meant to be an answer', async t => {
  for (const thrown of [
    new Error('x'),
    'x',
    undefined,
    null,
    { toString: () => 'x' },
    new AggregateError([], 'x'),
  ]) {
    t.match(read(thrown), { code: 999, msg: String }, String(thrown))
  }
  t.match(read(Object.assign(new Error('x'), { code: 'EACCES' })), { code: 101 })
})

t.test('the number of another plugin survives steps and sweeps', async t => {
  const relayed = new RelayedError(115, 'no address', 'details')
  t.same(read(relayed), { cniVersion: '1.0.0', code: 115, msg: 'no address', details: 'details' })
  const steps = new Steps()
  const wrapped = await steps.step('allocate', () => Promise.reject(relayed)).catch((error: unknown) => error)
  t.match(read(wrapped), { code: 115, details: 'details' })
  t.match(read(together([relayed, new Error('x')])), { code: 115 })
  const loop = new Error('x')
  loop.cause = loop
  t.match(read(loop), { code: 999 })
})
