// What ADD of the bridge plugin refuses: the code, and that nothing is changed.
import t from 'tap'
import { isolated, lacks } from '../harness/namespaces.ts'
import { refusals, type Refusal } from '../harness/refusals.ts'
import { hostLocal, type World } from '../harness/world.ts'

isolated(import.meta)

const ipam = hostLocal(['10.1.0.0/24'])
const oneAddress = { type: 'host-local', subnet: '10.1.0.0/30', rangeStart: '10.1.0.2', rangeEnd: '10.1.0.2' }
const onHost =
  (...command: string[]) =>
  ({ host }: World) =>
    host.run('ip', ...command)
const inSandbox =
  (...command: string[]) =>
  ({ sandbox }: World) =>
    sandbox.run('ip', ...command)
const writeFile = async ({ host }: World) => host.run('sh', '-c', 'echo text > /run/a-file')

const rows: Refusal[] = [
  { name: 'hairpinMode with promiscMode', config: { hairpinMode: true, promiscMode: true, ipam }, code: 7 },
  {
    name: 'an interface that exists in the sandbox',
    before: inSandbox('link', 'add', 'eth0', 'type', 'bridge'),
    config: { ipam },
    code: 7,
  },
  {
    name: 'an interface that exists in the sandbox, with a gateway and masquerade',
    before: inSandbox('link', 'add', 'eth0', 'type', 'bridge'),
    config: { isDefaultGateway: true, ipMasq: true, ipam },
    code: 7,
  },
  {
    name: 'a bridge name that is another kind of link',
    before: onHost('link', 'add', 'cni0', 'type', 'veth', 'peer', 'name', 'other'),
    config: { ipam },
    code: 7,
  },
  {
    name: 'a gateway where the bridge has another address of the subnet',
    before: async ({ host }) => {
      await host.run('ip', 'link', 'add', 'cni0', 'address', '02:00:00:00:00:09', 'type', 'bridge')
      await host.run('ip', 'addr', 'add', '10.1.0.77/24', 'dev', 'cni0')
      await host.run('ip', 'link', 'set', 'cni0', 'up')
    },
    config: { isGateway: true, ipam },
    code: 7,
  },
  { name: 'a bridge name of 16 bytes', config: { bridge: 'abcdefghijklmnop' }, code: 7 },
  { name: 'a bridge name with a slash', config: { bridge: 'a/b' }, code: 7 },
  { name: 'a bridge name of ..', config: { bridge: '..' }, code: 7 },
  { name: 'a hardware address that is none', config: { runtimeConfig: { mac: 'no-mac' } }, code: 7 },
  {
    name: 'a hardware address of a group',
    config: { runtimeConfig: { mac: '01:00:5e:00:00:01' } },
    code: 7,
    onlyOurs: 'the kernel says EADDRNOTAVAIL',
  },
  { name: 'a hardware address of CNI_ARGS that is none', request: { args: 'MAC=zz' }, code: 4 },
  { name: 'an unknown argument', config: { ipam }, request: { args: 'COLOUR=green' }, code: 999 },
  { name: 'an argument that is no pair', config: { ipam }, request: { args: 'COLOUR' }, code: 999 },
  { name: 'a vlan out of range', config: { vlan: 4095 }, code: 7 },
  { name: 'a negative vlan', config: { vlan: -1 }, code: 7 },
  {
    name: 'a trunk id out of range',
    config: { vlanTrunk: [{ id: 4095 }] },
    code: 7,
    onlyOurs: 'newer than 1.1.1',
  },
  {
    name: 'a trunk that ends before it begins',
    config: { vlanTrunk: [{ minID: 20, maxID: 10 }] },
    code: 7,
    onlyOurs: 'newer than 1.1.1',
  },
  {
    name: 'a trunk range without its end',
    config: { vlanTrunk: [{ minID: 20 }] },
    code: 7,
    onlyOurs: 'newer than 1.1.1',
  },
  {
    name: 'disableContainerInterface with an ipam',
    config: { disableContainerInterface: true, ipam },
    code: 7,
    onlyOurs: 'newer than 1.1.1',
  },
  {
    name: 'an unknown ipMasqBackend',
    config: { ipMasq: true, ipMasqBackend: 'ebtables', ipam },
    code: 7,
    onlyOurs: 'newer than 1.1.1',
  },
  {
    name: 'IPv6 where the host has it off',
    before: ({ host }) => host.run('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1'),
    config: { isGateway: true, ipam: hostLocal(['fd00:1::/64']) },
    code: 999,
  },
  { name: 'an mtu that the kernel does not take', config: { mtu: 40 }, code: 999 },
  { name: 'a namespace that is missing', config: { ipam }, request: { netns: '/run/netns/none' }, code: 8 },
  {
    name: 'a namespace that is a file',
    before: writeFile,
    config: { ipam },
    request: { netns: '/run/a-file' },
    code: 8,
  },
  { name: 'a namespace that is a folder', config: { ipam }, request: { netns: '/run' }, code: 8 },
  { name: 'a namespace of another kind', config: { ipam }, request: { netns: '/proc/self/ns/mnt' }, code: 8 },
  { name: 'a namespace that is a device', config: { ipam }, request: { netns: '/dev/null' }, code: 8 },
  {
    name: "the host's own namespace",
    onlyOurs: 'the reference looks only when it is done',
    config: { ipam },
    request: ({ host }) => ({ netns: host.path }),
    code: 8,
  },
  {
    name: "the host's own namespace, by /proc",
    onlyOurs: 'as above',
    config: { ipam },
    request: { netns: '/proc/self/ns/net' },
    code: 8,
  },
  { name: 'an IPAM plugin that CNI_PATH has not', config: { ipam: { type: 'no-such-ipam' } }, code: 999 },
  { name: 'an IPAM plugin with a path', config: { ipam: { type: '../host-local' } }, code: 7 },
  {
    name: 'an IPAM plugin without CNI_PATH',
    config: { ipam: { type: 'dhcp' } },
    request: { env: { CNI_PATH: undefined } },
    code: 4,
    referenceCode: 4,
  },
  {
    name: 'an IPAM range that is exhausted',
    before: world =>
      world.call('ADD', world.config({ ipam: oneAddress }), { type: 'host-local', containerId: 'c1' }),
    config: { ipam: oneAddress },
    request: { containerId: 'c2' },
    code: 50,
  },
]

if (lacks('bridge VLAN filtering') !== false) {
  rows.push({ name: 'a vlan, on a kernel without VLAN filtering', config: { vlan: 10, ipam }, code: 999 })
}

refusals(t, rows)
