import fc from 'fast-check'
import t from 'tap'
import { cniArgs } from '../../src/cni/args.ts'
import { TnetError } from '../../src/errors.ts'

const KNOWN = ['MAC', 'IP'] as const

t.test('accepted', async t => {
  for (const [text, expected] of [
    ['', {}],
    ['MAC=a', { MAC: 'a' }],
    ['MAC=', {}],
    ['MAC=a;MAC=', {}],
    ['MAC=;MAC=b', { MAC: 'b' }],
    ['MAC=a;IP=b', { MAC: 'a', IP: 'b' }],
    ['IgnoreUnknown=1', {}],
    ['IgnoreUnknown=1;X=y;MAC=a', { MAC: 'a' }],
    ['X=y;IgnoreUnknown=tRuE', {}],
    ['IgnoreUnknown=TRUE;mac=a', {}],
    ['IgnoreUnknown=0;MAC=a', { MAC: 'a' }],
    ['IgnoreUnknown=False', {}],
    ['IgnoreUnknown=1;K8S_POD_NAMESPACE=d;K8S_POD_NAME=p;K8S_POD_INFRA_CONTAINER_ID=c', {}],
    ['IgnoreUnknown=1;__proto__=x;constructor=y', {}],
    ['IgnoreUnknown=1;=', {}],
  ] as const) {
    t.same(cniArgs(text, KNOWN), expected, text)
  }
})

t.test('refused as an error that is 999 to a runtime', async t => {
  for (const text of [
    'X=y',
    'mac=a',
    'ignoreunknown=1',
    '=',
    'MAC',
    'MAC=a;',
    ';MAC=a',
    ';',
    'MAC=a=b',
    'IgnoreUnknown=1;MAC',
    'IgnoreUnknown=maybe',
    'IgnoreUnknown=',
    'IgnoreUnknown=yes',
    'IgnoreUnknown=1;IgnoreUnknown=0;X=1',
    'IgnoreUnknown=constructor',
  ]) {
    t.throws(() => cniArgs(text, KNOWN), { code: 'INTERNAL' }, text)
  }
})

t.test('all that is unknown is told at once', async t => {
  t.throws(() => cniArgs('FOO=1;MAC=a;BAR=2', KNOWN), { message: 'ARGS: unknown args ["FOO=1" "BAR=2"]' })
})

t.test('any text: values or a typed error', async () => {
  const part = fc.oneof(fc.string(), fc.constantFrom('MAC', 'IP', '=', ';', 'IgnoreUnknown', '1', 'true'))
  fc.assert(
    fc.property(fc.array(part), parts => {
      try {
        cniArgs(parts.join(''), KNOWN)
      } catch (error) {
        if (!(error instanceof TnetError) || error.code !== 'INTERNAL') throw error
      }
    }),
    { numRuns: 2000 },
  )
})
