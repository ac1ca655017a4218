// One attachment of each plugin that makes all it can make: what the matrices and sweeps over all plugins run.
import type { Feature, Netns } from './namespaces.ts'
import { run } from './run.ts'
import { uplink } from './uplink.ts'
import { hostLocal, type World } from './world.ts'

export interface Sample {
  /** The plugin that it is about. */
  readonly type: string
  /** Its own keys, those of its capabilities among them; what no two containers may have depends on the container. */
  readonly config: object | ((containerId: string) => object)
  /** The plugins that stand before it in the list, first to last. */
  readonly after?: readonly { readonly type: string }[]
  /** What has to be on the host before: the master of a macvlan. */
  readonly prepare?: (world: World) => Promise<unknown>
  /** Makes the devices of the host that these containers are to get; those that are there stay. */
  readonly devices?: (world: World, containerIds: readonly string[]) => Promise<unknown>
  /** What each sandbox has to be before: the host's own namespace, that of another container. It comes as an empty one. */
  readonly furnish?: (sandbox: Netns, world: World) => Promise<unknown>
  /** The link that `prepare` makes, and that may be gone by the time of DEL. */
  readonly master?: string
  /** Its link has no end on the host: without the sandbox, nobody can remove it. */
  readonly isInside?: true
  /** It has no link that could be taken away from it. */
  readonly isLinkless?: true
  /** What a kernel may be built without. */
  readonly needs?: Feature
  /** By default eth0. */
  readonly ifname?: string
  /** What the reference (1.1.1) knows of it, where that is less; or why a move from it is not to be compared. */
  readonly reference?: string | Pick<Sample, 'config'>
}

export const dualStack = hostLocal(['10.1.0.0/24', 'fd00:1::/64'])

/** A network that chained plugins can stand on. */
export const bridged = { type: 'bridge', isDefaultGateway: true, ipam: dualStack }

/** A port for each container, and a number for whatever else no two may have. */
function portOf(containerId: string): number {
  const [, number] = /(\d+)$/.exec(containerId) ?? []
  const sum = [...containerId].reduce((all, letter) => all + letter.charCodeAt(0), 0)
  return number === undefined ? 2000 + sum : 10_000 + Number(number)
}

function ports(containerId: string): object {
  const hostPort = portOf(containerId)
  const portMappings = [
    { hostPort, containerPort: 80, protocol: 'tcp' },
    { hostPort, containerPort: 53, protocol: 'udp', hostIP: '192.0.2.1' },
    { hostPort, containerPort: 53, protocol: 'udp', hostIP: '2001:db8::1' },
  ]
  return { runtimeConfig: { portMappings } }
}

function deviceOf(containerId: string): string {
  return `card${portOf(containerId)}`
}

/** A veth pair for each container: a network card, and what it is plugged into. */
async function cards({ host }: World, containerIds: readonly string[]): Promise<void> {
  const octets = (containerId: string) =>
    [portOf(containerId) >> 8, portOf(containerId) & 255].map(octet => octet.toString(16)).join(':')
  const lines = containerIds.map(each => {
    const [card, plug] = ['02:0a', '02:0b'].map(start => `address ${start}:00:00:${octets(each)}`)
    const name = deviceOf(each)
    return `ip link show ${name} >/dev/null 2>&1 ||
      ip link add ${name} ${card} type veth peer name plug${portOf(each)} ${plug}`
  })
  await host.run('sh', '-ec', lines.join('\n'))
}

const KEPT = ['--subnet', '10.1.0.0/24', '--subnet', 'fd00:1::/64']

/** The path of the sandbox leads to the namespace of the host. */
async function intoHost({ path }: Netns, { host }: World): Promise<void> {
  await run('umount', [path])
  await run('mount', ['--bind', host.path, path])
}

/** A container that is attached to a network already, as our drivers leave its link. */
async function lodgeDonor(sandbox: Netns): Promise<void> {
  const pair = 'eth7 address 02:00:00:00:00:07 up type veth peer name peer7 address 02:00:00:00:00:08'
  await sandbox.run('ip', 'link', 'add', ...pair.split(' '))
  await sandbox.run('ip', 'link', 'set', 'eth7', 'alias', 'tnet front donor eth7')
  await sandbox.run('ip', 'address', 'add', '10.7.0.2/24', 'dev', 'eth7')
}

const ALL: readonly Sample[] = [
  {
    type: 'bandwidth',
    config: { ingressRate: 8e6, ingressBurst: 8e5, egressRate: 8e6, egressBurst: 8e5 },
    after: [bridged],
    needs: 'ifb',
  },
  { type: 'bridge', config: { isDefaultGateway: true, ipMasq: true, macspoofchk: true, ipam: dualStack } },
  {
    type: 'ptp',
    config: {
      ipMasq: true,
      ipam: hostLocal(['10.1.0.0/24', 'fd00:1::/64'], { routes: [{ dst: '0.0.0.0/0' }] }),
    },
  },
  { type: 'host-local', config: { ipam: dualStack }, isLinkless: true },
  {
    type: 'static',
    config: { ipam: { type: 'static', addresses: [{ address: '10.1.0.5/24', gateway: '10.1.0.1' }] } },
    isLinkless: true,
  },
  {
    type: 'firewall',
    config: { backend: 'iptables', ingressPolicy: 'isolated' },
    after: [bridged],
    reference: { config: { backend: 'iptables', ingressPolicy: 'same-bridge' } },
  },
  {
    type: 'tnet-ipam',
    config: { ipam: { type: 'tnet-ipam', network: 'kept' } },
    prepare: ({ host, subject }) =>
      host.run(`${subject.dir}/tnet`, 'network', 'create', '--ipv6', ...KEPT, 'kept'),
    isLinkless: true,
  },
  { type: 'none', config: {}, ifname: 'lo', isLinkless: true },
  { type: 'host', config: {}, furnish: intoHost, isLinkless: true },
  { type: 'container', config: { container: 'donor' }, furnish: lodgeDonor, isLinkless: true },
  {
    type: 'macvlan',
    config: { master: 'eth0', hostAccess: true, enabledad: false, ipam: dualStack },
    prepare: uplink,
    master: 'eth0',
    isInside: true,
    needs: 'macvlan',
    reference: { config: { master: 'eth0', ipam: dualStack } },
  },
  {
    type: 'ipvlan',
    config: { master: 'eth0', mode: 'l3s', ipam: dualStack },
    prepare: uplink,
    master: 'eth0',
    isInside: true,
    needs: 'ipvlan',
  },
  {
    type: 'vlan',
    // A master has one link for each VLAN.
    config: containerId => ({
      master: 'eth0',
      vlanId: 1 + (portOf(containerId) % 4094),
      ipam: hostLocal(['10.1.0.0/24']),
    }),
    prepare: uplink,
    master: 'eth0',
    isInside: true,
    needs: 'vlan',
  },
  { type: 'dummy', config: { ipam: dualStack }, isInside: true, needs: 'dummy' },
  {
    type: 'loopback',
    config: {},
    ifname: 'lo',
    isLinkless: true,
    reference: "nobody's name is on a loopback interface that the reference set up: it stays as it is",
  },
  {
    type: 'tap',
    config: { mtu: 1400, owner: 1000, group: 1000, multiQueue: true, ipam: dualStack },
    isInside: true,
    needs: 'tun',
  },
  {
    type: 'host-device',
    config: containerId => ({ device: deviceOf(containerId), ipam: dualStack }),
    devices: cards,
    isInside: true,
  },
  { type: 'portmap', config: ports, after: [bridged] },
  { type: 'sbr', config: {}, after: [bridged] },
  {
    type: 'tuning',
    config: {
      sysctl: { 'net.ipv4.conf.IFNAME.arp_filter': '1', 'net.core.somaxconn': '77' },
      mac: '02:00:00:00:00:77',
      mtu: 1400,
      promisc: true,
      allmulti: true,
      txQLen: 500,
      ethtool: { features: { tx: false, gro: true, 'tx-gso-list': false } },
    },
    after: [bridged],
    reference: {
      config: { mac: '02:00:00:00:00:77', mtu: 1400, promisc: true },
    },
  },
  {
    type: 'vrf',
    config: { vrfname: 'blue' },
    after: [bridged],
    needs: 'vrf',
    reference: "it loses the container's default route, and nothing tells its VRF from somebody else's",
  },
]

/** Set where the others have been run already, on a kernel that lacks these: `ipvlan,vrf`. */
const LACKING = process.env['TNET_TEST_LACKING']?.split(',')

export const samples = ALL.filter(({ needs = '' }) => LACKING === undefined || LACKING.includes(needs))
