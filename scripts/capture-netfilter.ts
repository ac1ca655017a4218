// Captures what nft, iptables-nft and conntrack say to the kernel, as golden vectors for the tests of
// src/netlink/netfilter and src/netlink/conntrack.
//
//   node scripts/capture-netfilter.ts [NAME...]      needs root, strace, nft, iptables-nft, conntrack
//
// Each case runs in a fresh network namespace. The commands before the last only prepare it.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Names that begin with this word are about connection tracking. */
const CONNECTION = /^connection-/

function folderOf(name: string): string {
  const part = CONNECTION.test(name) ? 'conntrack' : 'netfilter'
  return resolve(import.meta.dirname, `../test/netlink/${part}/vectors`)
}

const TABLE = 'add table inet t'
const CHAIN = 'add chain inet t c'
const NAT = 'add chain inet t n { type nat hook prerouting priority dstnat; policy accept; }'
const ESTABLISHED = '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'
const BRIDGE = ['add table bridge t', 'add chain bridge t c']

const rule = (text: string) => [TABLE, CHAIN, `add rule inet t c ${text}`]
const nat = (text: string) => [TABLE, NAT, `add rule inet t n ${text}`]
const set = (text: string) => [TABLE, `add set inet t s { ${text} }`]
const map = (text: string) => [TABLE, `add map inet t m { ${text} }`]

/** The arguments of nft; of another program where the line begins with `!`: there quotes hold a word together. */
const CASES: Record<string, readonly string[]> = {
  'table-add': ['add table inet t { comment "ours" ; }'],
  'table-delete': [TABLE, 'delete table inet t'],
  'table-flush': [TABLE, CHAIN, 'flush table inet t'],
  'chain-base': [
    TABLE,
    'add chain inet t c { type nat hook postrouting priority srcnat; policy accept; comment "out"; }',
  ],
  'chain-before-all': [
    'add table bridge t',
    'add chain bridge t c { type filter hook prerouting priority -300; policy drop; }',
  ],
  'chain-plain': [TABLE, CHAIN],
  'chain-delete': [TABLE, CHAIN, 'delete chain inet t c'],
  'chain-flush': [TABLE, CHAIN, 'flush chain inet t c'],
  'rule-delete': [...rule('accept'), 'delete rule inet t c handle 2'],
  'rule-insert': [TABLE, CHAIN, 'insert rule inet t c accept'],
  'rule-comment': rule('ip saddr 10.0.0.1 drop comment "ours"'),
  'bitwise-cmp': rule('ip daddr 224.0.0.0/4 return'),
  'ct-state': rule('ct state established,related accept'),
  'ct-direction': rule('ct original ip daddr 10.0.0.1 accept'),
  'meta-byteorder': rule('meta mark > 100 accept'),
  'meta-set': rule('meta mark set 1'),
  'meta-names': rule('iifname "eth0" oifname != "eth1" jump c2').toSpliced(2, 0, 'add chain inet t c2'),
  goto: [TABLE, CHAIN, 'add chain inet t c2', 'add rule inet t c goto c2'],
  dnat: nat('meta l4proto tcp dnat ip to 10.0.0.2:8080'),
  snat: [
    TABLE,
    'add chain inet t n { type nat hook postrouting priority srcnat; }',
    'add rule inet t n snat ip6 to fd00::1',
  ],
  masquerade: [
    TABLE,
    'add chain inet t n { type nat hook postrouting priority srcnat; }',
    'add rule inet t n masquerade',
  ],
  redirect: nat('tcp dport 80 redirect to :8080'),
  counter: rule('counter'),
  log: rule('log prefix "tnet " level warn'),
  limit: rule('limit rate 10/second burst 5 packets accept'),
  'limit-over': rule('limit rate over 1 mbytes/minute drop'),
  'reject-icmpx': rule('reject with icmpx admin-prohibited'),
  'reject-tcp': rule('meta l4proto tcp reject with tcp reset'),
  range: rule('th dport != 1000-2000 drop').map(line =>
    line.replace('th dport', 'meta l4proto tcp th dport'),
  ),
  fib: rule('fib daddr type local accept'),
  jhash: rule('meta mark set jhash ip saddr mod 16 seed 0x7'),
  numgen: rule('meta mark set numgen inc mod 4'),
  lookup: [TABLE, CHAIN, 'add set inet t s { type ifname; }', 'add rule inet t c iifname @s accept'],
  'lookup-not': [
    ...BRIDGE,
    'add set bridge t s { type ifname . ether_addr; }',
    'add rule bridge t c iifname . ether saddr != @s drop',
  ],
  'lookup-vmap': [
    TABLE,
    CHAIN,
    'add map inet t m { type ifname : verdict; }',
    'add rule inet t c iifname vmap @m',
  ],
  'lookup-map': [
    TABLE,
    CHAIN,
    'add map inet t m { type ipv4_addr : mark; }',
    'add rule inet t c meta mark set ip saddr map @m',
  ],
  dynset: [
    TABLE,
    CHAIN,
    'add set inet t s { type ipv4_addr; flags dynamic,timeout; }',
    'add rule inet t c update @s { ip saddr timeout 60s }',
  ],
  'dynset-counter': [
    TABLE,
    CHAIN,
    'add set inet t s { type ipv4_addr; flags dynamic; }',
    'add rule inet t c add @s { ip saddr counter }',
  ],
  notrack: [
    TABLE,
    'add chain inet t n { type filter hook prerouting priority raw; }',
    'add rule inet t n notrack',
  ],
  objref: [TABLE, CHAIN, 'add counter inet t seen', 'add rule inet t c counter name "seen"'],
  compat: [
    '!iptables-nft -t nat -N OURS',
    '!iptables-nft -t nat -A OURS -m addrtype --dst-type LOCAL -j MARK --set-mark 0x1',
  ],
  'iptables-chain': ['!iptables-nft -N OURS'],
  'iptables-comment': [
    '!iptables-nft -N OURS',
    '!iptables-nft -I FORWARD 1 -m comment --comment "what it is for" -j OURS',
  ],
  'iptables-established': ['!iptables-nft -N OURS', `!iptables-nft -A OURS -d 10.1.0.5/32 ${ESTABLISHED}`],
  'iptables-established-6': [
    '!ip6tables-nft -N OURS',
    `!ip6tables-nft -A OURS -d fd00::5/128 ${ESTABLISHED}`,
  ],
  'iptables-source': ['!iptables-nft -N OURS', '!iptables-nft -A OURS -s 10.1.0.5/32 -j ACCEPT'],
  'iptables-interfaces': ['!iptables-nft -N OURS', '!iptables-nft -I OURS -i cni0 ! -o cni0 -j RETURN'],
  'iptables-interface': ['!iptables-nft -N OURS', '!iptables-nft -A OURS -o cni0 -j DROP'],
  'connection-delete': [
    '!conntrack -I -p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 53 -t 100',
    '!conntrack -D -p udp --orig-port-dst 53',
  ],
  'connection-delete-ipv6': [
    '!conntrack -I -p sctp -s fd00::1 -d fd00::2 --sport 1000 --dport 53 -t 100 --state ESTABLISHED --orig-vtag 1 --reply-vtag 1',
    '!conntrack -D -f ipv6 -p sctp --orig-port-dst 53',
  ],
  'dnat-map': [
    TABLE,
    NAT,
    'add map inet t m { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }',
    'add rule inet t n dnat ip to ip daddr . meta l4proto . th dport map @m',
  ],
  'ct-status': rule('ct status dnat accept'),
  'set-address': set('type ipv4_addr; comment "ours";'),
  'set-interval': set('type ipv4_addr; flags interval;'),
  'set-concatenation': set('type ifname . ether_addr;'),
  'set-ranges': set('type ipv4_addr . ipv4_addr; flags interval;'),
  'set-timeout': set('type ipv6_addr; timeout 30s; size 100;'),
  'map-verdict': map('type ifname : verdict;'),
  'map-target': map('type inet_proto . inet_service : ipv4_addr . inet_service;'),
  'set-delete': [...set('type ipv4_addr;'), 'delete set inet t s'],
  'element-comment': [...set('type ipv4_addr;'), 'add element inet t s { 10.1.2.3 comment "ours" }'],
  'element-timeout': [
    ...set('type ipv4_addr; flags timeout;'),
    'add element inet t s { 10.1.2.3 timeout 60s }',
  ],
  'element-interval': [...set('type ipv4_addr; flags interval;'), 'add element inet t s { 10.1.2.0/24 }'],
  'element-ranges': [
    ...set('type ipv4_addr . ipv4_addr; flags interval;'),
    'add element inet t s { 10.1.2.3 . 10.1.2.0/24 comment "ours" }',
  ],
  'element-names': [
    ...set('type ifname . ether_addr;'),
    'add element inet t s { "veth0" . 02:00:00:00:00:01 }',
  ],
  'element-verdict': [
    ...map('type ifname : verdict;'),
    CHAIN,
    'add element inet t m { "eth0" : jump c, "eth1" : drop }',
  ],
  'element-target': [
    ...map('type inet_proto . inet_service : ipv4_addr . inet_service;'),
    'add element inet t m { tcp . 80 : 10.1.2.3 . 8080 }',
  ],
  'element-catchall': [...map('type ipv4_addr : verdict;'), 'add element inet t m { * : drop }'],
  'element-get': [
    ...set('type ipv4_addr;'),
    'add element inet t s { 10.1.2.3 }',
    'get element inet t s { 10.1.2.3 }',
  ],
  'element-delete': [
    ...set('type ipv4_addr;'),
    'add element inet t s { 10.1.2.3 }',
    'delete element inet t s { 10.1.2.3 }',
  ],
  'object-counter': [TABLE, 'add counter inet t seen { comment "ours" ; }'],
  'object-quota': [TABLE, 'add quota inet t much { over 10 mbytes ; }'],
}

const NFNL_MSG_BATCH_BEGIN = 0x10
const IPCTNL_MSG_CT_DELETE = 0x0102
const NFT_MSG_GETSETELEM = 0x0a0d
const NLM_F_DUMP = 0x300

function main(names: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'capture-'))
  try {
    for (const [name, lines] of Object.entries(CASES)) {
      if (names.length === 0 || names.includes(name)) capture(name, lines, folder)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function capture(name: string, lines: readonly string[], folder: string): void {
  const commands = lines.map(commandOf)
  const trace = join(folder, 'trace')
  const quoted = commands.map(command => command.map(word => `'${word}'`).join(' '))
  const last = quoted.length - 1
  const traced = `strace -e trace=sendto,sendmsg -e write=all -o ${trace} ${quoted[last]}`
  execFileSync('unshare', ['--net', 'sh', '-ec', [...quoted.slice(0, last), traced].join('\n')])
  const sent = datagrams(readFileSync(trace, 'utf8')).filter(hex => isAbout(lines.at(-1) ?? '', hex))
  const shown = commands.map(command => command.join(' '))
  const program = commands[last]?.[0] ?? ''
  const head = [
    shown[last] ?? '',
    version(program),
    `Linux ${release().split('-')[0]}`,
    ...shown.slice(0, last).map(line => `after: ${line}`),
  ]
  const text = [
    ...head.map(line => `# ${line}`),
    ...sent.map(hex => hex.replace(/.{64}/g, '$&\n').trimEnd() + '\n'),
  ]
  writeFileSync(join(folderOf(name), `${name}.txt`), text.join('\n'))
  process.stdout.write(`${name}: ${sent.map(hex => hex.length / 2).join(' + ')} bytes\n`)
}

function commandOf(line: string): string[] {
  if (!line.startsWith('!')) return ['nft', line]
  return [...line.slice(1).matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word)
}

function version(program: string): string {
  return execFileSync(program, ['--version'], { encoding: 'utf8' }).trim()
}

/** The hexadecimal text of each datagram in strace's dump. */
function datagrams(trace: string): string[] {
  const sent: string[] = []
  for (const line of trace.split('\n')) {
    const dumped = /^ \| ([0-9a-f]{5})  ((?:[0-9a-f]{2} {1,2})+)/.exec(line)
    if (/^send(to|msg)\(/.test(line)) sent.push('')
    else if (dumped !== null) sent[sent.length - 1] += (dumped[2] ?? '').replaceAll(' ', '')
  }
  return sent
}

/** Not the questions about the ruleset that precede every change. */
function isAbout(command: string, hex: string): boolean {
  const header = Buffer.from(hex, 'hex')
  const type = header.readUInt16LE(4)
  if (command.startsWith('!conntrack')) return type === IPCTNL_MSG_CT_DELETE
  if (!command.startsWith('get element')) return type === NFNL_MSG_BATCH_BEGIN
  return type === NFT_MSG_GETSETELEM && (header.readUInt16LE(6) & NLM_F_DUMP) === 0
}

main(process.argv.slice(2))
