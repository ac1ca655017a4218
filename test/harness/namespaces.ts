// Every test with kernel objects runs in network and mount namespaces of its own, and makes more inside.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statfsSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { isolation, which } from './isolation.ts'
import { attempt, run, type Ran, type RunOptions } from './run.ts'

const MARK = 'TNET_TEST_OUTSIDE'
const ROOT = resolve(import.meta.dirname, '../..')

/**
 * The first statement of a test file: `isolated(import.meta)`. Where the process still has the machine's network, it
 * is replaced by one in fresh namespaces, with the same arguments and streams: lo is up; /run, /var/lib/cni and
 * /var/lib/tnet are empty, private and writable. Ends the process with status 1 where that is not possible.
 */
export function isolated(meta: { readonly filename?: string }): void {
  const outside = process.env[MARK]
  if (outside !== undefined && outside !== ownNetns()) return furnish()
  const found = isolation()
  if ('missing' in found) {
    process.stderr.write(`namespaces for this test: missing: ${found.missing}\n`)
    process.exit(1)
  }
  const args = [
    'unshare',
    ...found.unshare,
    process.execPath,
    ...process.execArgv,
    meta.filename ?? '',
    ...process.argv.slice(2),
  ]
  process.execve?.(which('unshare') ?? '', args, { ...cleanEnvironment(), [MARK]: ownNetns() })
}

function ownNetns(): string {
  return readlinkSync('/proc/self/ns/net')
}

/** What a person has set for their own tnet or CNI runtime must not reach the tests. */
function cleanEnvironment(): Record<string, string> {
  const sbin = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(CNI_|TNET_STATE_DIR$|TNET_RUN_DIR$|TNET_DEBUG$)/.test(name),
  )
  return { ...(Object.fromEntries(own) as Record<string, string>), PATH: sbin }
}

let furnished = false

function furnish(): void {
  if (furnished) return
  furnished = true
  privateFolder('/run')
  privateFolder('/var/lib')
  mkdirSync('/var/lib/cni')
  mkdirSync('/var/lib/tnet')
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
}

/**
 * An empty tmpfs in place of `folder`: /var/lib/cni itself may not exist, and making it would change the machine.
 * What the tests run from stays in view, where it happens to lie below `folder`.
 */
function privateFolder(folder: string): void {
  const needed = [ROOT, process.execPath, process.cwd()].filter(path => path.startsWith(`${folder}/`))
  const entries = new Set(needed.map(path => path.slice(folder.length + 1).split('/')[0] ?? ''))
  const kept = [...entries].map(entry => ({
    path: join(folder, entry),
    fd: openSync(join(folder, entry), 'r'),
  }))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tnet', folder])
  for (const { path, fd } of kept) {
    mkdirSync(path)
    execFileSync('mount', ['--no-canonicalize', '--rbind', `/proc/${process.pid}/fd/${fd}`, path])
    closeSync(fd)
  }
}

/** A named network namespace, as `ip netns` makes it; `using` deletes it at the end of the block. */
export interface Netns extends AsyncDisposable {
  readonly name: string
  /** What CNI_NETNS is set to. */
  readonly path: string
  /** Runs a program inside that has to succeed; answers its standard output. */
  run(file: string, ...args: string[]): Promise<string>
  /** Runs a program inside, whatever its exit status. */
  attempt(file: string, args: readonly string[], options?: RunOptions): Promise<Ran>
  remove(): Promise<void>
}

let made = 0

/** A fresh network namespace with lo up. Names are `${prefix}1`, `${prefix}2`, ... */
export async function makeNetns(prefix = 'sandbox'): Promise<Netns> {
  const name = `${prefix}${++made}`
  await run('ip', ['netns', 'add', name])
  await run('ip', ['-n', name, 'link', 'set', 'lo', 'up'])
  return netns(name)
}

function netns(name: string): Netns {
  const path = `/run/netns/${name}`
  const remove = async () => {
    if (isNetns(path)) await run('ip', ['netns', 'del', name])
    // A test may have put something else in its place.
    else rmSync(path, { force: true })
  }
  return {
    name,
    path,
    run: (file, ...args) => run(file, args, { netns: path }),
    attempt: (file, args, options) => attempt(file, args, { ...options, netns: path }),
    remove,
    async [Symbol.asyncDispose]() {
      if (isNetns(path)) await clear(name)
      await remove()
    },
  }
}

/** The kernel takes a namespace down later: until then, the other ends of its pairs would be seen by the next test. */
async function clear(name: string): Promise<void> {
  const links = JSON.parse(await run('ip', ['-n', name, '-j', 'link'])) as { ifname: string }[]
  for (const { ifname } of links) {
    if (ifname !== 'lo') await attempt('ip', ['-n', name, 'link', 'del', ifname])
  }
}

/** Names of the namespaces in /run/netns, in order. */
export function netnsNames(): string[] {
  const names = existsSync('/run/netns') ? readdirSync('/run/netns') : []
  return names.filter(name => isNetns(`/run/netns/${name}`)).sort()
}

const NSFS_MAGIC = 0x6e736673

function isNetns(path: string): boolean {
  return existsSync(path) && statfsSync(path).type === NSFS_MAGIC
}

/**
 * For `{ skip: lacks(...) }`: false where the kernel has it, otherwise the reason. Only what a kernel may be built
 * without belongs here; a program or a permission that is missing is a failure.
 */
export function lacks(feature: Feature): false | string {
  const probe = spawnSync('unshare', ['--net', 'sh', '-c', FEATURES[feature]], { encoding: 'utf8' })
  return probe.status === 0 ? false : `this kernel has no ${feature}: ${probe.stderr.trim().split('\n')[0]}`
}

const ON_VETH = (spec: string) =>
  `ip link add name lower type veth peer name peer && ip link add link lower name x ${spec}`

const FEATURES = {
  bridge: 'ip link add x type bridge',
  veth: 'ip link add x type veth peer name y',
  dummy: 'ip link add x type dummy',
  tun: 'ip tuntap add dev x mode tap',
  ifb: 'ip link add x type ifb',
  vrf: 'ip link add x type vrf table 10',
  vxlan: 'ip link add x type vxlan id 1 dstport 4789',
  geneve: 'ip link add x type geneve id 1 remote 192.0.2.1',
  wireguard: 'ip link add x type wireguard',
  macvlan: ON_VETH('type macvlan mode bridge'),
  ipvlan: ON_VETH('type ipvlan mode l2'),
  vlan: ON_VETH('type vlan id 10'),
  // The kernel loads it for the first socket.
  SCTP: 'python3 -c "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)" 2>/dev/null || { echo no protocol SCTP >&2; false; }',
  'legacy iptables': 'iptables-legacy -S',
  // The user namespace that a normal user makes has root alone.
  'second user': 'setpriv --reuid 65534 --clear-groups true',
  // The kernel makes none for a process whose root is not that of its mount namespace.
  'user namespace': 'unshare --user true',
  'bridge VLAN filtering': 'ip link add x type bridge vlan_filtering 1',
} as const

export type Feature = keyof typeof FEATURES

export const features = Object.keys(FEATURES) as Feature[]
