// What the firewall plugin writes, in the words of iptables and nft; that iptables goes on working, and whose what is.
import t, { type Test } from 'tap'
import { chain, type Chain, gc } from '../harness/chain.ts'
import { isolated, makeNetns, type Netns } from '../harness/namespaces.ts'
import { type Subject, subjects } from '../harness/plugins.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const V4 = '10.1.0.0/24'
const V6 = 'fd00:1::/64'

/** A container on a bridge, with the firewall plugin after it. */
function container(
  world: World,
  more: object = {},
  to: { netns?: Netns; id?: string; under?: object } = {},
): Chain {
  const { netns = world.sandbox, id = netns.name, under = {} } = to
  const sample = { type: 'firewall', config: { cniVersion: '1.0.0', ...more }, after: [bridgeOf(under)] }
  return chain(world, sample, { containerId: id, netns: netns.path })
}

function bridgeOf(under: object): { readonly type: string } {
  return { type: 'bridge', cniVersion: '1.0.0', isGateway: true, ipam: hostLocal([V4, V6]), ...under } as {
    type: string
  }
}

async function done(t: Test, one: Chain, how: Parameters<Chain['del']>[0] = {}): Promise<void> {
  for (const { code, stdout } of await one.del(how)) t.equal(code, 0, `DEL: ${stdout}`)
}

async function checked(t: Test, one: Chain, code = 0): Promise<void> {
  const last = (await one.check()).at(-1)
  t.equal(last?.json?.['code'] ?? last?.code, code, `CHECK: ${last?.stdout}`)
}

const rules = (world: World, program: 'iptables' | 'ip6tables' = 'iptables') => world.host.run(program, '-S')

/** The rules of one container at `address`, with the reference's words. */
function expected(address: string, policy: 'open' | 'same-bridge'): string {
  const remark = '-m comment --comment "CNI firewall plugin rules (ingressPolicy: same-bridge)"'
  const apart = (...lines: string[]) => (policy === 'open' ? [] : lines)
  return [
    '-P INPUT ACCEPT',
    '-P FORWARD ACCEPT',
    '-P OUTPUT ACCEPT',
    '-N CNI-ADMIN',
    '-N CNI-FORWARD',
    ...apart('-N CNI-ISOLATION-STAGE-1', '-N CNI-ISOLATION-STAGE-2'),
    ...apart(`-A FORWARD ${remark} -j CNI-ISOLATION-STAGE-1`),
    '-A FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD',
    '-A CNI-FORWARD -m comment --comment "CNI firewall plugin admin overrides" -j CNI-ADMIN',
    `-A CNI-FORWARD -d ${address} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    `-A CNI-FORWARD -s ${address} -j ACCEPT`,
    ...apart(
      `-A CNI-ISOLATION-STAGE-1 -i cni0 ! -o cni0 ${remark} -j CNI-ISOLATION-STAGE-2`,
      `-A CNI-ISOLATION-STAGE-1 ${remark} -j RETURN`,
      `-A CNI-ISOLATION-STAGE-2 -o cni0 ${remark} -j DROP`,
      `-A CNI-ISOLATION-STAGE-2 ${remark} -j RETURN`,
    ),
    '',
  ].join('\n')
}

for (const subject of subjects()) {
  for (const policy of ['open', 'same-bridge'] as const) {
    t.test(`${subject.name}: iptables -S of ${policy}`, async t => {
      await using world = await makeWorld(subject)
      const one = container(world, { backend: 'iptables', ingressPolicy: policy })
      await one.add()
      t.equal(await rules(world), expected('10.1.0.2/32', policy))
      t.equal(await rules(world, 'ip6tables'), expected('fd00:1::2/128', policy))
      await checked(t, one)
      await done(t, one)
      t.notMatch(await rules(world), '10.1.0.2')
      t.notMatch(await rules(world, 'ip6tables'), 'fd00:1::2')
    })
  }

  t.test(`${subject.name}: the administrator's chain, of another name`, async t => {
    await using world = await makeWorld(subject)
    const one = container(world, { backend: 'iptables', iptablesAdminChainName: 'MINE' })
    await one.add()
    t.match(await rules(world), 'admin overrides" -j MINE')
    t.notMatch(await rules(world), 'CNI-ADMIN')
    await checked(t, one)
  })

  t.test(`${subject.name}: without a backend, iptables where the host has it`, async t => {
    await using world = await makeWorld(subject)
    await container(world).add()
    t.equal(await rules(world), expected('10.1.0.2/32', 'open'))
  })
}

const [ours, reference] = (['tnet', 'reference'] as const).map(name =>
  subjects().find(subject => subject.name === name),
) as [Subject, Subject | undefined]

t.test('iptables goes on working', async t => {
  await using world = await makeWorld(ours)
  const one = container(world, { backend: 'iptables', ingressPolicy: 'same-bridge' })
  await one.add()
  const before = await rules(world)
  await world.host.run('sh', '-c', 'iptables-save >/run/saved; iptables-restore </run/saved')
  t.equal(await rules(world), before, 'saved and restored')
  await checked(t, one)
  await world.host.run('iptables', '-D', 'CNI-FORWARD', '-s', '10.1.0.2/32', '-j', 'ACCEPT')
  await checked(t, one, 100)
  await world.host.run(
    'iptables',
    '-I',
    'CNI-ADMIN',
    '-s',
    '10.1.0.2',
    '-p',
    'tcp',
    '--dport',
    '25',
    '-j',
    'DROP',
  )
  await done(t, one)
  t.notMatch(await rules(world), '-d 10.1.0.2/32', 'what nobody is named on goes by its address')
  t.match(await rules(world), '--dport 25 -j DROP', "the administrator's rule stays")
})

for (const [made, removed] of [
  [reference, ours],
  [ours, reference],
] as const) {
  if (made === undefined || removed === undefined) continue
  t.test(`what ${made.name} wrote, ${removed.name} checks and removes`, async t => {
    await using world = await makeWorld(made)
    await using other = { ...(await makeWorld(removed)), host: world.host, network: world.network }
    const config = { ...world.config(), type: 'firewall', backend: 'iptables' }
    const call = (who: World, verb: 'ADD' | 'DEL' | 'CHECK', prevResult: unknown) =>
      who.call(
        verb,
        { ...config, prevResult },
        { host: world.host, netns: world.sandbox.path, type: 'firewall' },
      )
    const bridged = await world.call('ADD', { ...world.config(), ...bridgeOf({}) })
    t.equal((await call(world, 'ADD', bridged.json)).code, 0)
    t.equal((await call(other, 'CHECK', bridged.json)).code, 0)
    t.equal((await call(other, 'DEL', bridged.json)).code, 0)
    t.notMatch(await rules(world), '10.1.0.2')
    t.notMatch(await rules(world, 'ip6tables'), 'fd00:1::2')
  })
}

for (const backend of ['iptables', 'nftables']) {
  const shown = async ({ host }: World) => (await host.run('nft', 'list', 'ruleset')).replaceAll(/\s+/g, ' ')

  t.test(`${backend}: a late DEL takes nothing from who has the address by now`, async t => {
    await using world = await makeWorld(ours)
    const first = container(world, { backend }, { id: 'first' })
    await first.add()
    const [stale] = (await first.check()).slice(-1)
    t.equal(stale?.code, 0)
    // The runtime forgot it: link and lease are gone, the rules stay.
    for (const answer of [
      await world.call('DEL', { ...world.config(), ...bridgeOf({}) }, { containerId: 'first' }),
    ])
      t.equal(answer.code, 0)
    const fixed = {
      ipam: { type: 'static', addresses: [{ address: '10.1.0.2/24' }, { address: 'fd00:1::2/64' }] },
    }
    const second = container(world, { backend }, { id: 'second', under: fixed })
    await second.add()
    await checked(t, second)
    await done(t, first, { netns: '' })
    await checked(t, second)
    await done(t, second)
    t.notMatch(await shown(world), /10\.1\.0\.2|fd00:1::2/)
  })

  t.test(`${backend}: DEL without namespace or result`, async t => {
    await using world = await makeWorld(ours)
    const one = container(world, { backend, ingressPolicy: 'isolated' })
    await one.add()
    await world.sandbox.remove()
    await done(t, one, { netns: '', prevResult: false })
    t.notMatch(await shown(world), /10\.1\.0\.2|fd00:1::2|"cni0"|"veth/)
  })

  t.test(`${backend}: what keeps bridges apart goes with its last user`, async t => {
    await using world = await makeWorld(ours)
    await using two = await makeNetns('second')
    const chains = [
      container(world, { backend, ingressPolicy: 'isolated' }),
      container(world, { backend, ingressPolicy: 'same-bridge' }, { netns: two }),
    ] as const
    for (const each of chains) await each.add()
    for (const each of chains) await checked(t, each)
    await done(t, chains[0])
    await checked(t, chains[1])
    t.notMatch(
      await shown(world),
      /iifname "cni0" oifname "cni0"|isolated_self { type ifname . ifname elements/,
    )
    await done(t, chains[1])
    t.notMatch(await shown(world), '"cni0"')
  })

  t.test(`${backend}: GC removes what is not valid, and nothing of another network`, async t => {
    await using world = await makeWorld(ours)
    const places = [world.sandbox, await makeNetns('second'), await makeNetns('third')] as const
    const sample = (name?: string) => ({
      type: 'firewall',
      config: { backend, ingressPolicy: 'same-bridge', ...(name && { name }) },
      after: [
        {
          ...bridgeOf({}),
          cniVersion: '1.1.0',
          ...(name && { name, bridge: 'br1', ipam: hostLocal(['10.2.0.0/24']) }),
        },
      ],
    })
    const chains = places.map((netns, index) =>
      chain(world, sample(index === 2 ? 'other' : undefined), {
        containerId: `c${index}`,
        netns: netns.path,
      }),
    )
    for (const each of chains) await each.add()
    for (const { code, stdout } of await gc(world, sample(), chains.slice(1, 2))) t.equal(code, 0, stdout)
    const left = await shown(world)
    t.notMatch(left, /10\.1\.0\.2\b|fd00:1::2\b/)
    t.match(left, /10\.1\.0\.3\b/)
    t.match(left, /10\.2\.0\.2\b/)
    for (const each of chains.slice(1)) await checked(t, each)
    for (const each of chains) await done(t, each)
    for (const netns of places.slice(1)) await netns.remove()
  })
}

t.test('STATUS tells of drops that an accept of ours does not overrule', async t => {
  await using world = await makeWorld(ours)
  const status = async (backend: string) =>
    world.call(
      'STATUS',
      { ...world.config(), cniVersion: '1.1.0', type: 'firewall', backend },
      { type: 'firewall' },
    )
  const nothing = await status('nftables')
  t.equal(nothing.code, 0)
  t.equal(nothing.stderr, '')
  await world.host.run('iptables', '-P', 'FORWARD', 'DROP')
  t.match((await status('nftables')).stderr, 'ip filter FORWARD')
  t.equal((await status('iptables')).stderr, '')
  await world.host.run(
    'nft',
    'add table inet mine; add chain inet mine f { type filter hook forward priority 0; policy drop; }',
  )
  const foreign = await status('iptables')
  t.equal(foreign.code, 0)
  t.match(foreign.stderr, 'inet mine f')
})

t.test('STATUS tells of a filter table of iptables-legacy', async t => {
  await using world = await makeWorld(ours)
  const used = await world.host.attempt('iptables-legacy', ['-A', 'FORWARD', '-s', '10.9.9.9', '-j', 'DROP'])
  const config = { ...world.config(), cniVersion: '1.1.0', type: 'firewall', backend: 'iptables' }
  const { code, stderr } = await world.call('STATUS', config, { type: 'firewall' })
  t.equal(code, 0)
  // A kernel may have no ip_tables: then there is nothing to tell of.
  t.equal(stderr.includes('iptables-legacy'), used.code === 0)
})
