// What the reference's plugins leave for a container goes with one call; nobody else's does.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Host } from '../../src/net/host.ts'
import type { Remnant } from '../../src/net/tables.ts'
import { isolated, lacks, makeNetns } from '../harness/namespaces.ts'
import { call, subjects } from '../harness/plugins.ts'
import { run } from '../harness/run.ts'
import { dualStack } from '../harness/samples.ts'
import { scratch } from '../harness/tools.ts'

isolated(import.meta)

const NETWORK = 'upgraded'
const owner = (containerId: string) => ({ network: NETWORK, containerId, ifname: 'eth0' })
const reference = subjects().find(({ name }) => name === 'reference')

async function clear(remnant: Remnant, containerId: string): Promise<void> {
  using host = new Host({ runDir: '/run/tnet' })
  await host.clearRemnants(remnant, owner(containerId), await host.tables())
}

async function has(remnant: Remnant, containerId: string): Promise<boolean> {
  using host = new Host({ runDir: '/run/tnet' })
  return host.hasRemnants(remnant, owner(containerId))
}

type Kind = 'nft' | 'legacy'
const PROGRAMS = ['iptables', 'ip6tables']

/** The rules of both families as iptables shows them, which it refuses to do where it finds what it does not know. */
async function rules(kind: Kind): Promise<string[]> {
  const texts = await Promise.all(PROGRAMS.map(program => run(`${program}-${kind}-save`, ['-t', 'nat'])))
  return texts
    .join('')
    .split('\n')
    .filter(line => /^(-A|:CNI)/.test(line))
    .map(line => line.replace(/\[\d+:\d+\]/, ''))
    .sort()
}

/** In a namespace that was made together with its user namespace, root may not read which tables there are. */
function unreadable(): false | string {
  execFileSync('iptables-legacy', ['-t', 'nat', '-S'])
  const { status } = spawnSync('cat', ['/proc/net/ip_tables_names'])
  return status !== 0 && 'this kernel has no names of tables for this user namespace'
}

/** A PATH whose iptables is of this kind. */
function pathOf(kind: Kind): string {
  const folder = scratch(kind)
  if (!existsSync(folder)) {
    mkdirSync(folder)
    for (const program of PROGRAMS) symlinkSync(`/usr/sbin/${program}-${kind}`, join(folder, program))
  }
  return `${folder}:/usr/sbin:/usr/bin:/sbin:/bin`
}

async function addByReference(t: Test, kind: Kind, containerId: string, hostPort: number): Promise<void> {
  const netns = await makeNetns('upgraded')
  t.teardown(() => netns[Symbol.asyncDispose]())
  const request = { verb: 'ADD', containerId, netns: netns.path, env: { PATH: pathOf(kind) } }
  const dir = reference?.dir ?? ''
  const common = { cniVersion: '1.0.0', name: NETWORK }
  const bridge = { ...common, type: 'bridge', isDefaultGateway: true, ipMasq: true, ipam: dualStack }
  const under = await call(dir, 'bridge', { ...request, config: bridge })
  if (under.code !== 0) throw new Error(under.stdout)
  const portMappings = [
    { hostPort, containerPort: 80, protocol: 'tcp' },
    { hostPort, containerPort: 53, protocol: 'udp' },
  ]
  const portmap = { ...common, type: 'portmap', prevResult: under.json, runtimeConfig: { portMappings } }
  const added = await call(dir, 'portmap', { ...request, config: portmap })
  if (added.code !== 0) throw new Error(added.stdout)
}

const noReference = reference === undefined && 'there is no plugin directory of the reference on this machine'

for (const kind of ['nft', 'legacy'] as const) {
  const skip = noReference || (kind === 'legacy' && (lacks('legacy iptables') || unreadable()))
  t.test(`chains of iptables-${kind}`, { skip }, async t => {
    t.teardown(() => rmSync(`/var/lib/cni/networks/${NETWORK}`, { recursive: true }))
    await addByReference(t, kind, 'one', 8080)
    const before = await rules(kind)
    await addByReference(t, kind, 'two', 8081)
    t.not((await rules(kind)).join('\n'), before.join('\n'))
    t.ok((await has('ports', 'two')) && (await has('masquerade', 'two')))
    await clear('ports', 'three')
    await clear('ports', 'two')
    t.notOk(await has('ports', 'two'))
    t.ok(await has('masquerade', 'two'), 'of masquerade nothing was asked')
    await clear('masquerade', 'two')
    t.strictSame(await rules(kind), before, 'what the first has is as it was')
    await clear('masquerade', 'two')
    await clear('ports', 'one')
    await clear('masquerade', 'one')
    t.notMatch((await rules(kind)).join('\n'), /CNI-(DN-)?[\da-f]{20}|"one"|\\"one/)
    await run(`iptables-${kind}`, ['-t', 'nat', '-A', 'POSTROUTING', '-j', 'ACCEPT'])
  })
}

t.test('a table that cannot be changed', { skip: lacks('legacy iptables') }, async t => {
  const nft = (...words: string[]) => run('nft', words)
  await nft('add', 'table', 'ip', 'cni_hostport')
  await nft('add', 'chain', 'ip', 'cni_hostport', 'hostports')
  await nft('add', 'rule', 'ip', 'cni_hostport', 'hostports', 'accept', 'comment', '"one"')
  const program = realpathSync('/usr/sbin/iptables-legacy-save')
  await run('mount', ['--bind', realpathSync('/bin/false'), program])
  using host = new Host({ runDir: '/run/tnet' })
  const tables = new Set(['iptables-legacy nat', 'ip6tables-legacy nat', 'ip cni_hostport'])
  try {
    const message = /iptables-legacy-save: it ended with 1.*ip6tables-legacy-save: it ended with 1/s
    await t.rejects(host.clearRemnants('ports', owner('one'), tables), { message })
  } finally {
    await run('umount', [program])
  }
  t.notMatch(await nft('list', 'ruleset'), /comment/, 'the others are clean')
  await nft('delete', 'table', 'ip', 'cni_hostport')
})

const OTHER = 'none of ours, net: upgraded, if: eth0, id: two'

t.test('rules of tables of its own', async t => {
  const nft = (...words: string[]) => run('nft', words)
  const { createHash } = await import('node:crypto')
  const digest = (text: string) => createHash('sha512').update(text).digest('hex').slice(0, 16)
  const instance = `${digest(NETWORK)}-${digest('eth0:one')}, net: ${NETWORK}, if: eth0, id: one`
  await nft('add', 'table', 'inet', 'cni_plugins_masquerade')
  await nft('add', 'chain', 'inet', 'cni_plugins_masquerade', 'masq_checks')
  for (const comment of [instance, OTHER]) {
    await nft(
      'add',
      'rule',
      'inet',
      'cni_plugins_masquerade',
      'masq_checks',
      'accept',
      'comment',
      `"${comment}"`,
    )
  }
  for (const family of ['ip', 'ip6']) {
    await nft('add', 'table', family, 'cni_hostport')
    for (const chain of ['hostports', 'hostip_hostports', 'masquerading']) {
      await nft('add', 'chain', family, 'cni_hostport', chain)
      for (const id of ['one', 'onerous', 'two']) {
        await nft('add', 'rule', family, 'cni_hostport', chain, 'accept', 'comment', `"${id}"`)
      }
    }
  }
  t.ok((await has('ports', 'one')) && (await has('masquerade', 'one')))
  await clear('ports', 'one')
  await clear('masquerade', 'one')
  const left = await nft('list', 'ruleset')
  t.equal(left.match(/comment "one"/g), null)
  t.equal(left.match(/comment "(onerous|two)"/g)?.length, 12)
  t.notMatch(left, instance)
  t.match(left, OTHER)
  t.notOk((await has('ports', 'one')) || (await has('masquerade', 'one')))
})
