import t from 'tap'
import { askedMac } from '../../src/cni/asked.ts'
import { environment } from '../../src/cni/environment.ts'
import { isObject, parseJson } from '../../src/cni/json.ts'
import type { Request } from '../../src/cni/plugin.ts'

const [A, B, C, D] = [
  '02:00:00:00:00:0a',
  '02:00:00:00:00:0b',
  '02:00:00:00:00:0c',
  '02:00:00:00:00:0d',
] as const

function mac(config: object, args = '', known = ['MAC']): string | undefined {
  const raw = parseJson(JSON.stringify(config))
  const call = environment({
    CNI_COMMAND: 'ADD',
    CNI_CONTAINERID: 'c',
    CNI_NETNS: '/x',
    CNI_IFNAME: 'eth0',
    CNI_ARGS: args,
  })
  if (!isObject(raw) || call === undefined) throw new Error('want a request')
  return askedMac({ config: raw, environment: call } as unknown as Request, known)
}

t.test('the newest way to ask wins', async t => {
  const cni = { args: { cni: { mac: C } } }
  const runtime = { runtimeConfig: { mac: D } }
  t.equal(mac({}), undefined)
  t.equal(mac({ mac: A }), A)
  t.equal(mac({ mac: A }, `MAC=${B}`), B)
  t.equal(mac({ mac: A, ...cni }, `MAC=${B}`), C)
  t.equal(mac({ mac: A, ...cni, ...runtime }, `MAC=${B}`), D)
  t.equal(mac({ ...runtime }), D)
})

t.test('in any of the forms, in the one of the kernel', async t => {
  t.equal(mac({}, 'MAC=02-00-00-00-00-0A'), A)
})

t.test('what is no address', async t => {
  for (const value of ['zz', '01:00:00:00:00:01', '00:00:00:00:00:00']) {
    t.throws(() => mac({}, `MAC=${value}`), { code: 'BAD_ENVIRONMENT', message: /^CNI_ARGS: MAC/ }, value)
    t.throws(
      () => mac({ runtimeConfig: { mac: value } }),
      { code: 'BAD_CONFIG', message: /^runtimeConfig.mac/ },
      value,
    )
    t.throws(
      () => mac({ args: { cni: { mac: value } } }),
      { code: 'BAD_CONFIG', message: /^args.cni.mac/ },
      value,
    )
  }
})

t.test('unknown arguments are refused, even where another way to ask wins', async t => {
  t.throws(() => mac({ runtimeConfig: { mac: D } }, 'IP=10.0.0.1'), { code: 'INTERNAL' })
  t.equal(mac({ runtimeConfig: { mac: D } }, 'IP=10.0.0.1', ['MAC', 'IP']), D)
  t.equal(mac({}, 'IP=10.0.0.1;IgnoreUnknown=1'), undefined)
})
