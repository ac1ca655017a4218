import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { plugin } from '../../plugins/bridge.ts'
import { callDoor } from '../harness/door.ts'
import { isolated, makeNetns, type Netns } from '../harness/namespaces.ts'
import type { Answer, Call } from '../harness/plugins.ts'
import { attempt, run } from '../harness/run.ts'
import { snapshot } from '../harness/snapshot.ts'

isolated(import.meta)

/** A folder of our own executables, as far as looking for them goes. */
const OWN = '/run/own'
mkdirSync(OWN)
writeFileSync(join(OWN, 'tnet'), '#!/bin/sh\nexit 9\n', { mode: 0o755 })
symlinkSync('tnet', join(OWN, 'host-local'))

const IPAM = { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd01::/64' }]] }

type DoorIo = Parameters<typeof callDoor>[2]

interface Bench extends AsyncDisposable {
  readonly sandbox: Netns
  call(verb: Call['verb'], more?: object, request?: Partial<Call>, io?: DoorIo): Promise<Answer>
}

let benches = 0

async function bench(): Promise<Bench> {
  const sandbox = await makeNetns()
  const config = { cniVersion: '1.1.0', name: `n${++benches}`, type: 'bridge', bridge: `br${benches}` }
  return {
    sandbox,
    call: (verb, more, request, io) =>
      callDoor(
        plugin,
        { verb, netns: sandbox.path, ...request, config: { ...config, ...more } },
        { dir: OWN, ownFolder: OWN, ...io },
      ),
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]()
      await attempt('ip', ['link', 'del', config.bridge])
    },
  }
}

/** What is left after a first use of the host is no leftover of the second: bridges, lock files, our tables. */
async function unchanged(t: Test, deed: () => Promise<void>): Promise<void> {
  const before = await snapshot()
  await deed()
  t.equal(await snapshot(), before)
}

t.test('links alone, and with addresses: ADD, CHECK, DEL, DEL', async t => {
  for (const more of [{}, { ipam: IPAM, isDefaultGateway: true }]) {
    await using bed = await bench()
    const added = await bed.call('ADD', more)
    t.equal(added.code, 0, added.stdout)
    const prevResult = added.json
    const interfaces = (prevResult?.['interfaces'] ?? []) as Record<string, unknown>[]
    t.match(interfaces.at(-1), { name: 'eth0', sandbox: bed.sandbox.path, mtu: 1500 })
    t.match(await bed.call('CHECK', { ...more, prevResult }), { code: 0, stdout: '' })
    await bed.sandbox.run('ip', 'link', 'set', 'eth0', 'down')
    t.match(await bed.call('CHECK', { ...more, prevResult }), { code: 1, json: { code: 100 } })
    for (const verb of ['DEL', 'DEL'] as const)
      t.match(await bed.call(verb, { ...more, prevResult }), { code: 0, stdout: '' })
    t.notMatch(await bed.sandbox.run('ip', 'link'), /eth0/)
    t.match(await bed.call('CHECK', { ...more, prevResult }), { code: 1 }, 'after DEL')
  }
})

t.test('CHECK without prevResult', async t => {
  await using bed = await bench()
  t.match(await bed.call('CHECK'), { code: 1, json: { code: 7 } })
})

t.test('a namespace that is none, or the own one: code 8 before anything is done', async t => {
  await using bed = await bench()
  writeFileSync('/run/file', '')
  await run('mkfifo', ['/run/fifo'])
  for (const netns of [
    '/run/missing',
    '/run/file',
    '/run/fifo',
    '/run',
    '/proc/self/ns/net',
    '/proc/self/ns/mnt',
    '/run/file/x',
    'relative',
  ]) {
    await unchanged(t, async () => {
      for (const verb of ['ADD', 'CHECK'] as const) {
        const answer = await bed.call(verb, { ipam: IPAM, prevResult: {} }, { netns })
        t.match(answer, { code: 1, json: { code: 8 } }, `${verb} ${netns}`)
      }
      t.match(await bed.call('DEL', { ipam: IPAM }, { netns }), { code: 0, stdout: '' }, `DEL ${netns}`)
    })
  }
  t.match(await bed.call('DEL', {}, { netns: '' }), { code: 0 }, 'DEL without')
})

t.test('CNI_NETNS_OVERRIDE lets it be the own one', async t => {
  await using bed = await bench()
  const request = { netns: '/proc/self/ns/net', ifname: 'here0', env: { CNI_NETNS_OVERRIDE: '1' } }
  t.equal((await bed.call('ADD', {}, request)).code, 0)
  t.match(await run('ip', ['-br', 'link']), /here0/)
  t.equal((await bed.call('DEL', {}, request)).code, 0)
  t.notMatch(await run('ip', ['-br', 'link']), /here0/)
})

t.test('an ADD whose answer cannot be written has not happened', async t => {
  await using bed = await bench()
  const more = { ipam: IPAM, isGateway: true, ipMasq: true }
  const first = { containerId: 'first', ifname: 'eth9' }
  t.equal((await bed.call('ADD', more, first)).code, 0)
  t.equal((await bed.call('DEL', more, first)).code, 0)
  t.equal((await bed.call('ADD', more, first)).code, 0)
  await unchanged(t, async () => {
    const stdout = () => Promise.reject(Object.assign(new Error('EPIPE: broken pipe'), { code: 'EPIPE' }))
    t.equal((await bed.call('ADD', more, {}, { stdout })).code, 1)
  })
  await unchanged(t, async () => {
    const old = { ...more, ipam: undefined, cniVersion: '0.2.0' }
    t.match(await bed.call('ADD', old), { code: 1, json: { code: 7 } }, 'a result that 0.2.0 cannot tell')
  })
  t.equal((await bed.call('DEL', more, first)).code, 0)
})

t.test('name servers: those of the configuration before those of the IPAM plugin', async t => {
  await using bed = await bench()
  writeFileSync('/run/resolv.conf', 'nameserver 10.1.0.53\n')
  const ipam = { ...IPAM, resolvConf: '/run/resolv.conf' }
  const dns = async (more: object) => {
    const { json } = await bed.call('ADD', { ipam, ...more })
    await bed.call('DEL', { ipam })
    return json?.['dns']
  }
  t.match(await dns({}), { nameservers: ['10.1.0.53'] })
  t.match(await dns({ dns: {} }), { nameservers: ['10.1.0.53'] })
  t.same(await dns({ dns: { search: ['a.b'] } }), { search: ['a.b'] })
})

t.test('an interface that stays down has no addresses', async t => {
  await using bed = await bench()
  const refused = await bed.call('ADD', { disableContainerInterface: true, ipam: IPAM })
  t.match(refused, { code: 1, json: { code: 7 } })
  t.equal((await bed.call('ADD', { disableContainerInterface: true })).code, 0)
})

t.test('arguments: MAC and IP; unknown ones are refused', async t => {
  await using bed = await bench()
  const args = 'MAC=02-00-00-00-00-99;IP=10.1.0.77'
  const added = await bed.call('ADD', { ipam: IPAM }, { args })
  t.match(added.json, {
    interfaces: [{}, {}, { mac: '02:00:00:00:00:99' }],
    ips: [{ address: '10.1.0.77/24' }],
  })
  t.equal((await bed.call('DEL', { ipam: IPAM }, { args: 'nonsense' })).code, 0, 'DEL does not need them')
  t.match(
    await bed.call('ADD', {}, { args: 'IP=10.1.0.77' }),
    { code: 1, json: { code: 999 } },
    'no ipam, no IP',
  )
  t.match(await bed.call('ADD', {}, { args: 'FOO=1' }), { code: 1, json: { code: 999 } })
  t.equal((await bed.call('ADD', {}, { args: 'FOO=1;IgnoreUnknown=1' })).code, 0)
})

t.test('an IPAM plugin that is missing: nothing is made; DEL removes the rest and says so', async t => {
  await using bed = await bench()
  await unchanged(t, async () => {
    const answer = await bed.call('ADD', { ipam: { type: 'nowhere' } })
    t.match(answer, { code: 1, json: { code: 999 } })
  })
  t.equal((await bed.call('ADD')).code, 0)
  t.match(await bed.call('DEL', { ipam: { type: 'nowhere' } }), { code: 1, json: { code: 999 } })
  t.notMatch(await bed.sandbox.run('ip', 'link'), /eth0/)
})

t.test('an IPAM plugin of somebody else: its code, and what was made is gone', async t => {
  await using bed = await bench()
  mkdirSync('/run/theirs', { recursive: true })
  const script = `#!/bin/sh\necho $CNI_COMMAND >> /run/theirs-calls\n[ $CNI_COMMAND = DEL ] || { echo '{"code":115,"msg":"no"}'; exit 1; }\n`
  writeFileSync('/run/theirs/their-ipam', script, { mode: 0o755 })
  const ipam = { type: 'their-ipam' }
  const answer = await bed.call('ADD', { ipam }, {}, { dir: '/run/theirs' })
  t.match(answer, { code: 1, json: { cniVersion: '1.1.0', code: 115, msg: /no$/ } })
  t.match(await run('cat', ['/run/theirs-calls']), /^ADD\nDEL\n$/)
  t.notMatch(await bed.sandbox.run('ip', 'link'), /eth0/)
  t.match(await bed.call('STATUS', { ipam }, {}, { dir: '/run/theirs' }), { code: 1, json: { code: 115 } })
  rmSync('/run/theirs-calls')
})

t.test('GC and STATUS', async t => {
  await using bed = await bench()
  const small = { ipam: { type: 'host-local', subnet: '10.3.0.0/30' } }
  t.equal((await bed.call('STATUS', small)).code, 0)
  t.equal((await bed.call('ADD', small)).code, 0)
  t.match(await bed.call('STATUS', small), { code: 1, json: { code: 50 } })
  const valid = (list: unknown) => ({ ...small, 'cni.dev/valid-attachments': list })
  t.match(await bed.call('GC', small), { code: 1, json: { code: 7 } })
  t.equal((await bed.call('GC', valid([{ containerID: 'c1', ifname: 'eth0' }]))).code, 0)
  t.match(await bed.sandbox.run('ip', 'link'), /eth0/)
  t.equal((await bed.call('GC', valid(null))).code, 0)
  t.notMatch(await bed.sandbox.run('ip', 'link'), /eth0/)
  t.equal((await bed.call('STATUS', small)).code, 0)
})

t.test('TNET_DEBUG shows the steps, and what is said to the kernel', async t => {
  await using bed = await bench()
  const debug = (TNET_DEBUG: string) =>
    bed.call('ADD', {}, { ifname: TNET_DEBUG.slice(0, 8), env: { TNET_DEBUG } })
  t.match(await debug('steps'), { code: 0, stderr: /tnet bridge: attach steps to br\d+\n/ })
  t.match(await debug('netlink'), { code: 0, stderr: /^-> RTM_\w+ #1 request/m })
  t.match(await debug('none'), { code: 0, stderr: '' })
})
