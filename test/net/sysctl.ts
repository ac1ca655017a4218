// Kernel parameters: what is set holds, in the namespace that was meant and in no other.
import { execFileSync } from 'node:child_process'
import t from 'tap'
import { Host } from '../../src/net/host.ts'
import { openSandbox } from '../../src/net/sandbox.ts'
import { isolated, makeNetns } from '../harness/namespaces.ts'

isolated(import.meta)

const FORWARD = 'net/ipv4/ip_forward'
/** As another program sees it: what tnet reads back could be its own mistake. */
const here = (name: string): string => execFileSync('cat', [`/proc/sys/${name}`], { encoding: 'utf8' }).trim()

t.test('a parameter gets the value, and keeps it', async t => {
  using host = new Host({ runDir: '/run/tnet' })
  for (const value of ['0', '1', '1', '0', '1']) {
    await host.sysctl.set(FORWARD, value)
    t.equal(here(FORWARD), value)
    t.equal(await host.sysctl.get(FORWARD), value)
  }
})

t.test('a value that is shorter than the one before', async t => {
  using host = new Host({ runDir: '/run/tnet' })
  const name = 'net/ipv4/ip_default_ttl'
  for (const value of ['128', '64', '7']) {
    await host.sysctl.set(name, value)
    t.equal(here(name), value)
  }
})

t.test('a list that is long', async t => {
  await using netns = await makeNetns()
  using sandbox = openSandbox(netns.path)
  const name = 'net/ipv4/ip_local_reserved_ports'
  const list = Array.from({ length: 15_000 }, (_, n) => 2001 + 2 * n).join()
  await sandbox.sysctl.set(name, list)
  t.equal(await sandbox.sysctl.get(name), list)
  t.equal((await netns.run('cat', `/proc/sys/${name}`)).trim(), list)
  await sandbox.sysctl.set(name, '')
  t.equal((await netns.run('cat', `/proc/sys/${name}`)).trim(), '')
})

t.test('of a sandbox: the host has its own', async t => {
  await using netns = await makeNetns()
  using host = new Host({ runDir: '/run/tnet' })
  using sandbox = openSandbox(netns.path)
  await host.sysctl.set(FORWARD, '1')
  await sandbox.sysctl.set(FORWARD, '0')
  t.equal((await netns.run('cat', `/proc/sys/${FORWARD}`)).trim(), '0')
  t.equal(here(FORWARD), '1')
})

t.test('one that the kernel does not have', async t => {
  using host = new Host({ runDir: '/run/tnet' })
  await t.rejects(host.sysctl.set('net/ipv4/conf/nosuchlink/arp_notify', '1'), { code: 'ENOENT' })
  await t.rejects(host.sysctl.get('net/ipv4/conf/nosuchlink/arp_notify'), { code: 'ENOENT' })
  await t.resolves(host.sysctl.setIfPresent('net/ipv4/conf/nosuchlink/arp_notify', '1'))
})

t.test('one that can only be written', async t => {
  await using netns = await makeNetns()
  using sandbox = openSandbox(netns.path)
  const name = 'net/ipv6/route/flush'
  await t.resolves(sandbox.sysctl.set(name, '1'))
  await t.rejects(sandbox.sysctl.set(name, 'x'), { code: 'EINVAL' }, 'it was written')
  t.equal(await sandbox.sysctl.getIfReadable(name), undefined)
  await t.rejects(sandbox.sysctl.get(name), { code: 'EACCES' })
})

t.test('one that has no value until it is set', async t => {
  await using netns = await makeNetns()
  using sandbox = openSandbox(netns.path)
  const name = 'net/ipv6/conf/lo/stable_secret'
  t.equal(await sandbox.sysctl.getIfReadable(name), undefined)
  await sandbox.sysctl.set(name, '2001:db8::1')
  t.match(await netns.run('cat', `/proc/sys/${name}`), '2001:0db8:')
})

t.test('one that can only be read', async t => {
  await using netns = await makeNetns()
  using sandbox = openSandbox(netns.path)
  const name = 'net/ipv4/conf/lo/mc_forwarding'
  await t.resolves(sandbox.sysctl.set(name, '0'), 'it has the value')
  await t.rejects(sandbox.sysctl.set(name, '1'), { code: 'EACCES' })
})

t.test('/proc/sys is read-only', async t => {
  using host = new Host({ runDir: '/run/tnet' })
  const name = 'net/ipv4/ip_default_ttl'
  await host.sysctl.set(name, '64')
  execFileSync('mount', ['--bind', '-o', 'ro', '/proc/sys', '/proc/sys'])
  try {
    await t.resolves(host.sysctl.set(name, '64'), 'it has the value')
    await t.rejects(host.sysctl.set(name, '65'), { code: 'EROFS' })
    for (const unread of ['net/ipv4/route/flush', 'net/ipv6/conf/lo/stable_secret'])
      await t.rejects(host.sysctl.set(unread, '1'), { code: 'EROFS' })
  } finally {
    execFileSync('umount', ['/proc/sys'])
  }
})
