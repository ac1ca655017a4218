// What the firewall plugin refuses: one clear error, and nothing is changed.
import t from 'tap'
import { isolated } from '../harness/namespaces.ts'
import { type Refusal, refusals } from '../harness/refusals.ts'
import type { World } from '../harness/world.ts'

isolated(import.meta)

/** As the plugin before would have answered. */
const result = (name: string) => ({
  cniVersion: '1.0.0',
  interfaces: [
    { name, mac: '02:00:00:00:00:01' },
    { name: 'eth0', mac: '02:00:00:00:00:02', sandbox: '/run/netns/none' },
  ],
  ips: [{ address: '10.1.0.5/24', interface: 1 }],
})
const prevResult = result('cni0')
const apart = { backend: 'iptables', ingressPolicy: 'same-bridge' }
const withBridge = ({ host }: World) => host.run('ip', 'link', 'add', 'cni0', 'type', 'bridge')
const withLink = ({ host }: World) => host.run('ip', 'link', 'add', 'cni0', 'type', 'veth')

const rows: Refusal[] = [
  { name: 'nothing was made before', config: {}, code: 7 },
  { name: 'CHECK without a result', verb: 'CHECK', config: {}, code: 7 },
  {
    name: 'a backend nobody knows',
    config: { backend: 'ebtables', prevResult },
    code: 7,
    onlyOurs: 'it takes the default',
  },
  { name: 'a policy nobody knows', config: { ingressPolicy: 'closed', prevResult }, code: 7 },
  {
    name: 'a chain of the administrator with a blank',
    config: { backend: 'iptables', iptablesAdminChainName: 'MY CHAIN', prevResult },
    code: 7,
    onlyOurs: 'iptables refuses later',
  },
  {
    name: 'a chain of the administrator that is an option',
    config: { backend: 'iptables', iptablesAdminChainName: '-F', prevResult },
    code: 7,
  },
  {
    name: 'a chain of the administrator that is our own',
    config: { backend: 'iptables', iptablesAdminChainName: 'CNI-FORWARD', prevResult },
    code: 7,
    onlyOurs: 'it makes a loop',
  },
  {
    name: 'a chain of the administrator that is too long',
    config: { backend: 'iptables', iptablesAdminChainName: 'A'.repeat(29), prevResult },
    code: 7,
  },
  { name: 'a wrong type', config: { backend: 7, prevResult }, code: 7 },
  { name: 'a version from before', config: { cniVersion: '0.3.1', prevResult }, code: 1, referenceCode: 1 },
  {
    name: 'no interfaces, and a policy about bridges',
    config: { ...apart, prevResult: { ...prevResult, interfaces: [], ips: [{ address: '10.1.0.5/24' }] } },
    code: 7,
  },
  {
    name: 'the first interface is gone',
    config: { ...apart, prevResult },
    code: 7,
    onlyOurs: 'it does not look',
  },
  {
    name: 'the first interface is no bridge',
    before: withLink,
    config: { ...apart, prevResult },
    code: 7,
    onlyOurs: 'it does not look',
  },
  {
    name: 'the container is no port of that bridge',
    before: withBridge,
    config: { ...apart, prevResult },
    code: 7,
    onlyOurs: 'it does not look',
  },
  {
    name: 'the first interface is in the sandbox',
    before: withBridge,
    config: { ...apart, prevResult: { ...prevResult, interfaces: prevResult.interfaces.toReversed() } },
    code: 7,
    onlyOurs: 'it does not look',
  },
  {
    name: 'an address without its prefix length',
    config: { prevResult: { ...prevResult, ips: [{ address: '10.1.0.5' }] } },
    code: 7,
  },
]

refusals(
  t,
  rows.map(row => ({ type: 'firewall', ...row })),
)
