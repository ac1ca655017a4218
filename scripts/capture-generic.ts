// Captures what ethtool says to the kernel, and what it answers, as golden vectors for src/netlink/generic.
//
//   node scripts/capture-generic.ts [NAME...]      needs root, strace, ip, ethtool, and what `npm run build` makes
//
// Each case runs in a fresh network namespace. The commands before the last only prepare it.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { datagrams } from './strace.ts'

const FOLDER = resolve(import.meta.dirname, '../test/netlink/generic/vectors')
const VETH =
  'ip link add name va index 10 address 02:00:00:00:00:0a type veth peer name vb index 11 address 02:00:00:00:00:0b'
const ALL = 'rx tx sg tso gso gro lro rxvlan txvlan ntuple rxhash'
/** ethtool asks for features in bytes; this asks for them in words. */
const IN_WORDS = `node ${resolve(import.meta.dirname, '../examples/netlink/features.ts')} va`

interface Case {
  readonly commands: readonly string[]
  /** GENL_ID_CTRL is 16; families with numbers of their own come behind. */
  readonly of: 'controller' | 'family'
  readonly command: number
  readonly direction: 'send' | 'recv' | 'read'
}

const FEATURES = { of: 'family', command: 11 } as const
const CHANGE = { of: 'family', command: 12 } as const
const change = (what: string) => [VETH, `ethtool -K va ${what}`]

const CASES: Readonly<Record<string, Case>> = {
  'family-get': { of: 'controller', command: 3, direction: 'send', commands: [VETH, 'ethtool -k va'] },
  'family-reply': { of: 'controller', command: 1, direction: 'recv', commands: [VETH, 'ethtool -k va'] },
  'features-get': { ...FEATURES, direction: 'send', commands: [VETH, 'ethtool -k va'] },
  'features-reply': { ...FEATURES, direction: 'recv', commands: [VETH, 'ethtool -k va'] },
  'features-words-reply': { ...FEATURES, direction: 'read', commands: [VETH, IN_WORDS] },
  'features-set': {
    ...CHANGE,
    direction: 'send',
    commands: change('tx-tcp-segmentation off tx-udp-segmentation on'),
  },
  'features-set-short': {
    ...CHANGE,
    direction: 'send',
    commands: change(ALL.replaceAll(/\w+/g, '$& off')),
  },
  'features-set-reply': {
    ...CHANGE,
    direction: 'recv',
    commands: change('tx off tx-checksum-ipv4 on'),
  },
}

function main(names: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'capture-'))
  try {
    for (const [name, each] of Object.entries(CASES)) {
      if (names.length === 0 || names.includes(name)) capture(name, each, folder)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function capture(name: string, { commands, of, command, direction }: Case, folder: string): void {
  const trace = join(folder, 'trace')
  const last = commands.at(-1) ?? ''
  const before = commands.slice(0, -1)
  const script = [
    ...before,
    `strace -e trace=sendto,recvmsg,read -e write=all -e read=all -s 0 -o ${trace} ${last} >/dev/null || true`,
  ]
  const { status } = spawnSync('unshare', ['--net', 'sh', '-ec', script.join('\n')], { stdio: 'inherit' })
  if (status !== 0) throw new Error(`${name}: ${last}`)
  const kept = datagrams(readFileSync(trace, 'utf8'), direction).filter(hex => {
    const datagram = Buffer.from(hex, 'hex')
    if (datagram.length < 20 || datagram.readUInt32LE(0) !== datagram.length) return false
    const type = datagram.readUInt16LE(4)
    return (of === 'controller' ? type === 16 : type > 16) && datagram[16] === command
  })
  const head = [
    last.replaceAll(`${resolve(import.meta.dirname, '..')}/`, ''),
    execFileSync(last.split(' ')[0] ?? '', ['--version'], { encoding: 'utf8' }).trim(),
    `Linux ${release().split('-')[0]}`,
    ...before.map(line => `after: ${line}`),
  ]
  const text = [
    ...head.map(line => `# ${line}`),
    ...kept.map(hex => hex.replace(/.{64}/g, '$&\n').trimEnd() + '\n'),
  ]
  writeFileSync(join(FOLDER, `${name}.txt`), text.join('\n'))
  process.stdout.write(`${name}: ${kept.map(hex => hex.length / 2).join(' + ')} bytes\n`)
}

main(process.argv.slice(2))
