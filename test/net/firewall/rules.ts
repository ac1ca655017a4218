import { closeSync, openSync } from 'node:fs'
import t from 'tap'
import { batch } from '../../../src/netlink/netfilter/batch.ts'
import { immediate } from '../../../src/netlink/netfilter/expr/immediate.ts'
import { deleteChain, hooks, newChain, priorities } from '../../../src/netlink/netfilter/chain.ts'
import { deleteRule, newRule } from '../../../src/netlink/netfilter/rule.ts'
import { NETLINK_NETFILTER, NetlinkSocket, request } from '../../../src/netlink/socket.ts'
import { NLM_F_APPEND, NLM_F_CREATE } from '../../../src/wire/message.ts'
import { portsPlan } from '../../../src/net/firewall/ports-table.ts'
import { ensureRules, rulesOf } from '../../../src/net/firewall/rules.ts'
import { makeFort } from '../../harness/firewall.ts'
import { isolated } from '../../harness/namespaces.ts'

isolated(import.meta)

const owner = { network: 'web', containerId: 'c1', ifname: 'eth0' }
const EARLIER = 1
const LATER = 200

t.test('the rules of a later version are left alone, and its sets are used', async t => {
  const { firewall, host, nft, elements } = await makeFort(t)
  await firewall.masquerade(owner, [{ address: '10.1.2.3/24' }])
  const fd = openSync(host.path, 'r')
  using socket = new NetlinkSocket(NETLINK_NETFILTER, { netns: fd })
  closeSync(fd)
  const chain = { family: 'inet', table: 'tnet' } as const
  const userData = { unknown: [{ type: 0x74, value: Uint8Array.of(LATER, 0, 1) }] }
  await batch(
    socket,
    ['postrouting', 'forward'].flatMap(name => [
      request(deleteRule, { ...chain, chain: name }),
      request(
        newRule,
        { ...chain, chain: name, expressions: [immediate.accept()], userData },
        NLM_F_CREATE | NLM_F_APPEND,
      ),
    ]),
  )
  const rules = async () => (await nft('list', 'ruleset')).match(/^\t\taccept$/gm)?.length
  t.equal(await rules(), 2)
  await firewall.masquerade(owner, [{ address: '10.1.2.4/24' }])
  await firewall.checkMasquerade(owner, [{ address: '10.1.2.4/24' }])
  t.equal((await elements()).length, 4)
  await t.rejects(
    firewall.masquerade(owner, [{ address: '10.9.0.1/16' }]),
    { code: 'ENOENT' },
    'a set that it lacks',
  )
  t.equal(await rules(), 2)
})

t.test('the rules of an earlier version do until the next change, which writes ours', async t => {
  const { firewall, host, nft, elements } = await makeFort(t)
  const isolation = { internal: false }
  await firewall.isolate('br1', isolation)
  const wanted = await nft('list', 'ruleset')
  t.match(wanted, 'ct status dnat accept')
  const fd = openSync(host.path, 'r')
  using socket = new NetlinkSocket(NETLINK_NETFILTER, { netns: fd })
  closeSync(fd)
  const chain = { family: 'inet', table: 'tnet' } as const
  const writes = (of: number) =>
    batch(
      socket,
      ['postrouting', 'forward'].flatMap(name => [
        request(deleteRule, { ...chain, chain: name }),
        ...[0, 1].map(id =>
          request(
            newRule,
            {
              ...chain,
              chain: name,
              expressions: [immediate.accept()],
              userData: { unknown: [{ type: 0x74, value: Uint8Array.of(EARLIER, id, of) }] },
            },
            NLM_F_CREATE | NLM_F_APPEND,
          ),
        ),
      ]),
    )
  await writes(3)
  await t.rejects(firewall.checkIsolation('br1', isolation), { code: 'CHECK_FAILED' }, 'one of them is gone')
  await writes(2)
  await firewall.checkIsolation('br1', isolation)
  t.not(await nft('list', 'ruleset'), wanted)
  await firewall.isolate('br2', isolation)
  await firewall.unisolate('br2')
  t.equal(await nft('list', 'ruleset'), wanted)
  t.equal((await elements()).length, 2)
})

const rule = (...mark: number[]) => ({
  expressions: [immediate.accept()],
  userData: { unknown: [{ type: 0x74, value: Uint8Array.from(mark) }] },
})

for (const [name, rules] of [
  ['whole', [rule(EARLIER, 0, 1)]],
  ['empty', []],
  ['with a rule too few', [rule(EARLIER, 0, 2)]],
  ['written anew by nft', [{ expressions: [immediate.accept()] }]],
] as const) {
  t.test(`a chain that an earlier version hooked elsewhere is made anew: ${name}`, async t => {
    const { host, nft } = await makeFort(t)
    const fd = openSync(host.path, 'r')
    using socket = new NetlinkSocket(NETLINK_NETFILTER, { netns: fd })
    closeSync(fd)
    await ensureRules(socket, portsPlan)
    const wanted = await nft('list', 'ruleset')
    t.match(wanted, 'priority dstnat + 1')
    const table = { family: 'inet', table: 'tnet_ports' } as const
    const place = { ...table, chain: 'prerouting' }
    const hook = { number: hooks.prerouting, priority: priorities.dstnat }
    await batch(socket, [
      request(deleteRule, place),
      request(deleteChain, { ...table, name: 'prerouting' }),
      request(newChain, { ...table, name: 'prerouting', type: 'nat', policy: 'accept', hook }, NLM_F_CREATE),
      ...rules.map(each => request(newRule, { ...place, ...each }, NLM_F_CREATE | NLM_F_APPEND)),
    ])
    t.match(await nft('list', 'ruleset'), 'hook prerouting priority dstnat;')
    t.equal(await ensureRules(socket, portsPlan), 'ours')
    t.equal(await rulesOf(socket, portsPlan), 'ours')
    const lines = (text: string) => text.split('\n').sort()
    t.strictSame(lines(await nft('list', 'ruleset')), lines(wanted), 'the same, in another order of chains')
  })
}
