import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { plugin as hostLocal } from '../../plugins/host-local.ts'
import { plugin as tnetIpam } from '../../plugins/tnet-ipam.ts'
import type { Plugin } from '../../src/cni/plugin.ts'
import { type NetworkRecord, networkKey, networkNameKey } from '../../src/store/schema.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { callDoor } from '../harness/door.ts'
import type { Answer, Call } from '../harness/plugins.ts'

type DoorIo = Parameters<typeof callDoor>[2]
type Caller = (verb: Call['verb'], request?: Partial<Call>, more?: object, io?: DoorIo) => Promise<Answer>

/** A namespace is demanded of an IPAM plugin too, but it has no use for one. */
function caller(plugin: Plugin, config: object, env: Record<string, string> = {}): Caller {
  return (verb, request, more, io) =>
    callDoor(plugin, { verb, netns: '/not/looked/at', env, ...request, config: { ...config, ...more } }, io)
}

const NETWORK: NetworkRecord = {
  id: 'a'.repeat(64),
  name: 'kept',
  driver: 'bridge',
  created: '2026-01-01T00:00:00Z',
  internal: false,
  ipv6: false,
  labels: {},
  options: {},
  ipam: { subnets: [{ subnet: '10.1.0.0/29', gateway: '10.1.0.1' }] },
}

async function kept(t: Test): Promise<Caller> {
  const folder = t.testdir({})
  await using store = await sqliteStore(folder)
  await store.commit({
    put: [
      { key: networkKey(NETWORK.id), value: NETWORK },
      { key: networkNameKey(NETWORK.name), value: { id: NETWORK.id } },
    ],
  })
  const config = { cniVersion: '1.1.0', name: 'n', ipam: { type: 'tnet-ipam', network: 'kept' } }
  return caller(tnetIpam, config, { TNET_STATE_DIR: folder })
}

function files(t: Test): Caller {
  const dataDir = t.testdir({})
  return caller(hostLocal, {
    cniVersion: '1.1.0',
    name: 'n',
    ipam: { type: 'host-local', subnet: '10.1.0.0/29', dataDir },
  })
}

const VALID = 'cni.dev/valid-attachments'

for (const [name, open] of [
  ['host-local', files],
  ['tnet-ipam', kept],
] as const) {
  t.test(name, async t => {
    const address = (answer: Answer) =>
      (answer.json?.['ips'] as { address: string }[] | undefined)?.[0]?.address

    await t.test('every verb', async t => {
      const call = await open(t)
      t.equal((await call('STATUS')).code, 0)
      const added = await call('ADD')
      t.same(added.json, {
        cniVersion: '1.1.0',
        ips: [{ address: '10.1.0.2/29', gateway: '10.1.0.1' }],
        dns: {},
      })
      t.match(await call('CHECK'), { code: 0, stdout: '' })
      t.match(await call('ADD'), { code: 1, json: { code: 7 } }, 'it has one')
      t.match(await call('GC', {}, { [VALID]: [{ containerID: 'c1', ifname: 'eth0' }] }), {
        code: 0,
        stdout: '',
      })
      t.equal((await call('CHECK')).code, 0)
      t.match(await call('GC', {}, { [VALID]: [{ containerID: 'c1', ifname: 'eth1' }] }), {
        code: 0,
        stdout: '',
      })
      t.match(await call('CHECK'), { code: 1, json: { code: 100 } })
      t.equal(address(await call('ADD')), '10.1.0.3/29', 'in turn')
      for (const again of [0, 1]) t.match(await call('DEL'), { code: 0, stdout: '' }, `DEL ${again}`)
      t.match(await call('CHECK'), { code: 1, json: { code: 100 } })
    })

    await t.test('STATUS when nothing is left', async t => {
      const call = await open(t)
      for (const containerId of ['c2', 'c3', 'c4', 'c5', 'c6'])
        t.equal((await call('ADD', { containerId })).code, 0)
      t.match(await call('STATUS'), { code: 1, json: { code: 50 } })
      t.match(await call('ADD'), { code: 1, json: { code: 50 } })
    })

    await t.test('an ADD whose answer cannot be written has leased nothing', async t => {
      const call = await open(t)
      const stdout = () => Promise.reject(new Error('EPIPE'))
      t.equal((await call('ADD', {}, {}, { stdout })).code, 1)
      t.match(await call('CHECK'), { code: 1, json: { code: 100 } })
    })

    await t.test('requests', async t => {
      const call = await open(t)
      t.equal(address(await call('ADD', { args: 'IP=10.1.0.5/29' })), '10.1.0.5/29')
      t.equal(
        address(await call('ADD', { containerId: 'c2' }, { runtimeConfig: { ips: ['10.1.0.4'] } })),
        '10.1.0.4/29',
      )
      const taken = await call('ADD', { containerId: 'c3' }, { args: { cni: { ips: ['10.1.0.4/29'] } } })
      t.match(taken, { code: 1, json: { code: 7 } })
      t.match(await call('ADD', { containerId: 'c3', args: 'X=1' }), { code: 1, json: { code: 999 } })
      t.match(await call('ADD', { containerId: 'c3', args: 'IP=x' }), { code: 1, json: { code: 4 } })
      t.equal((await call('DEL', { args: 'X' })).code, 0)
    })
  })
}

t.test("host-local: DEL does without the network's ranges, and makes no folder", async t => {
  const dataDir = t.testdir({})
  const call = caller(hostLocal, {
    cniVersion: '1.0.0',
    name: 'n',
    ipam: { type: 'host-local', dataDir, ranges: 'x' },
  })
  t.match(await call('DEL'), { code: 0, stdout: '' })
  t.same(readdirSync(dataDir), [])
  t.match(await call('ADD'), { code: 1, json: { code: 7 } })
  t.notOk(existsSync(join(dataDir, 'n')))
})

t.test('tnet-ipam: a network that tnet does not keep', async t => {
  const config = { cniVersion: '1.1.0', name: 'n', ipam: { type: 'tnet-ipam', network: 'other' } }
  const call = caller(tnetIpam, config, { TNET_STATE_DIR: t.testdir({}) })
  t.match(await call('ADD'), { code: 1, json: { code: 7 } })
  t.equal((await call('DEL')).code, 0)
  t.match(await call('ADD', {}, { ipam: { type: 'tnet-ipam' } }), { code: 1, json: { code: 7 } })
})
