import { join } from 'node:path'
import t from 'tap'
import { elementsIn, makeFort } from '../harness/firewall.ts'
import { isolated } from '../harness/namespaces.ts'
import { until } from '../harness/run.ts'

isolated(import.meta)

const owner = { network: 'web', containerId: 'c1', ifname: 'eth0' }
const other = { network: 'web', containerId: 'c2', ifname: 'eth0' }
const both = [{ address: '10.1.2.3/24' }, { address: 'fd00::3/64' }]
const texts = both.map(({ address }) => address)

const RULESET = `table inet tnet {
	set masquerade4 {
		type ipv4_addr
		elements = { 10.1.2.3 comment "tnet web c1 eth0" }
	}

	set masquerade6 {
		type ipv6_addr
		elements = { fd00::3 comment "tnet web c1 eth0" }
	}

	set masquerade4_local_24 {
		type ipv4_addr . ipv4_addr
		elements = { 10.1.2.3 . 10.1.2.0 comment "tnet web c1 eth0" }
	}

	set masquerade6_local_64 {
		type ipv6_addr . ipv6_addr
		elements = { fd00::3 . fd00:: comment "tnet web c1 eth0" }
	}

	set bridges {
		type ifname
		elements = { "br0" }
	}

	set bridges_self {
		type ifname . ifname
		elements = { "br0" . "br0" }
	}

	set internal {
		type ifname
		elements = { "br0" }
	}

	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip daddr 224.0.0.0/4 return
		ip6 daddr ff00::/8 return
		ip saddr . ip daddr & 255.255.255.0 @masquerade4_local_24 return
		ip saddr @masquerade4 masquerade
		ip6 saddr . ip6 daddr & ffff:ffff:ffff:ffff:: @masquerade6_local_64 return
		ip6 saddr @masquerade6 masquerade
	}

	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname . oifname @bridges_self accept
		iifname @internal drop
		oifname @internal drop
		oifname @bridges ct state established,related accept
		oifname @bridges ct status dnat accept
		oifname @bridges drop
	}
}
table bridge tnet {
	set spoofcheck {
		type ifname
		elements = { "veth0" comment "tnet web c1 eth0" }
	}

	set spoofcheck_mac {
		type ifname . ether_addr
		elements = { "veth0" . 02:00:00:00:00:01 comment "tnet web c1 eth0" }
	}

	chain prerouting {
		type filter hook prerouting priority dstnat; policy accept;
		iifname @spoofcheck iifname . ether saddr != @spoofcheck_mac drop
		iifname @spoofcheck iifname . arp saddr ether != @spoofcheck_mac drop
	}
}
`
const port = { ifname: 'veth0', mac: '02:00:00:00:00:01' }

t.test('the whole ruleset, once and again', async t => {
  const { firewall, nft } = await makeFort(t)
  for (const time of ['once', 'again']) {
    await firewall.masquerade(owner, both)
    await firewall.isolate('br0', { internal: true })
    await firewall.spoofCheck(owner, port)
    t.equal(await nft('list', 'ruleset'), RULESET, time)
  }
  await firewall.checkMasquerade(owner, both)
  await firewall.checkSpoof(owner, port)
  for (const _ of ['once', 'again']) {
    await firewall.unmasquerade(owner, texts)
    await firewall.unspoofCheck(owner, 'veth0')
    await firewall.unisolate('br0')
    t.equal(await nft('list', 'ruleset'), RULESET.replaceAll(/\t\telements = .*\n/g, ''))
  }
})

t.test('the text can be loaded again', async t => {
  const { firewall, nft, host } = await makeFort(t)
  await firewall.masquerade(owner, [
    ...both,
    { address: '10.9.0.1/32' },
    { address: '10.8.0.1/0' },
    { address: 'fd01::1/128' },
  ])
  const listed = await nft('list', 'ruleset')
  await nft('flush', 'ruleset')
  const { code } = await host.attempt('nft', ['-f', '-'], { input: listed })
  t.equal(code, 0)
  t.equal(await nft('list', 'ruleset'), listed)
  await firewall.masquerade(owner, both)
  t.equal(await nft('list', 'ruleset'), listed)
})

t.test('removal finds nothing and makes nothing', async t => {
  const { firewall, nft } = await makeFort(t)
  await firewall.unmasquerade(owner, [...texts, '10.1.2.4', 'fd00::4'])
  await firewall.unmasquerade(owner)
  await firewall.unspoofCheck(owner, 'veth0')
  await firewall.unisolate('br0')
  t.equal(await firewall.isolation('br0'), undefined)
  await firewall.gc('web', [])
  await firewall.masquerade(owner, [])
  t.equal(await nft('list', 'ruleset'), '')
})

t.test('an address is taken over with its subnet, and only its owner gives it up', async t => {
  const { firewall, elements } = await makeFort(t)
  await firewall.masquerade(owner, both)
  await firewall.masquerade(other, [{ address: '10.1.2.3/16' }])
  const taken = [
    'masquerade4: 10.1.2.3 comment "tnet web c2 eth0"',
    'masquerade4_local_16: 10.1.2.3 . 10.1.0.0 comment "tnet web c2 eth0"',
  ]
  const rest = [
    'masquerade6: fd00::3 comment "tnet web c1 eth0"',
    'masquerade6_local_64: fd00::3 . fd00:: comment "tnet web c1 eth0"',
  ]
  t.same(await elements(), [...taken, ...rest])
  await firewall.unmasquerade(owner, ['10.1.2.3/24', '10.1.2.3/16', '10.1.2.3'])
  t.same(await elements(), taken, 'of other addresses than its own, all that is its own is searched')
  await firewall.unmasquerade(other, ['10.1.2.3', '10.1.2.3/16', '10.1.2.3/16'])
  t.same(await elements(), [])
})

t.test('some of what is asked for stands already', async t => {
  const { firewall, elements, nft } = await makeFort(t)
  await firewall.masquerade(owner, both)
  const before = await elements()
  await nft('delete', 'element', 'inet', 'tnet', 'masquerade4_local_24', '{ 10.1.2.3 . 10.1.2.0 }')
  await t.rejects(firewall.checkMasquerade(owner, both), { code: 'CHECK_FAILED' })
  await firewall.masquerade(owner, both)
  t.same(await elements(), before)
})

t.test('one that fails leaves nothing of all', async t => {
  const { firewall, elements } = await makeFort(t)
  await firewall.masquerade(other, [{ address: '10.1.2.9/24' }])
  const before = await elements()
  const twice = [...both, ...both]
  await t.rejects(firewall.masquerade(owner, twice), { code: 'EEXIST' })
  t.same(await elements(), before)
  await t.rejects(firewall.masquerade(owner, [{ address: '10.1.2.3' }]), { code: 'BAD_CONFIG' })
  await t.rejects(firewall.unmasquerade(owner, ['10.1']), { code: 'BAD_CONFIG' })
})

t.test('garbage is what belongs to none of the valid, on this network alone', async t => {
  const { firewall, elements } = await makeFort(t)
  const owners = ['a', 'b', 'c'].map(containerId => ({ network: 'web', containerId, ifname: 'eth0' }))
  for (const [index, one] of owners.entries()) {
    await firewall.masquerade(one, [{ address: `10.1.2.${index}/24` }, { address: `fd00::${index}/64` }])
    await firewall.spoofCheck(one, { ifname: `veth${index}`, mac: `02:00:00:00:00:0${index}` })
  }
  const second = { network: 'web', containerId: 'a', ifname: 'eth1' }
  const elsewhere = { network: 'web2', containerId: 'a', ifname: 'eth0' }
  await firewall.masquerade(second, [{ address: '10.1.2.77/24' }])
  await firewall.masquerade(elsewhere, [{ address: '10.1.2.78/24' }])
  await firewall.isolate('br0', { internal: false })
  const before = await elements()
  const valid = [owners[1], second].flatMap(one => one ?? [])
  const stale = /"tnet web (a|c) eth0"/
  await firewall.gc('web', valid)
  t.same(
    await elements(),
    before.filter(line => !stale.test(line)),
  )
  await firewall.gc('web', valid)
  await firewall.gc('we', [])
  t.equal((await elements()).length, before.length - 12)
  await firewall.gc('web', [])
  t.same(
    await elements(),
    before.filter(line => !line.includes('"tnet web ')),
  )
})

t.test('thousands of stale elements', async t => {
  const { firewall, elements } = await makeFort(t)
  await firewall.masquerade(other, [{ address: '10.200.0.1/24' }])
  const before = await elements()
  for (let index = 0; index < 1500; index++) {
    await firewall.masquerade({ ...owner, containerId: `x${index}` }, [
      { address: `10.9.${index >> 8}.${index & 255}/16` },
    ])
  }
  t.equal((await elements()).length, 3000 + before.length)
  await firewall.gc('web', [other])
  t.same(await elements(), before)
})

t.test('rules that somebody removed come back with the next addition, and elements stay', async t => {
  const { firewall, nft } = await makeFort(t)
  await firewall.masquerade(owner, [...both, { address: '10.9.0.1/16' }])
  const whole = await nft('list', 'ruleset')
  const again = [{ address: '10.1.2.3/24' }]
  const damages: Record<string, string[]> = {
    'all rules of the table': ['flush', 'table', 'inet', 'tnet'],
    'the rules of a chain': ['flush', 'chain', 'inet', 'tnet', 'forward'],
    'a rule more': ['insert', 'rule', 'inet', 'tnet', 'postrouting', 'accept'],
    'a rule at the end': ['add', 'rule', 'inet', 'tnet', 'forward', 'drop'],
  }
  for (const [name, damage] of Object.entries(damages)) {
    await nft(...damage)
    await t.rejects(firewall.checkMasquerade(owner, both), { code: 'CHECK_FAILED' }, name)
    await firewall.masquerade(owner, again)
    t.equal(await nft('list', 'ruleset'), whole, name)
  }
  const handles = [
    ...(await nft('-a', 'list', 'chain', 'inet', 'tnet', 'postrouting')).matchAll(/# handle (\d+)$/gm),
  ]
  t.equal(handles.length, 8, 'the chain and its rules')
  for (let rule = 0; rule < 7; rule++) {
    const listed = await nft('-a', 'list', 'chain', 'inet', 'tnet', 'postrouting')
    const handle = [...listed.matchAll(/# handle (\d+)$/gm)][rule + 1]?.[1] ?? ''
    await nft('delete', 'rule', 'inet', 'tnet', 'postrouting', 'handle', handle)
    await t.rejects(firewall.checkMasquerade(owner, both), { code: 'CHECK_FAILED' }, `rule ${rule}`)
    await firewall.masquerade(owner, again)
    t.equal(await nft('list', 'ruleset'), whole, `rule ${rule}`)
  }
  await nft('replace', 'rule', 'inet', 'tnet', 'forward', 'handle', await handleOf(nft, 'forward'), 'accept')
  await firewall.masquerade(owner, again)
  t.equal(await nft('list', 'ruleset'), whole, 'a rule instead of another')
  await nft('delete', 'chain', 'inet', 'tnet', 'forward')
  await firewall.masquerade(owner, again)
  t.same((await nft('list', 'chain', 'inet', 'tnet', 'forward')).match(/oifname @bridges drop/)?.length, 1)
})

async function handleOf(nft: (...words: string[]) => Promise<string>, chain: string): Promise<string> {
  const listed = await nft('-a', 'list', 'chain', 'inet', 'tnet', chain)
  return [...listed.matchAll(/# handle (\d+)$/gm)][1]?.[1] ?? ''
}

t.test('a flushed ruleset is written anew for what is asked for', async t => {
  const { firewall, nft, elements } = await makeFort(t)
  await firewall.masquerade(other, [{ address: '10.9.0.1/16' }])
  await firewall.spoofCheck(other, port)
  await nft('flush', 'ruleset')
  await t.rejects(firewall.checkMasquerade(owner, both), { code: 'CHECK_FAILED' })
  await t.rejects(firewall.checkSpoof(owner, port), { code: 'CHECK_FAILED' })
  await firewall.unmasquerade(other)
  t.equal(await nft('list', 'ruleset'), '')
  await firewall.masquerade(owner, both)
  await firewall.checkMasquerade(owner, both)
  t.equal((await elements()).length, 4)
  t.notMatch(await nft('list', 'ruleset'), /table bridge/)
})

t.test('tables of others are left alone', async t => {
  const { firewall, nft } = await makeFort(t)
  await nft(
    'add table inet others { chain forward { type filter hook forward priority 0; }; set masquerade4 { type ipv4_addr; elements = { 10.1.2.3 }; }; }',
  )
  await nft('add table ip tnet { set masquerade4 { type ipv4_addr; elements = { 10.1.2.3 }; }; }')
  const before = await nft('list', 'ruleset')
  await firewall.masquerade(owner, both)
  await firewall.spoofCheck(owner, port)
  await firewall.gc('web', [])
  const after = await nft('list', 'ruleset')
  t.ok(after.startsWith(before))
})

t.test('a table of our name with chains of another kind is a clear error', async t => {
  const { firewall, nft } = await makeFort(t)
  await nft('add table inet tnet { chain forward { type filter hook input priority 0; }; }')
  const before = await nft('list', 'ruleset')
  await t.rejects(firewall.masquerade(owner, both), { code: 'KERNEL', details: /nft list table inet tnet/ })
  t.equal(await nft('list', 'ruleset'), before)
})

t.test('the port of a spoof check gets one MAC address, whoever had it', async t => {
  const { firewall, elements } = await makeFort(t)
  await firewall.spoofCheck(owner, port)
  await firewall.spoofCheck(other, { ifname: 'veth1', mac: '02:00:00:00:00:09' })
  await firewall.spoofCheck(other, { ifname: 'veth0', mac: '02:00:00:00:00:02' })
  const now = [
    'spoofcheck: "veth0" comment "tnet web c2 eth0"',
    'spoofcheck: "veth1" comment "tnet web c2 eth0"',
    'spoofcheck_mac: "veth0" . 02:00:00:00:00:02 comment "tnet web c2 eth0"',
    'spoofcheck_mac: "veth1" . 02:00:00:00:00:09 comment "tnet web c2 eth0"',
  ]
  t.same(await elements(), now)
  await t.rejects(firewall.checkSpoof(owner, port), { code: 'CHECK_FAILED' })
  await firewall.unspoofCheck(owner, 'veth0')
  t.same(await elements(), now)
  await firewall.unspoofCheck(other, 'veth0')
  t.same(await elements(), [now[1], now[3]])
  await firewall.unspoofCheck(other, 'veth1')
  t.same(await elements(), [])
})

t.test('an isolated bridge may become internal, and no longer be', async t => {
  const { firewall, elements } = await makeFort(t)
  await firewall.isolate('br0', { internal: false })
  const open = ['bridges: "br0"', 'bridges_self: "br0" . "br0"']
  t.same(await elements(), open)
  t.same(await firewall.isolation('br0'), { internal: false })
  await t.rejects(firewall.checkIsolation('br0', { internal: true }), { code: 'CHECK_FAILED' })
  await firewall.isolate('br0', { internal: true })
  t.same(await elements(), [...open, 'internal: "br0"'])
  t.same(await firewall.isolation('br0'), { internal: true })
  await firewall.checkIsolation('br0', { internal: true })
  await firewall.checkIsolation('br0', { internal: false })
  await firewall.isolate('br1', { internal: true })
  await firewall.isolate('br0', { internal: false })
  await firewall.unisolate('br1')
  t.equal(await firewall.isolation('br1'), undefined)
  t.same(await elements(), open)
})

t.test('processes at once make one set of rules', async t => {
  const { host, nft } = await makeFort(t)
  const script = join(import.meta.dirname, '../harness/firewall-process.ts')
  const ran = await Promise.all(
    ['a', 'b', 'c'].map(name => host.attempt(process.execPath, [script, name, '20'], { timeout: 60_000 })),
  )
  for (const { code, stderr } of ran) t.equal(code, 0, stderr)
  const ruleset = await nft('list', 'ruleset')
  t.equal(elementsIn(ruleset).length, 3 * 10 * 2)
  const rules = ruleset
    .split('\n')
    .filter(line => /^\t\t(ip|ip6|iifname|oifname) .*(return|masquerade|accept|drop)$/.test(line))
  t.equal(new Set(rules).size, rules.length, 'no rule twice')
  t.equal(rules.length, 4 + 8 + 6)
})

t.test('garbage is collected while others change the ruleset', async t => {
  const { firewall, host, elements, nft } = await makeFort(t)
  for (let index = 0; index < 400; index++) {
    const stale = { network: 'old', containerId: `x${index}`, ifname: 'eth0' }
    await firewall.masquerade(stale, [{ address: `10.9.${index >> 8}.${index & 255}/16` }])
  }
  const script = join(import.meta.dirname, '../harness/firewall-process.ts')
  const busy = host.attempt(process.execPath, [script, 'a', '250'], { timeout: 60_000 })
  await until('the others have begun', async () => (await nft('list', 'ruleset')).includes('tnet web a0'))
  await firewall.gc('old', [])
  t.same(
    (await elements()).filter(line => line.includes('tnet old')),
    [],
  )
  t.equal((await busy).code, 0)
  t.equal((await elements()).length, 250)
})

t.test('a change costs the same among thousands', async t => {
  const { firewall, traffic } = await makeFort(t)
  await firewall.masquerade(owner, both)
  await firewall.unmasquerade(owner, texts)
  const cost = async (deed: () => Promise<void>) => {
    const before = { ...traffic, at: performance.now() }
    await deed()
    const milliseconds = performance.now() - before.at
    return { sent: traffic.sent - before.sent, received: traffic.received - before.received, milliseconds }
  }
  const median = async () => {
    const times: { add: number; remove: number }[] = []
    for (let round = 0; round < 51; round++) {
      const add = await cost(() => firewall.masquerade(owner, both))
      const remove = await cost(() => firewall.unmasquerade(owner, texts))
      if (round === 0) t.match(add, { sent: 3 }, 'a look at the rules, a look at the elements and a batch')
      if (round === 0) t.match(remove, { sent: 2 }, 'a look at the elements and a batch')
      times.push({ add: add.milliseconds, remove: remove.milliseconds })
    }
    const middle = (of: 'add' | 'remove') =>
      times
        .map(one => one[of])
        .sort((a, b) => a - b)[25]
        ?.toFixed(2)
    return `add ${middle('add')} ms, remove ${middle('remove')} ms`
  }
  t.comment(`alone: ${await median()}`)
  for (let index = 0; index < 2000; index++) {
    const address = `10.9.${index >> 8}.${index & 255}/16`
    await firewall.masquerade({ ...other, containerId: `x${index}` }, [{ address }])
  }
  t.comment(`among 2,000 addresses: ${await median()}`)
})

t.test('whatever is done to the spoof check of a port, those of all others were read', async t => {
  const { firewall, traffic, elements } = await makeFort(t)
  const cost = async (deed: () => Promise<void>) => {
    const before = { ...traffic }
    await deed()
    return { sent: traffic.sent - before.sent, bytes: traffic.bytes - before.bytes }
  }
  const changed = { ...port, mac: '02:00:00:00:00:07' }
  const costs = async () => [
    await cost(() => firewall.spoofCheck(owner, port)),
    await cost(() => firewall.spoofCheck(owner, changed)),
    await cost(() => firewall.unspoofCheck(owner, 'veth0')),
    await cost(() => firewall.unspoofCheck(owner, 'veth0')),
  ]
  await firewall.spoofCheck(other, { ...port, ifname: 'x' })
  const alone = await costs()
  for (let index = 0; index < 500; index++) {
    await firewall.spoofCheck({ ...other, containerId: `x${index}` }, { ...port, ifname: `x${index}` })
  }
  t.same(await costs(), alone)
  t.match(alone[3], { sent: 2 }, 'two looks where there is none')
  t.equal((await elements()).length, 2 * 501)
})

t.test('the port of a spoof check is found where nft has written the elements anew', async t => {
  const { firewall, elements, nft, host } = await makeFort(t)
  const reload = async () => {
    const listed = await nft('list', 'ruleset')
    await nft('flush', 'ruleset')
    t.equal((await host.attempt('nft', ['-f', '-'], { input: listed })).code, 0)
  }
  await firewall.spoofCheck(owner, port)
  await reload()
  await firewall.spoofCheck(owner, { ...port, mac: '02:00:00:00:00:07' })
  t.equal((await elements()).length, 2, 'one MAC address')
  await reload()
  await firewall.unspoofCheck(other, 'veth0')
  t.equal((await elements()).length, 2)
  await firewall.unspoofCheck(owner, 'veth0')
  t.same(await elements(), [])
})
