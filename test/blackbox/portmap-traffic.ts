// Packets: who reaches a published port, under which address the container sees them, and who does not.
import t, { type Test } from 'tap'
import { isolated, lacks, makeNetns, type Netns } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { HOST, OUTSIDE } from '../harness/outside.ts'
import { type Container, publish, type Published, publishing } from '../harness/published.ts'
import { until } from '../harness/run.ts'
import { ask, serve } from '../harness/traffic.ts'
import { makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(900_000)

/** To see that nothing comes, a short time is enough. */
const SHORT = 500
const GATEWAY = { 4: '10.1.0.1', 6: 'fd00:1::1' } as const

interface Scene extends AsyncDisposable, Published {
  readonly world: World
  readonly one: Container
  readonly two: Container
}

/** Two containers, of which the first has its ports published. */
async function scene(name: 'tnet' | 'reference', portmap: object, bridge?: object): Promise<Scene> {
  const subject = subjects().find(each => each.name === name)
  if (subject === undefined) throw new Error(`no plugin directory of ${name}`)
  const world = await makeWorld(subject)
  const published = await publish(world)
  const one = await published.container(portmap, bridge)
  const two = await published.container({})
  const { code, stdout } = await one.portmap('ADD')
  if (code !== 0) throw new Error(`ADD of portmap: ${stdout}`)
  // The reference's bridge still looks for duplicates of its address: until then, masquerade takes another one.
  const tentative = ['-6', 'address', 'show', 'scope', 'global', 'tentative']
  await until(
    'addresses of the host are in use',
    async () => (await world.host.run('ip', ...tentative)) === '',
  )
  return {
    ...published,
    world,
    one,
    two,
    async [Symbol.asyncDispose]() {
      await two[Symbol.asyncDispose]()
      await one[Symbol.asyncDispose]()
      await published.outside[Symbol.asyncDispose]()
      await world[Symbol.asyncDispose]()
    },
  }
}

/** Everybody, and the addresses that the container sees of them; null: they do not get there. */
type Seen = Record<
  'outside' | 'host' | 'localhost' | 'itself' | 'neighbour',
  readonly [string | null, string | null]
>

async function sees(
  t: Test,
  { world, outside, one, two }: Scene,
  port: number,
  seen: Partial<Seen>,
): Promise<void> {
  const from: [keyof Seen, Netns, string, string][] = [
    ['outside', outside, HOST[4], HOST[6]],
    ['host', world.host, HOST[4], HOST[6]],
    ['localhost', world.host, '127.0.0.1', '::1'],
    ['itself', one.netns, HOST[4], HOST[6]],
    ['neighbour', two.netns, GATEWAY[4], GATEWAY[6]],
  ]
  for (const [who, place, ...addresses] of from) {
    for (const [index, address] of addresses.entries()) {
      const wanted = seen[who]?.[index]
      if (wanted === undefined) continue
      const got = await ask(place, 'tcp', address, port, wanted === null ? SHORT : 4000)
      t.equal(got ?? null, wanted, `${who} by ${address}`)
    }
  }
}

const WEB = [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }]

const NOBODY = [null, null] as const
const SEEN: Seen = {
  outside: [OUTSIDE[4], OUTSIDE[6]],
  host: [HOST[4], HOST[6]],
  localhost: [GATEWAY[4], null],
  itself: [GATEWAY[4], GATEWAY[6]],
  neighbour: [GATEWAY[4], GATEWAY[6]],
}

for (const { name } of subjects()) {
  t.test(`${name}: TCP from everywhere; after DEL from nowhere`, async t => {
    // Where the bridge asks netfilter (br_netfilter), packets to the container's own port turn round on its port.
    await using all = await scene(name, publishing(WEB), { hairpinMode: true })
    await using _server = await serve(all.one.netns, 'tcp', 80)
    const { one, two, outside, world } = all
    const [v4 = '', v6 = ''] = one.addresses
    await sees(t, all, 8080, SEEN)
    if (name === 'tnet') t.equal((await one.portmap('CHECK')).code, 0)
    t.equal(await ask(two.netns, 'tcp', v4, 80), two.addresses[0], 'its own port has nothing to do with it')
    t.equal(await ask(two.netns, 'tcp', v6, 80), two.addresses[1])
    t.equal((await one.portmap('DEL')).code, 0)
    for (const [place, address] of [
      [outside, HOST[4]],
      [outside, HOST[6]],
      [world.host, '127.0.0.1'],
      [one.netns, HOST[4]],
    ] as const) {
      t.equal(await ask(place, 'tcp', address, 8080, SHORT), undefined, address)
    }
  })
}

for (const { name } of subjects()) {
  t.test(`${name}: what the host itself redirects is not taken`, async t => {
    await using all = await scene(name, publishing(WEB))
    const { one, outside, world } = all
    await using _server = await serve(world.host, 'tcp', 9090)
    const rule = ['PREROUTING', '-p', 'tcp', '--dport', '8080', '-j', 'REDIRECT', '--to-ports', '9090']
    const both = async (verb: '-I' | '-D') => {
      for (const program of ['iptables', 'ip6tables'])
        await world.host.run(program, '-t', 'nat', verb, ...rule)
    }
    const reachesHost = async (when: string) => {
      for (const family of [4, 6] as const) {
        t.equal(await ask(outside, 'tcp', HOST[family], 8080), OUTSIDE[family], `IPv${family}, ${when}`)
      }
    }
    await both('-I')
    await reachesHost('made after ADD')
    t.equal((await one.portmap('DEL')).code, 0)
    t.equal((await one.portmap('ADD')).code, 0)
    await reachesHost('made before ADD')
    await both('-D')
    await using _container = await serve(one.netns, 'tcp', 80)
    t.equal(await ask(outside, 'tcp', HOST[4], 8080), OUTSIDE[4], 'the port is published')
  })
}

t.test('the text of the rules can be loaded again', async t => {
  for (const conditionsV4 of [[], ['!', '-s', '198.51.100.0/24'], ['-i', 'up+', '-d', HOST[4]]]) {
    const mappings = [...WEB, { hostPort: 5353, containerPort: 53, protocol: 'udp', hostIP: HOST[4] }]
    await using all = await scene('tnet', publishing(mappings, { conditionsV4 }))
    const { one, outside, world } = all
    const listed = await world.host.run('nft', 'list', 'ruleset')
    await world.host.run('nft', 'flush', 'ruleset')
    t.match(await world.host.attempt('nft', ['-f', '-'], { input: listed }), { code: 0, stderr: '' })
    t.equal(await world.host.run('nft', 'list', 'ruleset'), listed)
    await using _server = await serve(one.netns, 'tcp', 80)
    t.equal(await ask(outside, 'tcp', HOST[4], 8080), OUTSIDE[4])
    t.equal((await one.portmap('ADD')).code, 0)
    t.equal(await world.host.run('nft', 'list', 'ruleset'), listed, 'ADD says again whose the rules are')
    t.equal((await one.portmap('CHECK')).code, 0)
  }
})

t.test('what another program translates to the container keeps its source', async t => {
  for (const [how, more] of [
    ['on all addresses', {}],
    ['on one address', { hostIP: true }],
    ['under a condition', { conditionsV4: ['-d', `${HOST[4]}/32`], conditionsV6: ['-d', `${HOST[6]}/128`] }],
  ] as const) {
    const { hostIP, ...options } = { hostIP: false, ...more }
    const addresses = [HOST[4], HOST[6]]
    const mappings = hostIP ? addresses.flatMap(hostIP => WEB.map(each => ({ ...each, hostIP }))) : WEB
    await using all = await scene('tnet', { ...publishing(mappings), masqAll: true, ...options })
    await using _server = await serve(all.one.netns, 'tcp', 80)
    const { one, outside, world } = all
    const [v4 = '', v6 = ''] = one.addresses
    const service = `table inet service { chain nodeports { type nat hook prerouting priority -110
      tcp dport 30080 dnat ip to ${v4}:80
      tcp dport 30080 dnat ip6 to [${v6}]:80
    }
    }`
    t.match(await world.host.attempt('nft', ['-f', '-'], { input: service }), { code: 0, stderr: '' })
    for (const family of [4, 6] as const) {
      t.equal(await ask(outside, 'tcp', HOST[family], 30080), OUTSIDE[family], `${how}: theirs`)
      t.equal(await ask(outside, 'tcp', HOST[family], 8080), GATEWAY[family], `${how}: ours`)
    }
  }
})

/** Bit 13 on all that comes from outside, as another program might use it; and a count of who has it on the way out. */
const BIT13 = `
add table inet other
add chain inet other first { type filter hook prerouting priority mangle; }
add chain inet other last { type filter hook postrouting priority 300; }
add rule inet other first iifname up0 meta mark set 0x2000
add rule inet other last meta mark and 0x2000 != 0 counter`

for (const { name } of subjects()) {
  for (const [keys, more] of [
    ['the bit of others is nothing to portmap', {}],
    ['markMasqBit', { markMasqBit: 13 }],
  ] as const) {
    t.test(`${name}: ${keys}: who gets the address of the host`, async t => {
      await using all = await scene(name, publishing(WEB, more), { hairpinMode: true })
      await using _server = await serve(all.one.netns, 'tcp', 80)
      const { host } = all.world
      const marked = async () => {
        const [, packets] =
          /counter packets (\d+)/.exec(await host.run('nft', 'list', 'table', 'inet', 'other')) ?? []
        return Number(packets)
      }
      for (const line of BIT13.trim().split('\n')) await host.run('nft', line)
      // The reference tells by the bit whom to masquerade, and takes others' packets for its own.
      const outside = name === 'tnet' ? SEEN.outside : ([GATEWAY[4], GATEWAY[6]] as const)
      await sees(t, all, 8080, { outside })
      t.ok((await marked()) > 0, 'who comes with a mark keeps it')
      await host.run('nft', 'flush', 'chain', 'inet', 'other', 'first')
      const before = await marked()
      await sees(t, all, 8080, SEEN)
      if (name === 'tnet') t.equal(await marked(), before, 'nobody gets a mark')
      else t.ok((await marked()) > before, 'the reference marks whom it masquerades')
    })
  }
}

t.test('masqAll: everybody gets the address of the host', async t => {
  await using all = await scene('tnet', publishing(WEB, { masqAll: true }), { hairpinMode: true })
  await using _server = await serve(all.one.netns, 'tcp', 80)
  const everybody = [GATEWAY[4], GATEWAY[6]] as const
  await sees(t, all, 8080, {
    outside: everybody,
    host: everybody,
    localhost: [GATEWAY[4], null],
    itself: everybody,
    neighbour: everybody,
  })
  const { one, two } = all
  t.equal(
    await ask(two.netns, 'tcp', one.addresses[0] ?? '', 80),
    two.addresses[0],
    'only what was published',
  )
})

t.test('without snat neither the host by 127.0.0.1 nor the container itself', async t => {
  await using all = await scene('tnet', publishing(WEB, { snat: false }))
  await using _server = await serve(all.one.netns, 'tcp', 80)
  // Whether a neighbour gets its answer is for the bridge: with br_netfilter it does.
  await sees(t, all, 8080, { outside: SEEN.outside, host: SEEN.host, localhost: NOBODY, itself: NOBODY })
  t.equal((await all.world.host.run('cat', '/proc/sys/net/ipv4/conf/cni0/route_localnet')).trim(), '0')
})

t.test('hostIP: on that address alone; what is in transit is not taken', async t => {
  const portMappings = [
    { hostPort: 8080, containerPort: 80, hostIP: HOST[4] },
    { hostPort: 8081, containerPort: 80, hostIP: '127.0.0.1' },
    { hostPort: 8082, containerPort: 80, hostIP: HOST[6] },
    { hostPort: 8083, containerPort: 80 },
    { hostPort: 8084, containerPort: 80, hostIP: '0.0.0.0' },
  ]
  await using all = await scene('tnet', publishing(portMappings))
  const { world, outside, one, two } = all
  await using _server = await serve(one.netns, 'tcp', 80)
  const asked: [who: Netns, address: string, port: number, seen: string | undefined][] = [
    [outside, HOST[4], 8080, OUTSIDE[4]],
    [outside, HOST[6], 8080, undefined],
    [world.host, HOST[4], 8080, HOST[4]],
    [world.host, '127.0.0.1', 8080, undefined],
    [two.netns, GATEWAY[4], 8080, undefined],
    [world.host, '127.0.0.1', 8081, GATEWAY[4]],
    [outside, HOST[4], 8081, undefined],
    [outside, HOST[6], 8082, OUTSIDE[6]],
    [outside, HOST[4], 8082, undefined],
    [outside, HOST[4], 8084, OUTSIDE[4]],
    [outside, HOST[6], 8084, undefined],
  ]
  for (const [who, address, port, seen] of asked) {
    t.equal(
      await ask(who, 'tcp', address, port, seen === undefined ? SHORT : 4000),
      seen,
      `${address} ${port}`,
    )
  }
  // The same port of the host outside, which a container asks for through this host.
  await using _foreign = await serve(outside, 'tcp', 8083)
  t.equal(await ask(two.netns, 'tcp', OUTSIDE[4], 8083), HOST[4], 'transit')
  t.equal(await ask(two.netns, 'tcp', OUTSIDE[6], 8083), HOST[6], 'transit')
  t.equal(await ask(world.host, 'tcp', OUTSIDE[4], 8083), HOST[4], 'what the host sends')
})

t.test('127.0.0.1 of the host is not for its neighbours', async t => {
  await using all = await scene('tnet', publishing(WEB))
  const { world, outside, one, two } = all
  await using _published = await serve(one.netns, 'tcp', 80)
  await using _local = await serve(world.host, 'tcp', 9000, '127.0.0.1')
  for (const [place, gateway, link] of [
    [two.netns, GATEWAY[4], 'eth0'],
    [outside, HOST[4], 'eth0'],
  ] as const) {
    // A packet to 127.0.0.1 on the wire, as somebody who means harm sends it.
    await place.run('sh', '-c', `echo 1 > /proc/sys/net/ipv4/conf/${link}/route_localnet`)
    await place.run('ip', 'addr', 'del', '127.0.0.1/8', 'dev', 'lo')
    await place.run('ip', 'route', 'add', '127.0.0.0/8', 'via', gateway, 'dev', link)
    await place.run('ip', 'link', 'set', 'lo', 'down')
    for (const port of [8080, 9000]) {
      t.equal(await ask(place, 'tcp', '127.0.0.1', port, SHORT), undefined, `${place.name}: ${port}`)
    }
  }
  await world.host.run('nft', 'flush', 'chain', 'inet', 'tnet_ports', 'stray')
  t.ok(
    await ask(two.netns, 'tcp', '127.0.0.1', 9000, 2000),
    'which is our rule alone, where route_localnet is 1',
  )
})

t.test('UDP that began before ADD, or ended at DEL, finds its way with the next packet', async t => {
  const dns = [
    { hostPort: 5353, containerPort: 53, protocol: 'udp' },
    { hostPort: 5454, containerPort: 53, protocol: 'udp', hostIP: HOST[4] },
  ]
  await using all = await scene('tnet', publishing(dns))
  const { world, outside, one, two } = all
  t.equal((await one.portmap('DEL')).code, 0)
  await using _mine = await serve(one.netns, 'udp', 53)
  await using _theirs = await serve(two.netns, 'udp', 53)
  const from = 40_000
  let transit = 0
  const count = async (what: string) =>
    (await world.host.run('cat', '/proc/net/nf_conntrack')).split('\n').filter(line => line.includes(what))
      .length
  for (const [port, host] of [
    [5353, HOST[4]],
    [5353, HOST[6]],
    [5454, HOST[4]],
  ] as const) {
    await ask(outside, 'udp', host, port, SHORT, from)
    const before = await count(`dport=${port}`)
    t.ok(before >= 1, 'the kernel remembers that nobody took it')
    // A flow in transit with the same port, which is none of our business.
    const foreign = host.includes(':') ? OUTSIDE[6] : OUTSIDE[4]
    await ask(two.netns, 'udp', foreign, port, SHORT, from + ++transit)
    t.equal((await one.portmap('ADD')).code, 0)
    t.equal(await count(`dport=${port}`), before, 'those in transit stay')
    t.ok(await ask(outside, 'udp', host, port, 2000, from), `after ADD: ${host} ${port}`)
    t.equal((await one.portmap('DEL')).code, 0)
    t.equal(await ask(outside, 'udp', host, port, SHORT, from), undefined, 'after DEL')
    t.equal((await two.portmap('ADD', publishing(dns))).code, 0)
    t.ok(await ask(outside, 'udp', host, port, 2000, from), 'another container')
    t.equal((await two.portmap('DEL', publishing(dns))).code, 0)
  }
  const last = () => ask(outside, 'udp', HOST[4], 5454, SHORT, from)
  t.equal((await two.portmap('ADD', publishing(dns))).code, 0)
  t.ok(await last(), 'before GC')
  const config = {
    ...world.config({ cniVersion: '1.1.0' }),
    type: 'portmap',
    'cni.dev/valid-attachments': [],
  }
  const request = { type: 'portmap', containerId: '', netns: '', ifname: '' }
  t.equal((await world.call('GC', config, request)).code, 0)
  t.equal(await last(), undefined, 'after GC')
})

t.test('SCTP', { skip: lacks('SCTP') }, async t => {
  await using all = await scene('tnet', publishing([{ hostPort: 7000, containerPort: 80, protocol: 'SCTP' }]))
  const { world, outside, one } = all
  await using _server = await serve(one.netns, 'sctp', 80)
  const known = async () => (await world.host.run('cat', '/proc/net/nf_conntrack')).includes('dport=7000')
  t.equal(await ask(outside, 'sctp', HOST[4], 7000), OUTSIDE[4])
  t.ok(await known(), 'the kernel remembers who took it')
  t.equal((await one.portmap('DEL')).code, 0)
  t.notOk(await known(), 'and forgets it with DEL')
  t.equal(await ask(outside, 'sctp', HOST[4], 7000, SHORT, 40_000), undefined)
  t.ok(await known(), 'the kernel remembers that nobody took it')
  t.equal((await one.portmap('ADD')).code, 0)
  t.equal(await ask(outside, 'sctp', HOST[4], 7000, 3000, 40_000), OUTSIDE[4], 'and forgets it with ADD')
})

t.test('conditions: whom they leave out does not reach it', async t => {
  const conditions = {
    conditionsV4: ['!', '-s', OUTSIDE[4]],
    conditionsV6: ['ip6', 'saddr', '!=', `${OUTSIDE[6]}/128`],
  }
  const portMappings = [{ hostPort: 8080, containerPort: 80 }]
  await using all = await scene('tnet', publishing(portMappings, { ...conditions, conditionsV6: undefined }))
  const { outside, one, two } = all
  const second = await makeNetns('second')
  await using _server = await serve(one.netns, 'tcp', 80)
  t.equal(await ask(outside, 'tcp', HOST[4], 8080, SHORT), undefined)
  t.equal(await ask(outside, 'tcp', HOST[6], 8080), OUTSIDE[6], 'there are none for IPv6')
  t.equal(await ask(two.netns, 'tcp', GATEWAY[4], 8080), GATEWAY[4], 'the neighbour')
  await second.remove()
  t.equal((await one.portmap('DEL')).code, 0)
  t.equal(
    (await one.portmap('ADD', publishing(portMappings, { conditionsV6: conditions.conditionsV6 }))).code,
    0,
  )
  t.equal(await ask(outside, 'tcp', HOST[6], 8080, SHORT), undefined)
  t.equal(await ask(outside, 'tcp', HOST[4], 8080), OUTSIDE[4])
  t.equal((await one.portmap('DEL')).code, 0)
  const by = (link: string) =>
    publishing(portMappings, { conditionsV4: ['-i', link], conditionsV6: ['iifname', link] })
  t.equal((await one.portmap('ADD', by('up0'))).code, 0)
  t.equal(await ask(outside, 'tcp', HOST[4], 8080), OUTSIDE[4])
  t.equal(await ask(outside, 'tcp', HOST[6], 8080), OUTSIDE[6])
  t.equal(await ask(two.netns, 'tcp', GATEWAY[4], 8080, SHORT), undefined)
})
