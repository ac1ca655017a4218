// static as users of the reference know it: alone, and as the address management of a network.
import t from 'tap'
import { isolated } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { refusals, type Refusal } from '../harness/refusals.ts'
import { ping } from '../harness/traffic.ts'
import { makeWorld } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

interface Case {
  readonly name: string
  readonly onlyOurs?: string
  readonly ipam?: object
  readonly config?: object
  readonly args?: string
  readonly result: object
}

const address = '10.2.0.5/24'
const own = { address, gateway: '10.2.0.1' }

const cases: Case[] = [
  { name: 'an address', ipam: { addresses: [{ address }] }, result: { ips: [{ address }] } },
  {
    name: 'addresses of both families, gateways, routes, dns',
    ipam: {
      addresses: [own, { address: 'fd00:2::5/64', gateway: 'fd00:2::1' }],
      routes: [{ dst: '0.0.0.0/0' }, { dst: '192.0.2.0/24', gw: '10.2.0.9' }],
      dns: { nameservers: ['192.0.2.53'], domain: 'example.org' },
    },
    result: {
      ips: [own, { address: 'fd00:2::5/64', gateway: 'fd00:2::1' }],
      routes: [{ dst: '0.0.0.0/0' }, { dst: '192.0.2.0/24', gw: '10.2.0.9' }],
      dns: { nameservers: ['192.0.2.53'], domain: 'example.org' },
    },
  },
  { name: 'no addresses', ipam: {}, result: {} },
  {
    name: 'IP of CNI_ARGS adds to those of the configuration, GATEWAY belongs to it',
    ipam: { addresses: [own] },
    args: 'IP=10.3.0.5/24,fd00:3::5/64;GATEWAY=10.3.0.1,fd00:3::1,10.2.0.99',
    result: {
      ips: [
        own,
        { address: '10.3.0.5/24', gateway: '10.3.0.1' },
        { address: 'fd00:3::5/64', gateway: 'fd00:3::1' },
      ],
    },
  },
  {
    name: 'args.cni.ips are in the place of all others',
    ipam: { addresses: [own] },
    config: { args: { cni: { ips: ['10.4.0.5/24'] } } },
    args: 'IP=10.3.0.5/24',
    result: { ips: [{ address: '10.4.0.5/24' }] },
  },
  {
    name: 'runtimeConfig.ips are in the place of those, too',
    ipam: { addresses: [own] },
    config: { runtimeConfig: { ips: ['10.5.0.5/24'] }, args: { cni: { ips: ['10.4.0.5/24'] } } },
    result: { ips: [{ address: '10.5.0.5/24' }] },
  },
  {
    name: 'empty lists say nothing',
    ipam: { addresses: [own] },
    config: { runtimeConfig: { ips: [] }, args: { cni: { ips: [] } } },
    result: { ips: [own] },
  },
  {
    name: 'an empty gateway is none',
    ipam: { addresses: [{ address, gateway: '' }] },
    result: { ips: [{ address }] },
  },
]

for (const subject of subjects()) {
  t.test(subject.name, async t => {
    for (const row of cases) {
      await t.test(row.name, async t => {
        await using world = await makeWorld(subject)
        const config = world.config({ ipam: { type: 'static', ...row.ipam }, ...row.config })
        const request = { type: 'static', args: row.args }
        const before = await world.snapshot()
        const added = await world.call('ADD', config, request)
        t.equal(added.code, 0, added.stdout)
        const text = added.stdout.trimEnd().replace(/,\n *"dns": \{\}/, '')
        t.equal(text, JSON.stringify({ cniVersion: '1.0.0', ...row.result }, null, 4))
        const withResult = { ...config, prevResult: added.json }
        const checked = await world.call('CHECK', withResult, request)
        t.equal(checked.code, 0, `CHECK: ${checked.stdout}`)
        for (const time of ['once', 'twice']) {
          const deleted = await world.call('DEL', withResult, request)
          t.equal(deleted.code, 0, `DEL ${time}: ${deleted.stdout}`)
        }
        t.equal(await world.snapshot(), before, 'it keeps no state')
      })
    }

    await t.test('CHECK: another gateway than that of the answer', async t => {
      await using world = await makeWorld(subject)
      const config = world.config({ ipam: { type: 'static', addresses: [own] } })
      const prevResult = { cniVersion: '1.0.0', ips: [{ address, gateway: '10.2.0.77' }] }
      const { code, json } = await world.call('CHECK', { ...config, prevResult }, { type: 'static' })
      t.equal(code, 1)
      if (subject.name === 'tnet') t.equal(json?.['code'], 100)
    })

    await t.test('two sandboxes on a bridge, by the addresses that each was given', async t => {
      await using world = await makeWorld(subject)
      const config = (ips: string[]) =>
        world.config({
          isGateway: true,
          ipam: {
            type: 'static',
            addresses: [
              { address: '10.2.0.9/24', gateway: '10.2.0.1' },
              { address: 'fd00:2::9/64', gateway: 'fd00:2::1' },
            ],
            routes: [{ dst: '0.0.0.0/0' }],
          },
          runtimeConfig: { ips },
        })
      const fixed = config([])
      const added = await world.call('ADD', fixed)
      t.equal(added.code, 0, added.stdout)
      for (const target of ['10.2.0.9', 'fd00:2::9']) t.ok(await ping(world.host, target), target)
      t.ok(await ping(world.sandbox, '10.2.0.1'), 'the gateway')
      t.equal((await world.call('CHECK', { ...fixed, prevResult: added.json })).code, 0)
      t.equal((await world.call('DEL', fixed)).code, 0)
      const asked = await world.call('ADD', config(['10.2.0.33/24']))
      t.match(asked.json?.['ips'], [{ address: '10.2.0.33/24' }])
      t.equal((await world.call('DEL', fixed)).code, 0)
    })
  })
}

function row(name: string, ipam: object, more: Partial<Refusal> & { config?: object } = {}): Refusal {
  return {
    name,
    code: 7,
    ...more,
    type: 'static',
    config: { ...more.config, ipam: { type: 'static', ...ipam } },
  }
}

t.test('refusals', async t => {
  refusals(t, [
    row('an address without its prefix length', { addresses: [{ address: '10.2.0.5' }] }),
    row('an address that is none', { addresses: [{ address: 'ten/8' }] }),
    row('a prefix length out of range', { addresses: [{ address: '10.2.0.5/33' }] }),
    row(
      'an octal form',
      { addresses: [{ address: '010.2.0.5/24' }] },
      { onlyOurs: 'other versions of Go read it as decimal' },
    ),
    row('addresses that are no list', { addresses: { address } }),
    row('addresses as texts', { addresses: [address] }),
    row('an entry without address', { addresses: [{ gateway: '10.2.0.1' }] }),
    row('a gateway that is none', { addresses: [{ address, gateway: '10.2' }] }),
    row(
      'a gateway of the other family',
      { addresses: [{ address, gateway: 'fd00::1' }] },
      { onlyOurs: 'it is handed on' },
    ),
    row('a route that is none', { addresses: [own], routes: [{ dst: '10.9.0.0' }] }),
    row('runtimeConfig.ips without prefix length', {}, { config: { runtimeConfig: { ips: ['10.2.0.5'] } } }),
    row('args.cni.ips without prefix length', {}, { config: { args: { cni: { ips: ['10.2.0.5'] } } } }),
    row('IP of CNI_ARGS without prefix length', {}, { request: { args: 'IP=10.2.0.5' }, code: 4 }),
    row('GATEWAY of CNI_ARGS that is none', {}, { request: { args: 'GATEWAY=ten' }, code: 4 }),
    row('an unknown argument', {}, { request: { args: 'COLOUR=green' }, code: 999 }),
    row(
      'two of a family before 0.3.0',
      { addresses: [own, { address: '10.2.0.6/24' }] },
      { config: { cniVersion: '0.2.0' } },
    ),
    {
      name: 'a bridge network with an address without its prefix length',
      config: { ipam: { type: 'static', addresses: [{ address: '10.2.0.5' }] } },
      code: 7,
    },
  ])
})
