import t, { type Test } from 'tap'
import { droppingChains } from '../../src/net/dropping-chains.ts'
import { NETLINK_NETFILTER, NetlinkSocket } from '../../src/netlink/socket.ts'
import { makeFort } from '../harness/firewall.ts'
import { isolated } from '../harness/namespaces.ts'
import { openSync, closeSync } from 'node:fs'

isolated(import.meta)

const LINK = 'br0'
const ADDRESSES = ['10.88.3.7', 'fd00:88::7']
const owner = { network: 'web', containerId: 'c1', ifname: 'eth0' }

/** A host with these commands of nft or iptables done: what drops there, and whether it speaks of the link. */
async function seen(t: Test, ...commands: string[]): Promise<Record<string, boolean>> {
  const { host, firewall } = await makeFort(t)
  // Tables of ours stand beside.
  await firewall.isolate(LINK, { internal: true })
  for (const command of commands) await host.run('sh', '-c', command)
  const fd = openSync(host.path, 'r')
  using socket = new NetlinkSocket(NETLINK_NETFILTER, { netns: fd })
  const chains = (await droppingChains(socket)) ?? []
  closeSync(fd)
  return Object.fromEntries(chains.map(({ name, speaksOf }) => [name, speaksOf(LINK, ADDRESSES)]))
}

const chain = (family: string, rest: string, name = 'f') =>
  `nft 'add table ${family} x; add chain ${family} x ${name} { ${rest} }'`
const FORWARD = 'type filter hook forward priority 0;'
const inet = chain('inet', `${FORWARD} policy drop;`)
const rule = (text: string) => `nft 'add rule inet x f ${text}'`

t.test('what drops', async t => {
  const rows: [commands: string[], names: string[]][] = [
    [[], []],
    [[inet], ['inet x f']],
    [
      ['iptables-nft -P FORWARD DROP', 'ip6tables-nft -P FORWARD DROP'],
      ['ip filter FORWARD', 'ip6 filter FORWARD'],
    ],
    [['iptables-nft -A FORWARD -j REJECT'], ['ip filter FORWARD']],
    [[chain('inet', FORWARD), rule('counter log reject')], ['inet x f']],
    [[chain('inet', FORWARD), rule('counter drop')], ['inet x f']],
    [[chain('inet', FORWARD), rule('tcp dport 25 drop')], []],
    [[chain('inet', FORWARD), rule('drop'), rule('accept')], []],
    [[chain('inet', FORWARD)], []],
    [[chain('inet', 'type filter hook input priority 0; policy drop;')], []],
    [[chain('bridge', `${FORWARD} policy drop;`)], []],
    [[chain('arp', 'type filter hook input priority 0; policy drop;')], []],
  ]
  for (const [commands, names] of rows) {
    t.same(Object.keys(await seen(t, ...commands)).sort(), names, commands.join('; ') || 'nothing')
  }
})

t.test('whom its table speaks of', async t => {
  const yes = [
    'iifname br0 accept',
    'oifname "br*" counter accept',
    'iifname { lo, br0 } accept',
    'iifname br0 oifname != br0 jump g',
    'ip saddr 10.88.3.7 accept',
    'ip daddr 10.88.0.0/16 ct state established accept',
    'ip saddr 10.88.0.0/20 accept',
    'ip saddr { 10.88.3.7, 10.0.0.1 } accept',
    'ip6 saddr fd00:88::/64 accept',
    'ip6 daddr fd00:88::7 accept',
  ]
  const no = [
    'iifname br00 accept',
    'iifname "brx*" accept',
    'iifname { lo, br1 } accept',
    'iifname br0 drop',
    'iifname != br0 accept',
    'iif lo accept',
    'ip saddr 10.89.0.0/16 accept',
    'ip saddr 10.88.16.0/20 accept',
    'ip6 saddr fd00:89::/64 accept',
    'tcp dport 80 accept',
    'ct state established accept',
  ]
  const prepared = [inet, `nft 'add chain inet x g'`]
  for (const text of yes) t.same(await seen(t, ...prepared, rule(text)), { 'inet x f': true }, text)
  for (const text of no) t.same(await seen(t, ...prepared, rule(text)), { 'inet x f': false }, text)
  for (const text of ['-i br0', '-o br+', '-s 10.88.3.7', '-d 10.88.0.0/16', '-s 10.88.0.0/20']) {
    const commands = [
      'iptables-nft -P FORWARD DROP',
      'iptables-nft -N C',
      `iptables-nft -A C ${text} -j ACCEPT`,
    ]
    t.same(await seen(t, ...commands), { 'ip filter FORWARD': true }, text)
  }
})

t.test('what our own tables drop is no foreign drop', async t => {
  const { firewall, host } = await makeFort(t)
  await firewall.isolate(LINK, { internal: true })
  await firewall.masquerade(owner, [{ address: '10.88.3.7/24' }])
  const fd = openSync(host.path, 'r')
  using socket = new NetlinkSocket(NETLINK_NETFILTER, { netns: fd })
  t.same(await droppingChains(socket), [])
  closeSync(fd)
})
