import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { environment } from '../../src/cni/environment.ts'
import { isObject, type JsonObject, parseJson } from '../../src/cni/json.ts'
import { openIpam, openIpamLate } from '../../src/cni/open-ipam.ts'
import type { Request } from '../../src/cni/plugin.ts'

const OWNER = { network: 'n', containerId: 'c', ifname: 'eth0' }

/** A folder of our own executables with `own` in it, one of somebody else's that writes down its calls, and leases. */
function folders(t: Test) {
  const root = t.testdir({ own: {}, theirs: {}, leases: {} })
  writeFileSync(join(root, 'own/tnet'), '#!/bin/sh\nexit 9\n', { mode: 0o755 })
  for (const name of ['host-local', 'bridge', 'constructor']) symlinkSync('tnet', join(root, 'own', name))
  const script = `#!/bin/sh\necho $CNI_COMMAND >> ${root}/calls\necho '{"ips":[{"address":"10.9.0.9/24"}]}'\n`
  for (const name of ['host-local', 'theirs'])
    writeFileSync(join(root, 'theirs', name), script, { mode: 0o755 })
  return { root, own: join(root, 'own'), theirs: join(root, 'theirs'), leases: join(root, 'leases') }
}

function request(
  config: object,
  env: Record<string, string>,
  ownFolder?: string,
): Request & { warnings: string[] } {
  const text = JSON.stringify({ name: 'n', cniVersion: '1.1.0', ...config })
  const raw = parseJson(text)
  const call = environment({
    CNI_COMMAND: 'ADD',
    CNI_CONTAINERID: 'c',
    CNI_NETNS: '/x',
    CNI_IFNAME: 'eth0',
    ...env,
  })
  if (!isObject(raw) || call === undefined) throw new Error('want a request')
  const warnings: string[] = []
  return {
    version: '1.1.0',
    network: 'n',
    config: raw as JsonObject,
    raw,
    stdin: new TextEncoder().encode(text),
    environment: call,
    env: { PATH: process.env['PATH'], ...env },
    ownFolder,
    trace: undefined,
    log: () => {},
    warn: line => warnings.push(line),
    warnings,
  }
}

t.test('no ipam, no addresses', async t => {
  for (const config of [{}, { ipam: {} }]) {
    await using addresses = await openIpam(request(config, {}), 'bridge', [])
    t.equal(addresses.ipam, undefined)
  }
})

t.test('ours where CNI_PATH leads to ours: in this process', async t => {
  const { own, theirs, leases } = folders(t)
  const config = { ipam: { type: 'host-local', subnet: '10.1.0.0/24', dataDir: leases } }
  const ours = request(config, { CNI_PATH: `${own}:${theirs}` }, own)
  await using addresses = await openIpam(ours, 'bridge', [])
  t.match(await addresses.ipam?.allocate(OWNER, addresses.requested), { ips: [{ address: '10.1.0.2/24' }] })
  t.equal(readFileSync(join(leases, 'n/10.1.0.2'), 'utf8'), 'c\r\neth0')
  await addresses.ipam?.release(OWNER)
})

t.test('theirs where CNI_PATH leads to theirs, though we have one of that name', async t => {
  const { root, own, theirs, leases } = folders(t)
  const config = { ipam: { type: 'host-local', subnet: '10.1.0.0/24', dataDir: leases } }
  for (const [path, ownFolder] of [
    [`${theirs}:${own}`, own],
    [theirs, own],
    [theirs, undefined],
  ] as const) {
    await using addresses = await openIpam(request(config, { CNI_PATH: path }, ownFolder), 'bridge', [])
    t.match(await addresses.ipam?.allocate(OWNER), { ips: [{ address: '10.9.0.9/24' }] })
  }
  t.equal(readFileSync(join(root, 'calls'), 'utf8'), 'ADD\nADD\nADD\n')
})

t.test('theirs was not executed where it lay in our own folder', async t => {
  const { root, own } = folders(t)
  symlinkSync('../theirs/theirs', join(own, 'linked'))
  writeFileSync(join(own, 'copied'), readFileSync(join(root, 'theirs/theirs')), { mode: 0o755 })
  for (const type of ['linked', 'copied']) {
    await using addresses = await openIpam(request({ ipam: { type } }, { CNI_PATH: own }, own), 'bridge', [])
    t.match(await addresses.ipam?.allocate(OWNER), { ips: [{ address: '10.9.0.9/24' }] }, type)
  }
  t.equal(readFileSync(join(root, 'calls'), 'utf8'), 'ADD\nADD\n')
})

t.test('all ways to ask for addresses', async t => {
  const { own, leases } = folders(t)
  const config = {
    ipam: {
      type: 'host-local',
      ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: '10.2.0.0/24' }], [{ subnet: 'fd00::/64' }]],
      dataDir: leases,
    },
    args: { cni: { ips: ['10.2.0.77/24'] } },
    runtimeConfig: { ips: ['fd00::0:99', '10.2.0.77', ''] },
  }
  const env = { CNI_PATH: own, CNI_ARGS: 'IP=10.1.0.55/16' }
  await using addresses = await openIpam(request(config, env, own), 'bridge', ['IP'])
  t.same(addresses.requested, ['10.1.0.55', '10.2.0.77', 'fd00::99'])
  const got = await addresses.ipam?.allocate(OWNER, addresses.requested)
  t.same(
    got?.ips.map(ip => ip.address),
    ['10.1.0.55/24', '10.2.0.77/24', 'fd00::99/64'],
  )
})

t.test('requests that are none', async t => {
  const { own, leases } = folders(t)
  const ipam = { type: 'host-local', subnet: '10.1.0.0/24', dataDir: leases }
  const refused = (code: string, more: object, args = '') =>
    t.rejects(
      openIpam(request({ ipam, ...more }, { CNI_PATH: own, CNI_ARGS: args }, own), 'bridge', ['IP']),
      { code },
    )
  for (const value of [
    'x',
    '10.1',
    '010.1.0.5',
    '10.1.0.5/33',
    '10.1.0.5/',
    '10.1.0.5/24/24',
    '::ffff:10.1.0.5',
  ]) {
    await refused('BAD_ENVIRONMENT', {}, `IP=${value}`)
    await refused('BAD_CONFIG', { args: { cni: { ips: [value] } } })
    await refused('BAD_CONFIG', { runtimeConfig: { ips: [value] } })
  }
})

t.test('a section that does not fit its schema; a hint of a misspelled key in it', async t => {
  const { own, leases } = folders(t)
  const open = (ipam: object) => {
    const asked = request({ ipam: { type: 'host-local', dataDir: leases, ...ipam } }, { CNI_PATH: own }, own)
    return openIpam(asked, 'bridge', []).then(() => asked.warnings)
  }
  await t.rejects(open({ subnet: 5 }), { code: 'BAD_CONFIG', message: /^ipam.subnet/ })
  await t.rejects(open({ subnet: '10.1.0.7/24' }), { code: 'BAD_CONFIG' })
  t.same(await open({ subnet: '10.1.0.0/24', rangeStrat: '10.1.0.9' }), [
    '"ipam.rangeStrat": unknown key, did you mean "rangeStart"?',
  ])
})

t.test('who would call itself, or manages no addresses', async t => {
  const { own, theirs } = folders(t)
  const open = (type: string, path: string) =>
    openIpam(request({ ipam: { type } }, { CNI_PATH: path }, own), 'bridge', [])
  await t.rejects(open('bridge', own), { code: 'BAD_CONFIG' })
  await t.rejects(open('tnet', own), { code: 'BAD_CONFIG' })
  await t.rejects(open('constructor', own), { code: 'BAD_CONFIG' })
  writeFileSync(join(theirs, 'bridge'), '#!/bin/sh\n', { mode: 0o755 })
  await t.rejects(
    open('bridge', theirs),
    { code: 'BAD_CONFIG' },
    'theirs of our name would delegate as we do',
  )
  await t.rejects(open('__proto__', own), { code: 'INTERNAL' })
  await t.rejects(open('../own/host-local', own), { code: 'BAD_CONFIG' })
  await t.rejects(open('host-local', ''), { code: 'BAD_ENVIRONMENT' })
})

t.test('for DEL: what cannot be opened fails when it is to release', async t => {
  const { own, leases } = folders(t)
  const leaving = (ipam: object) => ({ ...request({ ipam }, { CNI_PATH: own, CNI_COMMAND: 'DEL' }, own) })
  await using absent = await openIpamLate(leaving({ type: 'nope' }), 'bridge')
  await t.rejects(async () => absent.ipam?.release(OWNER), { code: 'INTERNAL' })
  await using torn = await openIpamLate(
    leaving({ type: 'host-local', dataDir: leases, subnet: 5, ranges: [5] }),
    'bridge',
  )
  await t.resolves(async () => torn.ipam?.release(OWNER), 'ranges are not needed to give back a lease')
  await using lost = await openIpamLate(leaving({ type: 'host-local', dataDir: 5 }), 'bridge')
  await t.rejects(async () => lost.ipam?.release(OWNER), { code: 'BAD_CONFIG' })
})
