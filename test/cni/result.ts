import fc from 'fast-check'
import t from 'tap'
import { isObject, type JsonObject, parseJson } from '../../src/cni/json.ts'
import { readResult, resultText } from '../../src/cni/result.ts'
import { VERSIONS } from '../../src/cni/version.ts'
import type { AttachResult } from '../../src/net/result.ts'
import { TnetError } from '../../src/errors.ts'

const RESULT: AttachResult = {
  interfaces: [
    { name: 'cni0', mac: '02:00:00:00:00:01', mtu: 1500 },
    { name: 'veth1', mac: '02:00:00:00:00:02', mtu: 1500, socketPath: '/s', pciID: '0000:00:1f.6' },
    { name: 'eth0', mac: '02:00:00:00:00:03', mtu: 1500, sandbox: '/run/netns/a' },
  ],
  ips: [
    { interface: 2, address: '10.1.0.2/24', gateway: '10.1.0.1' },
    { interface: 2, address: 'fd00::2/64', gateway: 'fd00::1' },
    { interface: 2, address: '10.2.0.2/24' },
  ],
  routes: [
    { dst: '0.0.0.0/0', gw: '10.1.0.1' },
    { dst: '10.9.0.0/16', mtu: 1400, advmss: 1300, priority: 5, table: 0, scope: 0 },
    { dst: '::/0', gw: 'fd00::1' },
  ],
  dns: { nameservers: ['10.1.0.53'], domain: 'x', search: ['a.b'], options: ['ndots:1'] },
}

const parse = (text: string) => JSON.parse(text) as Record<string, unknown>
const raw = (text: string): JsonObject => {
  const value = parseJson(text)
  if (!isObject(value)) throw new Error('want an object')
  return value
}

t.test('0.1.0 and 0.2.0: the first address of each family, routes by family', async t => {
  for (const version of ['0.1.0', '0.2.0'] as const) {
    t.same(parse(resultText(RESULT, version)), {
      cniVersion: version,
      ip4: {
        ip: '10.1.0.2/24',
        gateway: '10.1.0.1',
        routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }, { dst: '10.9.0.0/16' }],
      },
      ip6: { ip: 'fd00::2/64', gateway: 'fd00::1', routes: [{ dst: '::/0', gw: 'fd00::1' }] },
      dns: RESULT.dns,
    })
    const four = { ...RESULT, ips: RESULT.ips.slice(0, 1) }
    t.same(Object.keys(parse(resultText(four, version))), ['cniVersion', 'ip4', 'dns'])
    t.throws(() => resultText({ ...RESULT, ips: [] }, version), { code: 'BAD_CONFIG' }, 'links alone')
  }
})

t.test('0.3.0 to 0.4.0: ips have their family', async t => {
  for (const version of ['0.3.0', '0.3.1', '0.4.0'] as const) {
    t.same(parse(resultText(RESULT, version)), {
      cniVersion: version,
      interfaces: RESULT.interfaces.map(({ name, mac, sandbox }) => ({
        name,
        mac,
        ...(sandbox ? { sandbox } : {}),
      })),
      ips: [
        { version: '4', interface: 2, address: '10.1.0.2/24', gateway: '10.1.0.1' },
        { version: '6', interface: 2, address: 'fd00::2/64', gateway: 'fd00::1' },
        { version: '4', interface: 2, address: '10.2.0.2/24' },
      ],
      routes: RESULT.routes,
      dns: RESULT.dns,
    })
  }
})

t.test('1.0.0: no family; 1.1.0: everything', async t => {
  const { interfaces, ...rest } = RESULT
  const older = interfaces.map(({ name, mac, sandbox }) => ({ name, mac, ...(sandbox ? { sandbox } : {}) }))
  t.same(parse(resultText(RESULT, '1.0.0')), { cniVersion: '1.0.0', interfaces: older, ...rest })
  t.same(parse(resultText(RESULT, '1.1.0')), { cniVersion: '1.1.0', ...RESULT })
})

t.test('the bytes: order of keys, four spaces, no newline, empties left out but for dns', async t => {
  const result: AttachResult = {
    interfaces: [{ name: 'eth0', mac: '', mtu: 0, sandbox: '/a<b>&c\u2028' }],
    ips: [],
    routes: [],
    dns: {},
  }
  t.equal(
    resultText(result, '1.1.0'),
    `{
    "cniVersion": "1.1.0",
    "interfaces": [
        {
            "name": "eth0",
            "sandbox": "/a\\u003cb\\u003e\\u0026c\\u2028"
        }
    ],
    "dns": {}
}`,
  )
  const keys = [...resultText(RESULT, '1.1.0').matchAll(/"([a-zA-Z]+)":/g)].map(([, key]) => key)
  t.same(
    [...new Set(keys)].join(' '),
    'cniVersion interfaces name mac mtu socketPath pciID sandbox ips interface address gateway routes dst gw advmss priority table scope dns nameservers domain search options',
  )
})

t.test('there and back: nothing is lost that the version has', async t => {
  t.same(readResult(raw(resultText(RESULT, '1.1.0')), 'prevResult'), RESULT)
  const older = RESULT.interfaces.map(({ name, mac, sandbox }) => ({
    name,
    mac,
    ...(sandbox ? { sandbox } : {}),
  }))
  for (const version of ['0.3.0', '0.3.1', '0.4.0', '1.0.0'] as const) {
    t.same(
      readResult(raw(resultText(RESULT, version)), 'prevResult'),
      { ...RESULT, interfaces: older },
      version,
    )
  }
  const routes = RESULT.routes.map(({ dst, gw }) => ({ dst, ...(gw ? { gw } : {}) }))
  const ancient = {
    interfaces: [],
    ips: RESULT.ips.slice(0, 2).map(({ address, gateway }) => ({ address, gateway })),
    routes,
    dns: RESULT.dns,
  }
  t.same(readResult(raw(resultText(RESULT, '0.2.0')), 'prevResult'), ancient)
})

t.test('what others write', async t => {
  const read = (text: string) => readResult(raw(text), 'prevResult')
  const nothing = { interfaces: [], ips: [], routes: [], dns: {} }
  t.same(read('{}'), nothing)
  t.same(read('{"cniVersion":"1.0.0","interfaces":null,"ips":null,"routes":null,"dns":null}'), nothing)
  t.same(read('{"INTERFACES":[{"NAME":"a","Mac":"m","extra":1}]}').interfaces, [{ name: 'a', mac: 'm' }])
  for (const index of [0, 7])
    t.same(read(`{"ips":[{"interface":${index},"address":"10.0.0.1/8"}]}`).ips, [{ address: '10.0.0.1/8' }])
  t.same(read('{"ips":[{"version":"4","interface":-1,"address":"10.0.0.1/8","gateway":""}]}').ips, [
    { address: '10.0.0.1/8' },
  ])
  t.same(read('{"ips":[{"address":"FD00:0::1/64"}]}').ips, [{ address: 'fd00::1/64' }], 'canonical text')
  t.same(read('{"IP4":{"ip":"10.0.0.1/8"},"ip6":null}').ips, [{ address: '10.0.0.1/8' }])
})

t.test('what is no result', async t => {
  for (const text of [
    '{"interfaces":{}}',
    '{"interfaces":[5]}',
    '{"ips":[{}]}',
    '{"ips":[{"address":"10.0.0.1"}]}',
    '{"ips":[{"address":"10.0.0.1/33"}]}',
    '{"ips":[{"address":"010.0.0.1/8"}]}',
    '{"ips":[{"address":"10.0.0.1/8","gateway":"x"}]}',
    '{"interfaces":[{"name":"a"}],"ips":[{"address":"10.0.0.1/8","interface":"0"}]}',
    '{"routes":[{"gw":"10.0.0.1"}]}',
    '{"routes":[{"dst":"default"}]}',
    '{"dns":[]}',
    '{"ip4":{"gateway":"10.0.0.1"}}',
    '{"ip4":{"ip":"10.0.0.1"}}',
  ]) {
    t.throws(
      () => readResult(raw(text), 'prevResult'),
      { code: 'BAD_CONFIG', message: /^prevResult\./ },
      text,
    )
  }
})

t.test('any object: a result that can be printed again, or BAD_CONFIG', async () => {
  const word = fc.constantFrom(
    'interfaces',
    'ips',
    'routes',
    'dns',
    'ip4',
    'IP6',
    'address',
    'ip',
    'interface',
    'dst',
    'name',
    'gw',
    'cniVersion',
  )
  const leaf = fc.oneof(
    fc.constantFrom('10.0.0.1/8', '::/0', '10.0.0.1', 'eth0', 0, 1, null),
    fc.jsonValue({ maxDepth: 1 }),
  )
  const { value } = fc.letrec<{ value: unknown }>(tie => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(word, tie('value')),
    ),
  }))
  fc.assert(
    fc.property(fc.dictionary(word, value), object => {
      try {
        const result = readResult(raw(JSON.stringify(object)), 'prevResult')
        for (const version of VERSIONS.slice(2)) resultText(result, version)
      } catch (error) {
        if (!(error instanceof TnetError) || !/^BAD_(CONFIG|JSON)$/.test(error.code)) throw error
      }
    }),
    { numRuns: 2000 },
  )
})
