// Captures what ip, bridge and tc say to the kernel, and what it answers, as golden vectors for src/netlink/route and
// src/netlink/traffic.
//
//   node scripts/capture-route.ts [NAME...]      needs root, strace, ip, bridge, tc
//
// Each case runs in fresh network and mount namespaces. The commands before the last only prepare it. Where the kernel
// lacks what a request asks for, the request itself is captured all the same; replies need a kernel that has it.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { datagrams } from './strace.ts'

/** Names that begin with one of these words are about traffic control. */
const TRAFFIC = /^(qdiscs?|filters?)-/

function folderOf(name: string): string {
  const part = TRAFFIC.test(name) ? 'traffic' : 'route'
  return resolve(import.meta.dirname, `../test/netlink/${part}/vectors`)
}

const VETH =
  'ip link add name va index 10 address 02:00:00:00:00:0a type veth peer name vb index 11 address 02:00:00:00:00:0b'
const UP = [VETH, 'ip link set va up', 'ip link set vb up']
const BRIDGE = [
  'ip link add name br0 index 20 address 02:00:00:00:00:14 up type bridge',
  ...UP,
  'ip link set va master br0',
]
const ADDRESSES = [
  ...UP,
  'ip addr add 10.1.2.3/24 brd + dev va',
  'ip addr add 10.1.2.4 peer 10.1.2.5/32 dev va label va:1 scope link valid_lft 9000 preferred_lft 8000',
  'ip addr add fd00::1/64 dev va nodad',
]
const SHAPED = [...UP, 'ip link add name i0 index 12 up type ifb', 'tc qdisc add dev va clsact']
const ROUTES = [
  ...ADDRESSES,
  'ip route add default via 10.1.2.1 dev va proto 77',
  'ip route add 10.8.0.0/16 via inet6 fd00::9 dev va',
  'ip route add 10.9.0.0/16 table 1000 mtu lock 1400 advmss 1360 nexthop via 10.1.2.1 dev va weight 2 nexthop via inet6 fd00::9 dev va',
  'ip route add blackhole 10.10.0.0/16 metric 5',
  'ip -6 route add fd01::/64 via fd00::9 dev va pref high expires 9000 mtu 1300',
]

/** What is asked of the kernel: the last request of the last command. */
const REQUESTS: Record<string, readonly string[]> = {
  'link-bridge': [
    'ip link add name br0 type bridge forward_delay 400 stp_state 1 priority 100 vlan_filtering 1 vlan_default_pvid 0 group_fwd_mask 8 group_address 01:80:c2:00:00:05 mcast_snooping 0 mcast_querier_interval 100 nf_call_iptables 1',
  ],
  'link-veth': [
    'ip link add name va mtu 1400 address 02:00:00:00:00:0a txqueuelen 5 type veth peer name vb mtu 1400 netns 1',
  ],
  'link-macvlan': [VETH, 'ip link add link va name x type macvlan mode passthru nopromisc bcqueuelen 2000'],
  'link-macvlan-source': [
    VETH,
    'ip link add link va name x type macvlan mode source macaddr set 02:00:00:00:00:01 02:00:00:00:00:02',
  ],
  'link-ipvlan': [VETH, 'ip link add link va name x type ipvlan mode l3s vepa'],
  'link-vlan': [
    VETH,
    'ip link add link va name x type vlan proto 802.1ad id 100 gvrp on loose_binding off egress-qos-map 1:2 3:4',
  ],
  'link-vxlan': [
    VETH,
    'ip link add name x type vxlan id 42 dev va local 10.0.0.1 remote 10.0.0.2 ttl 9 dstport 4789 srcport 1000 2000 nolearning ageing 100 udpcsum',
  ],
  'link-vxlan-6': [
    VETH,
    'ip link add name x type vxlan id 42 dev va local fd00::1 group ff05::1 dstport 4789 gbp',
  ],
  'link-vrf': ['ip link add name x type vrf table 1000'],
  'link-dummy': ['ip link add name x type dummy'],
  'link-ifb': ['ip link add name x type ifb'],
  'link-set': [VETH, 'ip link set va up mtu 1300 alias ours group 5 arp off'],
  'link-master': [...BRIDGE, 'ip link set vb master br0'],
  'link-delete': [VETH, 'ip link del va'],
  'link-altname': [VETH, 'ip link property add dev va altname first-long-name altname second-long-name'],
  'link-netns': [VETH, 'ip link set va netns 1'],
  'link-port': [...BRIDGE, 'ip link set va type bridge_slave isolated on hairpin on learning off cost 7'],
  'link-addrgenmode': [VETH, 'ip link set va addrgenmode none'],
  'address-4': [
    VETH,
    'ip addr add 10.1.2.3/24 brd + dev va label va:1 scope link valid_lft 9000 preferred_lft 8000',
  ],
  'address-peer': [VETH, 'ip addr add 10.1.2.3 peer 10.1.2.4/32 dev va metric 7'],
  'address-6': [VETH, 'ip addr add fd00::1/64 dev va nodad noprefixroute'],
  'address-delete': [...ADDRESSES, 'ip addr del 10.1.2.3/24 dev va'],
  'route-default': [...ADDRESSES, 'ip route add default via 10.1.2.1 dev va'],
  'route-metrics': [
    ...ADDRESSES,
    'ip route add 10.9.0.0/16 via 10.1.2.1 dev va mtu 1400 advmss 1360 congctl reno proto 77 metric 5 table 1000 src 10.1.2.3',
  ],
  'route-via-6': [...ADDRESSES, 'ip route add 10.8.0.0/16 via inet6 fe80::1 dev va onlink'],
  'route-multipath': [
    ...ADDRESSES,
    'ip route add 10.9.0.0/16 nexthop via 10.1.2.1 dev va weight 2 nexthop via 10.1.2.9 dev vb onlink',
  ],
  'route-link': [...ADDRESSES, 'ip route replace 10.7.0.0/16 dev va scope link tos 0x10'],
  'route-blackhole': ['ip route add blackhole 10.10.0.0/16'],
  'route-6': [...ADDRESSES, 'ip -6 route add fd01::/64 via fd00::9 dev va pref high expires 9000'],
  'route-delete': [...ROUTES, 'ip route del default'],
  'route-get': [...ROUTES, 'ip route get 10.9.1.1 from 10.1.2.3 mark 5 fibmatch'],
  'neighbour-4': [...ADDRESSES, 'ip neigh add 10.1.2.9 lladdr 02:00:00:00:00:99 dev va nud permanent'],
  'neighbour-6': [
    ...ADDRESSES,
    'ip neigh replace fd00::9 lladdr 02:00:00:00:00:99 dev va nud reachable router extern_learn',
  ],
  'neighbour-proxy': [...ADDRESSES, 'ip neigh add proxy 10.1.2.9 dev va'],
  'neighbour-delete': [
    ...ADDRESSES,
    'ip neigh add 10.1.2.9 lladdr 02:00:00:00:00:99 dev va',
    'ip neigh del 10.1.2.9 dev va',
  ],
  'fdb-port': [...BRIDGE, 'bridge fdb add 02:00:00:00:00:99 dev va master static vlan 5'],
  'fdb-vxlan': [
    'ip link add name x index 30 type vxlan id 42 dstport 4789',
    'bridge fdb append 00:00:00:00:00:00 dev x dst 10.0.0.2 vni 7 port 8472 self permanent',
  ],
  'fdb-delete': [
    ...BRIDGE,
    'bridge fdb add 02:00:00:00:00:99 dev va master static',
    'bridge fdb del 02:00:00:00:00:99 dev va master',
  ],
  'rule-all': [
    'ip rule add not from 10.0.0.0/8 to 10.1.0.0/16 tos 0x10 fwmark 0x5/0xff iif va oif vb ipproto tcp sport 1-5 dport 80 uidrange 0-10 priority 77 protocol 77 lookup 1000 suppress_prefixlength 0 suppress_ifgroup 5',
  ],
  'rule-goto': ['ip rule add priority 100 lookup main', 'ip rule add priority 10 goto 100'],
  'rule-blackhole': ['ip -6 rule add from fd00::/8 blackhole'],
  'rule-l3mdev': ['ip rule add l3mdev priority 1000'],
  'rule-delete': ['ip rule add priority 10 lookup 1000', 'ip rule del priority 10'],
  'nsid-set': ['ip netns add other', 'ip netns set other 7'],
  'port-bridge': [...BRIDGE, 'bridge link set dev va isolated on hairpin on learning off cost 7'],
  'vlan-port': [...BRIDGE, 'bridge vlan add dev va vid 5 pvid untagged'],
  'vlan-range': [...BRIDGE, 'bridge vlan add dev va vid 10-20 untagged'],
  'vlan-self': [...BRIDGE, 'bridge vlan add dev br0 vid 7 self'],
  'vlan-delete': [...BRIDGE, 'bridge vlan del dev va vid 10-20'],
  'qdisc-tbf': [...UP, 'tc qdisc replace dev va root handle 1: tbf rate 10mbit burst 32kb latency 25ms'],
  'qdisc-tbf-64': [
    ...UP,
    'tc qdisc add dev va root tbf rate 100gbit burst 1mb limit 2mb peakrate 200gbit mtu 9000',
  ],
  'qdisc-ingress': [...UP, 'tc qdisc add dev va ingress'],
  'qdisc-clsact': [...UP, 'tc qdisc add dev va clsact'],
  'qdisc-delete': [...SHAPED, 'tc qdisc del dev va clsact'],
  'filter-u32': [
    ...SHAPED,
    'tc filter add dev va ingress pref 7 protocol all u32 match u32 0 0 action mirred egress redirect dev i0 cookie 746e6574',
  ],
  'filter-u32-keys': [
    ...SHAPED,
    'tc filter add dev va egress pref 8 protocol ip u32 match ip src 10.0.0.0/8 match ip dport 80 0xffff flowid 1:1',
  ],
  'filter-matchall': [
    ...SHAPED,
    'tc filter add dev va ingress pref 9 protocol all matchall action mirred ingress mirror dev i0',
  ],
  'filter-delete': [
    ...SHAPED,
    'tc filter add dev va ingress pref 7 protocol all u32 match u32 0 0 action mirred egress redirect dev i0',
    'tc filter del dev va ingress pref 7 protocol all',
  ],
}

/** What the kernel answers to the last command, as far as it is of the type that TYPES says. */
const REPLIES: Record<string, readonly string[]> = {
  'links-reply': [
    ...BRIDGE,
    'ip link set va alias ours',
    'ip link property add dev va altname a-name-of-more-than-15-characters',
    'ip link add name vx type vxlan id 42 dev vb local 10.0.0.1 dstport 4789 ttl inherit',
    'ip link add name i0 type ifb',
    'ip link add link vb name mv type macvlan mode source macaddr set 02:00:00:00:00:01',
    'ip tuntap add dev t0 mode tap',
    'ip -d link show',
  ],
  'links-more-reply': [
    VETH,
    'ip link add name d0 type dummy',
    'ip link add name r0 type vrf table 1000',
    'ip link set vb master r0',
    'ip link add link va name vl type vlan id 7 gvrp on egress-qos-map 1:2',
    'ip link add link va name iv type ipvlan mode l3',
    'ip -d link show',
  ],
  'addresses-reply': [...ADDRESSES, 'ip addr show dev va'],
  'routes-4-reply': [...ROUTES, 'ip -4 route show table all'],
  'routes-6-reply': [...ROUTES, 'ip -6 route show table all'],
  'route-get-reply': [...ROUTES, 'ip route get 10.9.1.1'],
  'neighbours-reply': [
    ...ADDRESSES,
    'ip neigh add 10.1.2.9 lladdr 02:00:00:00:00:99 dev va nud permanent',
    'ip neigh add fd00::9 lladdr 02:00:00:00:00:99 dev va nud stale router',
    'ip neigh show',
  ],
  'fdb-reply': [
    ...BRIDGE,
    'bridge fdb add 02:00:00:00:00:99 dev va master static',
    'ip link add name x type vxlan id 42 dstport 4789',
    'bridge fdb append 00:00:00:00:00:00 dev x dst 10.0.0.2 vni 7 port 8472 self permanent',
    'bridge fdb show',
  ],
  'rules-4-reply': [
    'ip rule add not from 10.0.0.0/8 to 10.1.0.0/16 tos 0x10 fwmark 0x5/0xff iif va oif vb ipproto tcp sport 1-5 dport 80 uidrange 0-10 priority 77 protocol 77 lookup 1000 suppress_prefixlength 0 suppress_ifgroup 5',
    'ip rule add priority 10 goto 100',
    'ip -4 rule show',
  ],
  'rules-6-reply': ['ip -6 rule add l3mdev priority 1000', 'ip -6 rule show'],
  'nsids-reply': ['ip netns add other', 'ip netns set other 7', 'ip netns list-id'],
  'ports-reply': [...BRIDGE, 'bridge -d link show'],
  'vlans-reply': [
    'ip link add name br0 type bridge vlan_filtering 1 vlan_default_pvid 0',
    ...UP,
    'ip link set va master br0',
    'bridge vlan add dev va vid 10-20',
    'bridge vlan add dev va vid 5 pvid untagged',
    'bridge vlan add dev br0 vid 7 self',
    'bridge -c vlan show',
  ],
  'qdiscs-reply': [
    ...SHAPED,
    'tc qdisc add dev va root handle 1: tbf rate 10mbit burst 32kb latency 25ms',
    'tc qdisc add dev i0 root handle 1: tbf rate 100gbit burst 1mb limit 2mb',
    'tc qdisc show',
  ],
  'filters-reply': [
    ...SHAPED,
    'tc filter add dev va ingress pref 7 protocol all u32 match u32 0 0 action mirred egress redirect dev i0 cookie 746e6574',
    'tc filter show dev va ingress',
  ],
}

/** The types of the messages that the replies are about, by the first word of their names. */
const TYPES: Record<string, number> = {
  links: 16,
  ports: 16,
  vlans: 16,
  addresses: 20,
  routes: 24,
  route: 24,
  neighbours: 28,
  fdb: 28,
  rules: 32,
  nsids: 88,
  qdiscs: 36,
  filters: 44,
}
const AF_BRIDGE = 7

function main(names: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'capture-'))
  try {
    for (const [direction, cases] of [
      ['send', REQUESTS],
      ['recv', REPLIES],
    ] as const) {
      for (const [name, commands] of Object.entries(cases)) {
        if (names.length === 0 || names.includes(name)) capture(name, commands, direction, folder)
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function capture(
  name: string,
  commands: readonly string[],
  direction: 'send' | 'recv',
  folder: string,
): void {
  const trace = join(folder, 'trace')
  const last = commands.at(-1) ?? ''
  const before = commands.slice(0, -1)
  const script = [
    'mount -t tmpfs tmpfs /run',
    ...before,
    `strace -e trace=sendto,sendmsg,recvmsg -e write=all -e read=all -s 0 -o ${trace} ${last} >${folder}/out || true`,
  ]
  const { status } = spawnSync('unshare', ['--net', '--mount', 'sh', '-ec', script.join('\n')], {
    stdio: 'inherit',
  })
  if (status !== 0) {
    process.stdout.write(`${name}: not with this kernel\n`)
    return
  }
  const seen = datagrams(readFileSync(trace, 'utf8'), direction)
  const kept =
    direction === 'send' ? seen.filter(isNoQuestion).slice(-1) : seen.filter(hex => isAbout(name, hex))
  const head = [
    last,
    version(last),
    `Linux ${release().split('-')[0]}`,
    ...before.map(line => `after: ${line}`),
  ]
  const text = [
    ...head.map(line => `# ${line}`),
    ...kept.map(hex => hex.replace(/.{64}/g, '$&\n').trimEnd() + '\n'),
  ]
  writeFileSync(join(folderOf(name), `${name}.txt`), text.join('\n'))
  process.stdout.write(`${name}: ${kept.map(hex => hex.length / 2).join(' + ')} bytes\n`)
}

function version(command: string): string {
  return execFileSync(command.split(' ')[0] ?? '', ['-V'], { encoding: 'utf8' }).trim()
}

const RTM_GETLINK = 18

function isNoQuestion(hex: string): boolean {
  return Buffer.from(hex, 'hex').readUInt16LE(4) !== RTM_GETLINK
}

/** Tools ask about the links too, whatever they are about. */
function isAbout(name: string, hex: string): boolean {
  const datagram = Buffer.from(hex, 'hex')
  const ofBridge = datagram[16] === AF_BRIDGE
  return (
    datagram.readUInt16LE(4) === TYPES[name.split('-')[0] ?? ''] &&
    ofBridge === /^(ports|vlans|fdb)/.test(name)
  )
}

main(process.argv.slice(2))
