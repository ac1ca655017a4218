// What runtimes read, byte for byte as the reference prints it: its executables against ours, and against our door in
// this process.
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { plugin as bridge } from '../../plugins/bridge.ts'
import { plugin as hostLocal } from '../../plugins/host-local.ts'
import { callDoor } from '../harness/door.ts'
import { isolated, makeNetns } from '../harness/namespaces.ts'
import { type Answer, call, type Call, subjects } from '../harness/plugins.ts'
import { run } from '../harness/run.ts'

isolated(import.meta)

const OWN = '/run/own'
mkdirSync(OWN)
writeFileSync(join(OWN, 'tnet'), '#!/bin/sh\nexit 9\n', { mode: 0o755 })
symlinkSync('tnet', join(OWN, 'host-local'))

const PLUGINS = { bridge, 'host-local': hostLocal }
type Type = keyof typeof PLUGINS

type Caller = (type: Type, request: Call) => Promise<Answer>

const inProcess: Caller = (type, request) => callDoor(PLUGINS[type], request, { dir: OWN, ownFolder: OWN })

function callers(): (readonly [name: string, ours: Caller])[] {
  const dir = subjects().find(({ name }) => name === 'tnet')?.dir
  if (dir === undefined || !existsSync(`${dir}/bridge`)) return [['in process', inProcess]]
  return [
    ['in process', inProcess],
    ['executables', (type, request) => call(dir, type, request)],
  ]
}

/** MAC addresses and the names of host ends are random there and derived here. */
function steady({ stdout }: Answer): string {
  return stdout.replace(/(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/g, 'MAC').replace(/veth[0-9a-f]+/g, 'VETH')
}

const RANGES = { ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd01::/64', gateway: 'fd01::9' }]] }
const FOUR = { type: 'host-local', subnet: '10.1.0.0/24' }
const SIX = { type: 'host-local', subnet: 'fd01::/64' }
const ROUTES = [{ dst: '10.9.0.0/16' }, { dst: '10.8.0.0/16', gw: '10.1.0.8' }, { dst: 'fd09::/32' }]

const CONFIGS: readonly (readonly [name: string, type: Type, config: object])[] = [
  [
    'a gateway and default routes, dual stack',
    'bridge',
    { isDefaultGateway: true, ipam: { type: 'host-local', ...RANGES } },
  ],
  ['no gateway', 'bridge', { ipam: FOUR }],
  ['IPv6 alone', 'bridge', { isGateway: true, ipam: SIX }],
  [
    'routes and name servers',
    'bridge',
    {
      isGateway: true,
      ipam: { type: 'host-local', ...RANGES, routes: ROUTES },
      dns: {
        nameservers: ['10.1.0.53', 'fd01::53'],
        domain: 'a.b',
        search: ['a.b', 'b'],
        options: ['ndots:1', '<&>'],
      },
    },
  ],
  [
    'host-local, dual stack with routes',
    'host-local',
    { ipam: { type: 'host-local', ...RANGES, routes: ROUTES } },
  ],
  ['host-local, one family', 'host-local', { ipam: FOUR }],
  ['host-local, resolv.conf', 'host-local', { ipam: { ...FOUR, resolvConf: '/run/resolv.conf' } }],
]

const ERRORS: readonly (readonly [name: string, request: Call])[] = [
  ['no variables', { verb: 'ADD', config: '', containerId: '', netns: '', ifname: '' }],
  ['no container', { verb: 'DEL', config: '', containerId: '' }],
  ['a container id that is none', { verb: 'ADD', config: { name: 'n' }, containerId: '_x', netns: '/x' }],
  ['an unknown verb', { verb: 'EAT', config: { name: 'n' }, netns: '/x' }],
  ['no name', { verb: 'ADD', config: { cniVersion: '1.0.0' }, netns: '/x' }],
  ['a name that is none', { verb: 'ADD', config: { cniVersion: '1.0.0', name: '<a>' }, netns: '/x' }],
  ['CHECK before its time', { verb: 'CHECK', config: { cniVersion: '0.3.1', name: 'n' }, netns: '/x' }],
]

const reference = subjects().find(({ name }) => name === 'reference')?.dir

t.test('against the reference, where it is installed', async t => {
  if (reference === undefined) return
  const dir = reference
  await t.test('results', async t => {
    writeFileSync('/run/resolv.conf', 'nameserver 10.1.0.53\nsearch a b\ndomain c\noptions x y\n')
    let networks = 0
    for (const [name, type, config] of CONFIGS) {
      for (const cniVersion of ['', '0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0']) {
        await using sandbox = await makeNetns()
        const whole = { cniVersion, name: `n${++networks}`, type, bridge: `br${networks}`, ...config }
        const request = { config: whole, netns: sandbox.path }
        const theirs = await call(dir, type, { ...request, verb: 'ADD' })
        t.equal(theirs.code, 0, theirs.stdout)
        t.equal((await call(dir, type, { ...request, verb: 'DEL' })).code, 0)
        await run('rm', ['-rf', `/var/lib/cni/networks/n${networks}`])
        if (type === 'bridge') await run('ip', ['link', 'del', `br${networks}`])
        for (const [way, ours] of callers()) {
          const added = await ours(type, { ...request, verb: 'ADD' })
          t.equal(steady(added), steady(theirs), `${way}: ${name}, version ${cniVersion || 'unsaid'}`)
          t.equal((await ours(type, { ...request, verb: 'DEL' })).code, 0)
          await run('rm', ['-rf', `/var/lib/cni/networks/n${networks}`])
        }
      }
    }
  })

  await t.test('each with the IPAM plugin of the other', async t => {
    const tnet = subjects().find(({ name }) => name === 'tnet')?.dir ?? ''
    const mixtures: [name: string, mixed: (request: Call) => Promise<Answer>][] = [
      ['our bridge, their host-local', request => callDoor(bridge, request, { dir, ownFolder: OWN })],
    ]
    if (existsSync(`${tnet}/host-local`)) {
      mixtures.push([
        'their bridge, our host-local',
        request => call(dir, 'bridge', { ...request, env: { CNI_PATH: tnet } }),
      ])
    }
    for (const [name, mixed] of mixtures) {
      await using sandbox = await makeNetns()
      const config = { cniVersion: '1.0.0', name: 'mixed', type: 'bridge', bridge: 'brmixed', ipam: FOUR }
      const request = { config, netns: sandbox.path }
      const added = await mixed({ ...request, verb: 'ADD' })
      t.match(added, { code: 0, json: { ips: [{ interface: 2, gateway: '10.1.0.1' }] } }, name)
      const checked = { ...request, config: { ...config, prevResult: added.json } }
      t.match(await mixed({ ...checked, verb: 'CHECK' }), { code: 0, stdout: '' }, `${name}: CHECK`)
      t.match(
        await mixed({
          ...request,
          verb: 'ADD',
          ifname: 'eth1',
          config: { ...config, ipam: { ...FOUR, subnet: '10.1' } },
        }),
        {
          code: 1,
          json: { code: name.startsWith('our') ? 999 : 7 },
        },
      )
      t.match(await mixed({ ...checked, verb: 'DEL' }), { code: 0, stdout: '' }, `${name}: DEL`)
      t.notMatch(await run('ls', ['/var/lib/cni/networks/mixed']), /10\.1\.0/)
    }
  })

  for (const [way, ours] of callers()) {
    await t.test(`${way}: errors of the protocol`, async t => {
      for (const [name, request] of ERRORS) {
        const theirs = await call(dir, 'bridge', request)
        const { code, json } = await ours('bridge', request)
        const { code: number, msg } = theirs.json ?? {}
        t.match({ code, json }, { code: theirs.code, json: { code: number, msg } }, name)
      }
    })

    await t.test(`${way}: an error of the environment, to the byte`, async t => {
      const request = { verb: 'ADD', config: '', containerId: '', ifname: '', netns: '' }
      t.equal((await ours('bridge', request)).stdout, (await call(dir, 'bridge', request)).stdout)
    })

    await t.test(`${way}: VERSION: the same line, with one version more`, async t => {
      const request = { verb: 'VERSION', config: '' }
      const newer = (await call(dir, 'bridge', request)).stdout
        .replace('"cniVersion":"1.0.0"', '"cniVersion":"1.1.0"')
        .replace('"1.0.0"]', '"1.0.0","1.1.0"]')
      t.equal((await ours('bridge', request)).stdout, newer)
    })
  }
})
