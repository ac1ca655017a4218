// Lease directories that are read-only, full, planted or forbidden.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseHostLocal } from '../../../src/ipam/host-local/config.ts'
import { hostLocal } from '../../../src/ipam/host-local/host-local.ts'
import { isolated } from '../../harness/namespaces.ts'

isolated(import.meta)

const NETWORK = 'net'
const one = { network: NETWORK, containerId: 'c1', ifname: 'eth0' }
const two = { ...one, containerId: 'c2' }

function ipam(dataDir: string) {
  return hostLocal(parseHostLocal({ ipam: { dataDir, subnet: '10.1.0.0/24' } }))
}

/** A file system of its own at `path`. */
function mount(path: string, options: string): void {
  mkdirSync(path)
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tnet', path])
}

function remount(path: string, options: string): void {
  execFileSync('mount', ['-o', `remount,bind,${options}`, path])
}

function leases(path: string): string[] {
  return readdirSync(join(path, NETWORK)).filter(name => name.startsWith('10.'))
}

t.test('owners and modes', async t => {
  process.umask(0)
  await ipam('/run/a/b').allocate(one)
  const mode = (path: string) => (lstatSync(join('/run/a/b', path)).mode & 0o7777).toString(8)
  t.equal(mode('net'), '755')
  t.equal(mode('net/10.1.0.2'), '600')
  t.equal(mode('net/last_reserved_ip.0'), '600')
  t.equal(mode('net/lock'), '750')
  t.equal(mode('.tnet'), '700')
  t.equal(mode('.tnet/net'), '700')
})

t.test('read-only', async t => {
  mount('/run/ro', 'size=1m')
  const leased = ipam('/run/ro')
  await leased.allocate(one)
  remount('/run/ro', 'ro')
  await t.rejects(leased.allocate(two), { code: 'IO' })
  await t.rejects(leased.release(one), { code: 'IO' }, 'never says done while the lease is there')
  await leased.release(two)
  await leased.check(one)
  await leased.status(NETWORK)
  await t.rejects(ipam('/run/ro/none').allocate(one), { code: 'IO' })
  t.same(leases('/run/ro'), ['10.1.0.2'])
  remount('/run/ro', 'rw')
  await leased.release(one)
  t.same(leases('/run/ro'), [])
})

t.test('full', async t => {
  mount('/run/full', 'size=64k')
  const leased = ipam('/run/full')
  await leased.allocate(one)
  writeFileSync('/run/full/old', 'x'.repeat(4096))
  t.throws(() => writeFileSync('/run/full/ballast', Buffer.alloc(1 << 20)), { code: 'ENOSPC' })
  await t.rejects(leased.allocate(two), { code: 'IO' })
  t.same(leases('/run/full'), ['10.1.0.2'], 'nothing is left of the attempt')
  await leased.release(one)
  t.same(leases('/run/full'), [])
})

t.test('without inodes', async t => {
  mount('/run/inodes', 'nr_inodes=20')
  const leased = ipam('/run/inodes')
  await leased.allocate(one)
  for (let n = 0; ; n++) {
    try {
      writeFileSync(`/run/inodes/${n}`, '')
    } catch {
      break
    }
  }
  await t.rejects(leased.allocate(two), { code: 'IO' })
  writeFileSync('/run/inodes/net/lock', '')
  t.same(leases('/run/inodes'), ['10.1.0.2'])
  await leased.release(one)
  t.same(leases('/run/inodes'), [])
})

t.test('the index has no room, or is something else: leases are still given back', async t => {
  const leased = ipam('/run/index')
  await leased.allocate(one)
  execFileSync('rm', ['-r', '/run/index/.tnet'])
  writeFileSync('/run/index/.tnet', '')
  await t.rejects(leased.allocate(two), { code: 'IO' })
  await leased.check(one)
  await leased.release(one)
  t.same(leases('/run/index'), [])
  await leased.release(one)
  await leased.gc(NETWORK, [])
})

t.test('planted symbolic links are not followed', async t => {
  mkdirSync('/run/prey')
  writeFileSync('/run/prey/file', 'untouched')
  const links: Record<string, string> = {
    'net/lock': '/run/prey/made',
    'net/last_reserved_ip.0': '/run/prey/file',
    '.tnet': '/run/prey',
    '.tnet/net': '/run/prey',
  }
  for (const [index, [name, target]] of Object.entries(links).entries()) {
    const dataDir = `/run/planted${index}`
    const path = join(dataDir, name)
    mkdirSync(join(path, '..'), { recursive: true })
    symlinkSync(target, path)
    await t.rejects(ipam(dataDir).allocate(one), { code: 'IO' }, name)
    t.equal(readlinkSync(path), target, 'the link is as it was')
    if (name.startsWith('.tnet')) {
      await ipam(dataDir).release(one)
      t.same(leases(dataDir), [], 'nothing is leased')
    }
  }
  await t.test('in the place of a lease: not given away, not removed', async t => {
    mkdirSync('/run/lease/net', { recursive: true })
    symlinkSync('/run/prey/file', '/run/lease/net/10.1.0.2')
    mkdirSync('/run/lease/net/10.1.0.3')
    execFileSync('mkfifo', ['/run/lease/net/10.1.0.5'])
    const { ips } = await ipam('/run/lease').allocate(one)
    t.match(ips, [{ address: '10.1.0.4/24' }])
    await t.rejects(ipam('/run/lease').allocate(two, ['10.1.0.2']), { code: 'TAKEN' })
    await ipam('/run/lease').gc(NETWORK, [])
    t.ok(lstatSync('/run/lease/net/10.1.0.2').isSymbolicLink())
    t.ok(existsSync('/run/lease/net/10.1.0.3'))
  })
  t.same(readdirSync('/run/prey'), ['file'])
  t.equal(readFileSync('/run/prey/file', 'utf8'), 'untouched')
})

t.test('links of an administrator were refused: leases that were moved to another disk', async t => {
  mkdirSync('/run/disk/all/net', { recursive: true })
  mkdirSync('/run/disk/net')
  mkdirSync('/run/moved', { mode: 0o755 })
  symlinkSync('/run/disk/all', '/run/moved/networks')
  symlinkSync('../disk/net', '/run/moved/net')
  for (const [dataDir, real] of [
    ['/run/moved/networks', '/run/disk/all/net'],
    ['/run/moved', '/run/disk/net'],
  ] as const) {
    const leased = ipam(dataDir)
    const names = () => readdirSync(real).filter(name => name.startsWith('10.'))
    t.match((await leased.allocate(one)).ips, [{ address: '10.1.0.2/24' }])
    await leased.allocate(two)
    t.same(names(), ['10.1.0.2', '10.1.0.3'], dataDir)
    const index = join(dataDir, '.tnet', NETWORK)
    t.same(readdirSync(index), ['c1:eth0', 'c2:eth0'])
    const made = lstatSync(index).mtimeMs
    await leased.check(one)
    t.equal(lstatSync(index).mtimeMs, made, 'the index holds')
    await leased.status(NETWORK)
    await leased.release(one)
    t.same(names(), ['10.1.0.3'])
    await leased.gc(NETWORK, [])
    t.same(names(), [])
  }
  t.equal(readlinkSync('/run/moved/net'), '../disk/net')
})

t.test('links that others may have made are not followed, nor those that lead nowhere', async t => {
  mkdirSync('/run/target')
  const rows = [
    {
      why: 'others may write beside it',
      dataDir: '/run/open',
      link: '/run/open/net',
      to: '/run/target',
      mode: 0o777,
    },
    {
      why: 'the data directory',
      dataDir: '/run/wide/data',
      link: '/run/wide/data',
      to: '/run/target',
      mode: 0o1777,
    },
    {
      why: 'a disk that is away',
      dataDir: '/run/away',
      link: '/run/away/net',
      to: '/run/not-there',
      mode: 0o755,
    },
  ]
  for (const { why, dataDir, link, to, mode } of rows) {
    const folder = join(link, '..')
    mkdirSync(folder)
    symlinkSync(to, link)
    chmodSync(folder, mode)
    const leased = ipam(dataDir)
    await t.rejects(leased.allocate(one), { code: 'IO' }, why)
    await t.rejects(leased.release(one), { code: 'IO' }, 'DEL must not say that there is no lease')
    await t.rejects(leased.gc(NETWORK, []), { code: 'IO' })
    await t.rejects(leased.status(NETWORK), { code: 'IO' })
  }
  t.same(readdirSync('/run/target'), [])
  t.notOk(existsSync('/run/not-there'))
})

t.test('something else in the place of a directory or file', async t => {
  writeFileSync('/run/plain', '')
  await t.rejects(ipam('/run/plain').allocate(one), { code: 'IO' })
  await t.rejects(ipam('/run/plain').release(one), { code: 'IO' })
  await t.rejects(ipam('/proc/none').allocate(one), { code: 'IO' })
  mkdirSync('/run/other')
  writeFileSync('/run/other/net', '')
  await t.rejects(ipam('/run/other').allocate(one), { code: 'IO' })
  mkdirSync('/run/fifo/net', { recursive: true })
  execFileSync('mkfifo', ['/run/fifo/net/last_reserved_ip.0'])
  await t.rejects(ipam('/run/fifo').allocate(one), { code: 'IO' }, 'does not wait for a writer')
})

t.test('names that lead elsewhere', async t => {
  for (const network of ['', '.', '..', '../x', 'a/b', '.tnet', '-x', 'a b', 'a\n', 'ä']) {
    const there = { ...one, network }
    await t.rejects(ipam('/run/names').allocate(there), { code: 'BAD_CONFIG' }, JSON.stringify(network))
    await t.rejects(ipam('/run/names').release(there), { code: 'BAD_CONFIG' }, JSON.stringify(network))
    await t.rejects(ipam('/run/names').gc(network, []), { code: 'BAD_CONFIG' }, JSON.stringify(network))
  }
  await t.rejects(ipam('/run/names').allocate({ ...one, network: 'x'.repeat(300) }), { code: 'IO' })
  for (const containerId of ['', 'a b', 'a\r\neth0', 'a\0', 'x'.repeat(256)]) {
    await t.rejects(ipam('/run/names').allocate({ ...one, containerId }), { code: 'BAD_ENVIRONMENT' })
    await t.rejects(ipam('/run/names').allocate({ ...one, ifname: containerId }), { code: 'BAD_ENVIRONMENT' })
  }
  t.notOk(existsSync('/run/names/net'))
})

t.test('what is not there is not made by those that only look, nor by what is refused', async t => {
  const absent = ipam('/run/absent')
  await absent.release(one)
  await absent.gc(NETWORK, [])
  await absent.status(NETWORK)
  await t.rejects(absent.check(one), { code: 'CHECK_FAILED' })
  await t.rejects(absent.allocate(one, ['10.9.0.1']), { code: 'BAD_CONFIG' })
  t.notOk(existsSync('/run/absent'))
})
