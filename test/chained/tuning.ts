import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { featureNames, kernelName, matching } from '../../src/chained/tuning/feature-names.ts'
import { requireAllowed } from '../../src/chained/tuning/allowlist.ts'
import { forInterface, sysctlPath } from '../../src/chained/tuning/sysctl-key.ts'
import { tuning } from '../../src/chained/tuning/tuning.ts'
import { Features } from '../../src/net/features.ts'
import { Host } from '../../src/net/host.ts'
import { openNetns } from '../../src/net/netns.ts'
import { NO_RESULT } from '../../src/net/result.ts'
import { Sandbox } from '../../src/net/sandbox.ts'
import { NETLINK_GENERIC } from '../../src/netlink/descriptor.ts'
import { ethtoolMessages } from '../../src/netlink/generic/ethtool.ts'
import { Steps } from '../../src/steps.ts'
import { readMessages } from '../../src/wire/message.ts'
import { linklessCompliance } from '../compliance/linkless.ts'
import { isolated, makeNetns } from '../harness/namespaces.ts'
import { snapshot } from '../harness/snapshot.ts'
import { readVector } from '../harness/vectors.ts'

isolated(import.meta)
t.setTimeout(300_000)

const config = {
  sysctl: { 'net.ipv4.conf.IFNAME.arp_filter': '1', 'net/core/somaxconn': '77' },
  mac: '02:00:00:00:00:77',
  mtu: 1400,
  promisc: true,
  allmulti: true,
  txQLen: 500,
  ethtool: { features: { tx: false, 'rx-gro': true } },
}

await linklessCompliance(t, 'tuning', {
  driver: tuning,
  config,
  spoil: ({ sandbox }) => sandbox.links.set({ name: 'eth0', mtu: 1300 }),
})
await linklessCompliance(t, 'tuning: parameters alone', {
  driver: tuning,
  config: { sysctl: { 'net.core.somaxconn': '78' }, dataDir: '/run/elsewhere' },
  spoil: ({ sandbox }) => sandbox.sysctl.set('net/core/somaxconn', '79'),
})
await linklessCompliance(t, 'tuning: features alone', {
  driver: tuning,
  config: { ethtool: { features: { tso: false, 'tx-udp-segmentation': false, gro: true } } },
  spoil: async ({ sandbox }) => {
    const { index } = await sandbox.links.existing('eth0')
    await (await sandbox.features()).set(index, { 'tx-tcp6-segmentation': true })
  },
})
await linklessCompliance(t, 'tuning: features as they are', {
  driver: tuning,
  config: { ethtool: { features: { tx: true, 'generic-segmentation-offload': true, ntuple: false } } },
  spoil: async ({ sandbox }) => {
    const { index } = await sandbox.links.existing('eth0')
    await (await sandbox.features()).set(index, { 'tx-generic-segmentation': false })
  },
})
await linklessCompliance(t, 'tuning of nothing', { driver: tuning, config: {}, changesNothing: true })

t.test('keys as sysctl(8) reads them', async t => {
  const same: [key: string, path: string][] = [
    ['net.ipv4.conf.IFNAME.arp_filter', 'net/ipv4/conf/eth0.10/arp_filter'],
    ['net/ipv4/conf/IFNAME/arp_filter', 'net/ipv4/conf/eth0.10/arp_filter'],
    ['net.ipv4.conf.eth1/5.arp_filter', 'net/ipv4/conf/eth1.5/arp_filter'],
    ['net/ipv4/conf/eth1.5/arp_filter', 'net/ipv4/conf/eth1.5/arp_filter'],
    ['/net/ipv4/conf/eth1.5/arp_filter', 'net/ipv4/conf/eth1.5/arp_filter'],
    ['.net.ipv4.conf.eth1/5.arp_filter', 'net/ipv4/conf/eth1.5/arp_filter'],
  ]
  for (const [key, path] of same) t.equal(forInterface(sysctlPath(key), 'eth0.10'), path)
  const wrong = [
    'kernel.pid_max',
    'net',
    'net.',
    'network.core.somaxconn',
    'net/../kernel/pid_max',
    'net.//.kernel.pid_max',
    'net/ipv4/./ip_forward',
    'net..core',
    '//net/core/somaxconn',
    '/net.core.somaxconn',
    '/kernel/pid_max',
    '/net/../kernel/pid_max',
    '/../net/core/somaxconn',
    './net/core/somaxconn',
    '../net/core/somaxconn',
    '/net',
    '/',
    '',
    'net/core\u0001/x',
  ]
  for (const key of wrong) t.throws(() => sysctlPath(key), { code: 'BAD_CONFIG' }, JSON.stringify(key))
})

t.test('what cannot be', async t => {
  const bad: object[] = [
    { sysctl: { 'net.core.somaxconn': 5 } },
    { sysctl: { 'net.core.somaxconn': '5\n6' } },
    { sysctl: { 'net.core.somaxconn': '5\n6\n' } },
    { sysctl: { 'net.core.somaxconn': '\n5' } },
    { sysctl: { 'net.core.somaxconn': '5\0' } },
    { sysctl: { 'kernel.pid_max': '' } },
    { sysctl: { 'net/../kernel/pid_max': null } },
    { mac: '01:00:00:00:00:00' },
    { ethtool: { features: { tso: 'off' } } },
    { ethtool: { features: { tso: 1 } } },
    { ethtool: { tso: false } },
    { ethtool: { features: { tso: false }, rings: {} } },
  ]
  for (const each of bad) t.throws(() => tuning.parse(each), { code: 'BAD_CONFIG' }, JSON.stringify(each))
})

t.test('values as the reference takes them', async t => {
  const valueOf = (value: unknown) => tuning.parse({ sysctl: { 'net.core.x': value } }).parameters[0]?.value
  t.equal(valueOf('20000 30000\n'), '20000 30000')
  t.equal(valueOf('5\n\n'), '5')
  t.equal(valueOf('\n'), '', 'an empty value')
  for (const nothing of ['', null]) t.equal(valueOf(nothing), undefined, 'none')
})

t.test('the allowlist of the machine', async t => {
  const parameters = tuning.parse({ sysctl: { 'net.ipv4.conf.IFNAME.arp_filter': '1' } }).parameters
  t.doesNotThrow(() => requireAllowed(parameters), 'without a file all may be set')
  execFileSync('mount', ['-t', 'tmpfs', 'tnet', '/etc'])
  try {
    mkdirSync('/etc/cni/tuning', { recursive: true })
    const file = '/etc/cni/tuning/allowlist.conf'
    writeFileSync(file, '^net\\.core\\.\n\n')
    t.throws(() => requireAllowed(parameters), { code: 'BAD_CONFIG' })
    writeFileSync(file, '^net\\.core\\.\n^net\\.ipv4\\.conf\\.IFNAME\\.[a-z_]*$\n')
    t.doesNotThrow(() => requireAllowed(parameters))
    writeFileSync(file, '(\n')
    t.throws(() => requireAllowed(parameters), { code: 'BAD_CONFIG' }, 'what cannot be read allows nothing')
    t.equal(readFileSync(file, 'utf8'), '(\n')
    for (const line of ['\\Anet', '[[:alpha:]]', 'net\\z', '(?i)net']) {
      writeFileSync(file, `^net\n${line}\n`)
      const message = `${file}: ${JSON.stringify(line)} is no regular expression`
      t.throws(() => requireAllowed(parameters), { code: 'BAD_CONFIG', message }, 'that is how Go has it')
    }
  } finally {
    execFileSync('umount', ['/etc'])
  }
})

t.test('the names of ethtool', async t => {
  const { getFeaturesReply, setFeatures } = ethtoolMessages(21)
  const payload = (name: string) => {
    const file = resolve(import.meta.dirname, `../netlink/generic/vectors/${name}.txt`)
    const [message] = readVector(file).datagrams.flatMap(datagram => [...readMessages(datagram)])
    if (message === undefined) throw new Error(`${name} has no message`)
    return message.payload
  }
  const namesOf = (bits: readonly { name?: string | undefined }[] = []) => bits.map(({ name = '' }) => name)
  const known = namesOf(getFeaturesReply.decode(payload('features-words-reply')).hardware?.bits)
  const sent = namesOf(setFeatures.decode(payload('features-set-short')).wanted?.bits)
  const ours = featureNames.flatMap(({ short }) => matching(kernelName(short), known))
  t.strictSame(ours, sent, 'stand for what it sends')

  const shown = execFileSync('ethtool', ['-k', 'lo'], { encoding: 'utf8' })
  const unknown = featureNames.filter(each => !shown.includes(`\n${each.shown}: `)).map(({ short }) => short)
  t.strictSame(unknown, ['ufo'], 'are shown by it, but for what Linux has no more')
  t.strictSame(
    featureNames.map(each => kernelName(each.shown)),
    featureNames.map(each => kernelName(each.short)),
  )
  t.equal(kernelName('tx-gso-list'), 'tx-gso-list')
})

t.test('a kernel that has no netlink interface of ethtool', async t => {
  /** It is asked for another family, which it lacks. */
  class Lacking extends Sandbox {
    override async features(): Promise<Features> {
      const socket = this.open(NETLINK_GENERIC)
      return new Features({
        get: async (type, value, reply) => {
          using _ = socket
          return socket.get(type, { ...value, name: 'nothing' }, reply)
        },
      })
    }
  }
  await using netns = await makeNetns()
  await netns.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'x')
  using sandbox = new Lacking(openNetns(netns.path))
  using host = new Host({ runDir: '/run/tnet' })
  const network = { name: 'n', options: tuning.parse({ mtu: 1400, ethtool: { features: { tso: false } } }) }
  const owner = { network: 'n', containerId: 'c', ifname: 'eth0' }
  const before = await snapshot()
  await using steps = new Steps()
  await t.rejects(tuning.attach(network, { owner, sandbox, result: NO_RESULT }, host, steps), {
    code: 'UNSUPPORTED',
    message: /^ethtool\.features: /,
  })
  t.equal(await snapshot(), before, 'nothing is done')
  const status = async () => tuning.status?.(network, sandbox as never, () => {})
  await t.rejects(status, { code: 'UNAVAILABLE' })
})
