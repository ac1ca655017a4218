import fc from 'fast-check'
import t from 'tap'
import { conform, conformWhatCan, type Document } from '../../src/cni/config.ts'
import { validate as validateBridge } from '../../src/cni/generated/bridge.js'
import { validate as validateHostLocal } from '../../src/cni/generated/host-local.js'
import { isObject, type JsonObject, parseJson } from '../../src/cni/json.ts'
import { bridge as bridgeSchema } from '../../src/cni/schemas/bridge.ts'
import { hostLocal as hostLocalSchema } from '../../src/cni/schemas/host-local.ts'
import { TnetError } from '../../src/errors.ts'

const bridge: Document = { schema: bridgeSchema, validate: validateBridge }
const hostLocal: Document = { schema: hostLocalSchema, validate: validateHostLocal }

function read(value: object): JsonObject {
  const raw = parseJson(JSON.stringify(value))
  if (!isObject(raw)) throw new Error('want an object')
  return raw
}

const plain = (value: object) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>

t.test('keys in any case get their canonical spelling, at any depth', async t => {
  const { config, hints } = conform(
    bridge,
    read({
      NAME: 'a',
      ISGATEWAY: true,
      mTu: 1400,
      vlantrunk: [{ MINid: 1, maxId: 3 }],
      DNS: { NameServers: ['1.1.1.1'] },
    }),
  )
  t.same(plain(config), {
    name: 'a',
    isGateway: true,
    mtu: 1400,
    vlanTrunk: [{ minID: 1, maxID: 3 }],
    dns: { nameservers: ['1.1.1.1'] },
  })
  t.same(hints, [])
})

t.test('as Go reads: the last one counts, null leaves unset', async t => {
  t.equal(conform(bridge, read({ mtu: 1, MTU: 2 })).config['mtu'], 2)
  t.equal(conform(bridge, read({ MTU: 2, mtu: 1 })).config['mtu'], 1)
  t.equal(conform(bridge, read({ mtu: 1, MTU: null })).config['mtu'], 1)
  const nothing = Object.keys(bridgeSchema.properties ?? {}).map(key => [key, null])
  t.same(plain(conform(bridge, read(Object.fromEntries(nothing))).config), {})
})

t.test('empty words are unset', async t => {
  const { config } = conform(bridge, read({ bridge: '', ipam: { type: '' }, runtimeConfig: { mac: '' } }))
  t.same(plain(config), { ipam: {}, runtimeConfig: {} })
})

t.test('wrong values: the key, what was wanted, what was there', async t => {
  for (const [value, message] of [
    [{ mtu: '1500' }, 'mtu: want an integer from 0 to 65535, got "1500"'],
    [{ mtu: -1 }, 'mtu: want an integer from 0 to 65535, got -1'],
    [{ mtu: 65536 }, 'mtu: want an integer from 0 to 65535, got 65536'],
    [{ mtu: 1.5 }, 'mtu: want an integer from 0 to 65535, got 1.5'],
    [{ Mtu: [] }, 'mtu: want an integer from 0 to 65535, got []'],
    [{ isGateway: 'true' }, 'isGateway: want true or false, got "true"'],
    [{ isGateway: 1 }, 'isGateway: want true or false, got 1'],
    [{ bridge: 5 }, 'bridge: want the name of a bridge, got 5'],
    [{ bridge: 'a\u0001' }, 'bridge: want the name of a bridge, got "a\\u0001"'],
    [{ ipMasqBackend: 'nft' }, 'ipMasqBackend: want one of "", iptables, nftables, got "nft"'],
    [{ vlan: 4095 }, 'vlan: want an integer from 0 to 4094, got 4095'],
    [{ vlanTrunk: {} }, 'vlanTrunk: want a list of {"id": N} or {"minID": N, "maxID": N}, got {}'],
    [{ vlanTrunk: [5] }, 'vlanTrunk[0]: want {"id": N} or {"minID": N, "maxID": N}, got 5'],
    [{ vlanTrunk: [{ id: 1 }, { id: 0 }] }, 'vlanTrunk[1].id: want an integer from 1 to 4094, got 0'],
    [
      { vlanTrunk: [{ id: null }, null] },
      'vlanTrunk[1]: want {"id": N} or {"minID": N, "maxID": N}, got null',
    ],
    [{ ipam: 'host-local' }, 'ipam: want an object, got "host-local"'],
    [{ ipam: { type: 5 } }, 'ipam.type: want the name of an IPAM plugin, got 5'],
    [{ dns: 5 }, 'dns: want an object, got 5'],
    [{ dns: { nameservers: '1.1.1.1' } }, 'dns.nameservers: want a list, got "1.1.1.1"'],
    [{ args: { cni: { mac: 5 } } }, 'args.cni.mac: want a MAC address, such as 02:42:ac:11:00:02, got 5'],
    [
      { runtimeConfig: { ips: '10.0.0.1' } },
      'runtimeConfig.ips: want a list of IP addresses, got "10.0.0.1"',
    ],
    [{ prevResult: 5 }, 'prevResult: want the result of the plugin before, got 5'],
  ] as const) {
    t.throws(() => conform(bridge, read(value)), { code: 'BAD_CONFIG', message }, message)
  }
  const huge = parseJson('{"mtu": 99999999999999999999}') as JsonObject
  t.throws(() => conform(bridge, huge), { message: /got .*99999999999999999999/ })
})

t.test('every key of the bridge plugin, with a value of a wrong type', async t => {
  for (const [key, schema] of Object.entries(bridgeSchema.properties ?? {})) {
    if (schema.type === undefined) continue
    const wrong = schema.type === 'object' ? [] : {}
    const refusal = { code: 'BAD_CONFIG', message: new RegExp(`^${key}: want `) }
    t.throws(() => conform(bridge, read({ [key]: wrong })), refusal, key)
  }
})

t.test("host-local's section", async t => {
  for (const [ipam, path] of [
    [{ subnet: 5 }, 'ipam.subnet'],
    [{ ranges: [{ subnet: '10.0.0.0/24' }] }, 'ipam.ranges\\[0\\]'],
    [{ ranges: [[{ subnet: 5 }]] }, 'ipam.ranges\\[0\\]\\[0\\].subnet'],
    [{ ranges: [[{ rangeStart: [] }]] }, 'ipam.ranges\\[0\\]\\[0\\].rangeStart'],
    [{ routes: [{}] }, 'ipam.routes\\[0\\].dst'],
    [{ routes: [{ dst: '10.0.0.0/8', priority: -1 }] }, 'ipam.routes\\[0\\].priority'],
    [{ routes: [{ dst: '10.0.0.0/8', table: 2 ** 32 }] }, 'ipam.routes\\[0\\].table'],
    [{ dataDir: {} }, 'ipam.dataDir'],
    [{ resolvConf: true }, 'ipam.resolvConf'],
  ] as const) {
    t.throws(
      () => conform(hostLocal, read({ ipam })),
      { code: 'BAD_CONFIG', message: new RegExp(`^${path}: want`) },
      path,
    )
  }
  t.throws(() => conform(hostLocal, read({ runtimeConfig: { ipRanges: [[5]] } })), {
    message: /^runtimeConfig.ipRanges\[0\]\[0\]/,
  })
})

t.test('a key that looks misspelled is accepted with a hint; others pass without', async t => {
  const hints = (value: object) => conform(bridge, read(value)).hints
  t.same(hints({ isGatway: true }), ['"isGatway": unknown key, did you mean "isGateway"?'])
  t.same(hints({ hairpinmod: true, ipMask: true }).length, 2)
  t.same(hints({ dns: { nameserver: [] } }), ['"dns.nameserver": unknown key, did you mean "nameservers"?'])
  t.same(hints({ vlanTrunk: [{ minId: 1, maxI: 2 }] }), [
    '"vlanTrunk[0].maxI": unknown key, did you mean "maxID"?',
  ])
  t.same(
    hints({ 'org.example/annotation': 1, comment: 'x', plugins: [], disableCheck: true, ipv6: 1, _name: 2 }),
    ['"_name": unknown key, did you mean "name"?'],
  )
  t.same(
    hints({
      args: { 'com.x': 1, cni: { labels: [], ip: 1 } },
      runtimeConfig: { ip: 1, portMappings: [] },
      ipam: { typ: 1 },
    }),
    [],
  )
})

t.test('keys that every object has elsewhere are unknown keys', async t => {
  const raw = parseJson('{"name":"a","constructor":{"prototype":1},"hasOwnProperty":1,"toString":"x"}')
  t.same(Object.keys(conform(bridge, raw as JsonObject).config), ['name'])
})

t.test('what is wrong is left out where it is not needed', async t => {
  const all = conformWhatCan(
    bridge,
    read({ name: 'a', mtu: 'x', isGateway: true, vlanTrunk: [{ id: 'y' }], dns: { search: 5 } }),
    ['name'],
  )
  t.same(plain(all.config), { name: 'a', isGateway: true, vlanTrunk: [{}], dns: {} })
  t.equal(all.hints.length, 3)
  t.throws(() => conformWhatCan(bridge, read({ name: 5 }), ['name']), { code: 'BAD_CONFIG' })
  t.throws(() => conformWhatCan(bridge, read({ ipam: { type: 5 } }), ['ipam.type']), { code: 'BAD_CONFIG' })
  const torn = { ipam: { type: 'host-local', dataDir: '/d', ranges: [[{ subnet: 5 }]], routes: [{}] } }
  t.same(plain(conformWhatCan(hostLocal, read(torn), ['ipam.dataDir']).config), {
    ipam: { type: 'host-local', dataDir: '/d', ranges: [[{}]] },
  })
})

t.test('any configuration: accepted, or BAD_CONFIG; for DEL too, and only what the schema has', async () => {
  const keys = fc.oneof(fc.constantFrom(...Object.keys(bridgeSchema.properties ?? {})), fc.string())
  const value = fc.oneof(fc.jsonValue(), fc.boolean(), fc.nat(70000), fc.constantFrom('', 'a'))
  const inner = fc.oneof(
    value,
    fc.array(fc.dictionary(fc.constantFrom('id', 'MINID', 'subnet', 'type', 'cni'), value)),
  )
  fc.assert(
    fc.property(
      fc.dictionary(keys, inner).filter(each => !JSON.stringify(each).includes('__proto__')),
      object => {
        const raw = read(object)
        for (const way of [
          conform,
          (d: Document, r: JsonObject) => conformWhatCan(d, r, ['name', 'ipam', 'ipam.type']),
        ]) {
          try {
            for (const key of Object.keys(way(bridge, raw).config)) {
              if (!(key in (bridgeSchema.properties ?? {}))) throw new Error(`${key} came through`)
            }
          } catch (error) {
            if (!(error instanceof TnetError) || error.code !== 'BAD_CONFIG') throw error
          }
        }
      },
    ),
    { numRuns: 1000 },
  )
})
