// portmap as a runtime calls it: what it answers and refuses, who holds a port, what CHECK sees and GC takes.
import t, { type Test } from 'tap'
import { isolated, makeNetns } from '../harness/namespaces.ts'
import { type Answer, subjects } from '../harness/plugins.ts'
import { type Container, type Mapping, publish, type Published, publishing } from '../harness/published.ts'
import { tellsWell } from '../harness/refusals.ts'
import { makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(900_000)

interface Scene extends AsyncDisposable, Published {
  readonly world: World
  /** A container that has published nothing yet. */
  readonly one: Container
  readonly two: Container
}

async function scene(name: 'tnet' | 'reference' = 'tnet'): Promise<Scene> {
  const subject = subjects().find(each => each.name === name)
  if (subject === undefined) throw new Error(`no plugin directory of ${name}`)
  const world = await makeWorld(subject)
  const published = await publish(world)
  const one = await published.container({})
  const two = await published.container({})
  return {
    ...published,
    world,
    one,
    two,
    async [Symbol.asyncDispose]() {
      for (const each of [two, one, published.outside, world]) await each[Symbol.asyncDispose]()
    },
  }
}

const WEB: Mapping = { hostPort: 8080, containerPort: 80, protocol: 'tcp' }

for (const { name } of subjects()) {
  t.test(`${name}: the result passes through; without ports nothing is done`, async t => {
    await using all = await scene(name)
    const { one, world } = all
    const before = await world.snapshot()
    const none = await one.portmap('ADD', {})
    t.equal(none.code, 0, none.stdout)
    t.equal(await world.snapshot(), before)
    const some = await one.portmap('ADD', publishing([WEB]))
    t.equal(some.code, 0, some.stdout)
    t.equal(some.stdout, none.stdout, 'the same result')
    t.match(some.json?.['ips'], [{}, {}])
    t.equal((await one.portmap('DEL', publishing([WEB]))).stdout, '')
  })
}

t.test('what is refused, and changes nothing', async t => {
  await using all = await scene()
  const { one, world } = all
  const port = (more: object) => publishing([{ ...WEB, ...more } as Mapping])
  const refused: [name: string, config: object][] = [
    ['port 0', port({ hostPort: 0 })],
    ['port 65536', port({ hostPort: 65_536 })],
    ['a negative port', port({ hostPort: -1 })],
    ['port 1.5', port({ hostPort: 1.5 })],
    ['a text for a port', port({ hostPort: '80' })],
    ['no port of the host', publishing([{ containerPort: 80 } as Mapping])],
    ['container port 0', port({ containerPort: 0 })],
    ['container port 65536', port({ containerPort: 65_536 })],
    ['a protocol nobody knows', port({ protocol: 'quic' })],
    ['no address', port({ hostIP: 'localhost' })],
    ['a network for an address', port({ hostIP: '10.0.0.0/8' })],
    ['the same port twice', publishing([WEB, { ...WEB, containerPort: 81 }])],
    ['the same twice', publishing([WEB, { ...WEB, protocol: 'TCP' }])],
    [
      'everywhere, and on one address to another port',
      publishing([WEB, { ...WEB, containerPort: 81, hostIP: '192.0.2.1' }]),
    ],
    [
      'on one address, and on all of its family to another port',
      publishing([
        { ...WEB, hostIP: '::1' },
        { ...WEB, containerPort: 81, hostIP: '::' },
      ]),
    ],
    ['no list', { runtimeConfig: { portMappings: WEB } }],
    ['markMasqBit 32', publishing([WEB], { markMasqBit: 32 })],
    ['two ways to mark', publishing([WEB], { markMasqBit: 1, externalSetMarkChain: 'MARK' })],
    ['a backend nobody knows', publishing([WEB], { backend: 'ipfw' })],
    [
      'a condition that we cannot do',
      publishing([WEB], { conditionsV4: ['-m', 'owner', '--uid-owner', '5'] }),
    ],
    ['a condition without its value', publishing([WEB], { conditionsV4: ['-s'] })],
    ['a link that is not it', publishing([WEB], { conditionsV4: ['!', '-i', 'eth0'] })],
    ['an address of the other family', publishing([WEB], { conditionsV6: ['-s', '10.0.0.0/8'] })],
    ['words of the other family', publishing([WEB], { conditionsV6: ['ip saddr 10.0.0.0/8'] })],
    [
      'conditions of the other backend',
      publishing([WEB], { backend: 'nftables', conditionsV4: ['-s', '10.0.0.1'] }),
    ],
    [
      'what no packet satisfies',
      publishing([WEB], { conditionsV4: ['-s', '10.0.0.1', '!', '-s', '10.0.0.0/8'] }),
    ],
  ]
  const before = await world.snapshot()
  for (const [name, config] of refused) {
    const answer = await one.portmap('ADD', config)
    t.equal(answer.code, 1, name)
    t.equal(answer.json?.['code'], 7, `${name}: ${answer.stdout}`)
    tellsWell(t, answer)
    t.equal((await one.portmap('DEL', config)).code, 0, `${name}: DEL goes on`)
  }
  t.equal(await world.snapshot(), before)
  const alone = await one.portmap('ADD', publishing([WEB], { prevResult: undefined }))
  t.equal(alone.json?.['code'], 7, 'without the result of a plugin before')
  t.equal(await world.snapshot(), before)
})

t.test('overlap is of one protocol, family and address', async t => {
  await using all = await scene()
  const { one, two, world } = all
  const many = [
    WEB,
    { ...WEB, protocol: 'udp' },
    { ...WEB, hostPort: 9000, hostIP: '192.0.2.1' },
    { ...WEB, hostPort: 9000, hostIP: '127.0.0.1' },
    { ...WEB, hostPort: 9000, hostIP: '::' },
    { ...WEB, hostPort: 9001, hostIP: '0.0.0.0' },
    { ...WEB, hostPort: 9001, hostIP: '2001:db8::1' },
  ]
  t.equal((await one.portmap('ADD', publishing(many))).code, 0)
  const others = [
    { ...WEB, protocol: 'sctp' },
    { ...WEB, hostPort: 9000, hostIP: '192.0.2.77' },
    { ...WEB, hostPort: 9001, hostIP: '2001:db8::77' },
  ]
  const added = await two.portmap('ADD', publishing(others))
  t.equal(added.code, 0, added.stdout)
  const external = await two.portmap('ADD', publishing(others, { externalSetMarkChain: 'KUBE-MARK-MASQ' }))
  t.equal(external.code, 0)
  t.match(external.stderr, /externalSetMarkChain/)
  t.equal((await two.portmap('ADD', publishing(others, { markMasqBit: 0, backend: 'iptables' }))).code, 0)
  t.equal((await two.portmap('DEL', publishing(others))).code, 0)
  const left = await world.host.run('nft', 'list', 'table', 'inet', 'tnet_ports')
  t.notMatch(left, ` ${two.containerId} `)
  t.match(left, ` ${one.containerId} `)
})

function refusesTaken(t: Test, answer: Answer, holder: Container): void {
  t.equal(answer.json?.['code'], 7, answer.stdout)
  const text = `${String(answer.json?.['msg'])} ${String(answer.json?.['details'])}`
  for (const word of ['8080', holder.containerId, 'eth0', 'GC']) t.match(text, word)
}

t.test('a port has one holder, who is named', async t => {
  await using all = await scene()
  const { one, two, world } = all
  const asked: Record<string, [first: object, second: object]> = {
    'everywhere twice': [{}, {}],
    'everywhere, then one address': [{}, { hostIP: '192.0.2.1' }],
    'one address, then everywhere': [{ hostIP: '192.0.2.1' }, {}],
    'one address twice': [{ hostIP: '2001:db8::1' }, { hostIP: '2001:db8::1' }],
    'all of a family, then everywhere': [{ hostIP: '0.0.0.0' }, {}],
  }
  for (const [name, [first, second]] of Object.entries(asked)) {
    const held = publishing([{ ...WEB, ...first }])
    const wanted = publishing([
      { hostPort: 7999, containerPort: 1 },
      { ...WEB, ...second },
    ])
    t.equal((await one.portmap('ADD', held)).code, 0, name)
    const before = await world.snapshot()
    refusesTaken(t, await two.portmap('ADD', wanted), one)
    t.equal(await world.snapshot(), before, `${name}: nothing has changed`)
    t.equal((await one.portmap('ADD', held)).code, 0, `${name}: its holder asks again`)
    t.equal(await world.snapshot(), before)
    t.equal((await two.portmap('DEL', wanted)).code, 0)
    t.equal(await world.snapshot(), before, `${name}: DEL takes nothing from the holder`)
    t.equal((await one.portmap('DEL', held)).code, 0)
    t.equal((await two.portmap('ADD', wanted)).code, 0, `${name}: free again`)
    t.equal((await two.portmap('DEL', wanted)).code, 0)
  }
})

t.test('what another mapping covers is there once', async t => {
  await using all = await scene()
  const { one, world } = all
  const [some, everything] = [[{ ...WEB, hostIP: '::' }], [WEB]]
  const asked: Record<string, [asked: Mapping[], meant: Mapping[]]> = {
    'everywhere, and on all addresses of IPv6': [[WEB, ...some], everything],
    'on all addresses of IPv6, and everywhere': [[...some, WEB], everything],
    'everywhere, and on one address': [[{ ...WEB, hostIP: '192.0.2.1' }, WEB], everything],
    'on all of a family, and on one address': [[...some, { ...WEB, hostIP: '::1' }], some],
    'one address, all of a family, all': [[{ ...WEB, hostIP: '::1' }, ...some, WEB], everything],
  }
  for (const [name, [twice, meant]] of Object.entries(asked)) {
    t.equal((await one.portmap('ADD', publishing(meant))).code, 0)
    const wanted = await world.snapshot()
    t.equal((await one.portmap('DEL', publishing(meant))).code, 0)
    const before = await world.snapshot()
    t.equal((await one.portmap('ADD', publishing(twice))).code, 0, name)
    t.equal(await world.snapshot(), wanted, name)
    t.equal((await one.portmap('CHECK', publishing(twice))).code, 0, `${name}: CHECK`)
    t.equal((await one.portmap('DEL', publishing(twice))).code, 0, `${name}: DEL`)
    t.equal(await world.snapshot(), before, `${name}: nothing is left`)
  }
})

t.test('the ports of a container are asked for on each of its networks', async t => {
  await using all = await scene()
  const { one, two, world } = all
  const others = [
    { ...WEB, hostPort: 8081, hostIP: '192.0.2.1' },
    { ...WEB, hostPort: 8082, hostIP: '::' },
  ]
  let web = publishing([WEB, ...others])
  const WITHOUT_IPV6 = 4
  const call = (verb: 'ADD' | 'CHECK' | 'DEL', index: number) => {
    const interfaces = [{ name: `eth${index}`, sandbox: one.netns.path }]
    const addresses = index === WITHOUT_IPV6 ? [] : [`fd00:${index}::9/64`]
    const ips = [`10.${index}.0.9/24`, ...addresses].map(address => ({ address, interface: 0 }))
    const name = `network${index}`
    return one.portmap(
      verb,
      { ...web, name, prevResult: { cniVersion: '1.0.0', interfaces, ips } },
      `eth${index}`,
    )
  }
  const works = async (verb: 'ADD' | 'CHECK' | 'DEL', ...indices: number[]) => {
    for (const index of indices) {
      const { code, stdout } = await call(verb, index)
      t.equal(code, 0, `${verb} ${index}: ${stdout}`)
    }
  }
  const isRefused = async () => {
    const { stdout, json } = await two.portmap('ADD', publishing([WEB]))
    t.equal(json?.['code'], 7, stdout)
    t.match(json?.['msg'], one.containerId)
  }
  await works('ADD', 1, 2)
  const both = await world.snapshot()
  await works('CHECK', 1, 2)
  await works('ADD', 1, 2)
  t.equal(await world.snapshot(), both, 'asked again')
  await works('ADD', 3)
  await works('CHECK', 1, 2, 3)
  await isRefused()
  await works('DEL', 1)
  await works('CHECK', 2)
  await works('ADD', 1)
  await works('CHECK', 1, 2)
  await works('DEL', 2)
  await works('CHECK', 1)
  await isRefused()
  await works('DEL', 1, 3)
  const left = () => world.host.run('nft', 'list', 'table', 'inet', 'tnet_ports')
  t.notMatch(await left(), one.containerId)
  web = publishing([WEB])
  await works('ADD', 1, WITHOUT_IPV6)
  await works('DEL', 1)
  await works('CHECK', WITHOUT_IPV6)
  t.notMatch(await left(), 'network1', 'of neither family')
})

t.test('conditions part a port', async t => {
  await using all = await scene()
  const { one, two } = all
  const from = (...conditionsV4: string[]) => publishing([{ ...WEB, hostIP: '0.0.0.0' }], { conditionsV4 })
  t.equal((await one.portmap('ADD', from('-s', '10.0.0.0/8'))).code, 0)
  refusesTaken(t, await two.portmap('ADD', from('-s', '10.9.0.0/16')), one)
  refusesTaken(t, await two.portmap('ADD', from('-i', 'up0')), one)
  refusesTaken(t, await two.portmap('ADD', publishing([WEB])), one)
  const rest = await two.portmap('ADD', from('!', '-s', '10.0.0.0/8'))
  t.equal(rest.code, 0, rest.stdout)
  t.equal((await two.portmap('CHECK', from('!', '-s', '10.0.0.0/8'))).code, 0)
  t.equal((await one.portmap('CHECK', from('-s', '10.0.0.0/8'))).code, 0)
  t.equal((await one.portmap('DEL', from('-s', '10.0.0.0/8'))).code, 0)
  t.equal((await two.portmap('CHECK', from('!', '-s', '10.0.0.0/8'))).code, 0)
})

t.test('another address of the same container takes the place of the old one', async t => {
  await using all = await scene()
  const { one, world } = all
  t.equal((await one.portmap('ADD', publishing([WEB]))).code, 0)
  const interfaces = [{ name: 'eth0', sandbox: one.netns.path }]
  const prevResult = { cniVersion: '1.0.0', interfaces, ips: [{ address: '10.1.0.99/24', interface: 0 }] }
  const moved = publishing([WEB], { prevResult })
  t.equal((await one.portmap('ADD', moved)).code, 0)
  const ports = (await world.host.run('nft', 'list', 'map', 'inet', 'tnet_ports', 'ports4')).match(
    /tcp \. 8080.*/g,
  )
  t.match(ports, [/10\.1\.0\.99 \. 80/])
  t.equal((await one.portmap('DEL', moved)).code, 0)
})

t.test('DEL finds what it knows nothing of', async t => {
  await using all = await scene()
  const { one, two, world } = all
  const other = publishing([{ ...WEB, hostPort: 9000 }])
  const before = await world.snapshot()
  t.equal((await two.portmap('ADD', other)).code, 0)
  const neighbour = await world.snapshot()
  const config = publishing([WEB, { ...WEB, hostPort: 8081, hostIP: '192.0.2.1' }], { masqAll: true })
  const ways: Record<string, object> = {
    'as it was': config,
    'without prevResult': { ...config, prevResult: undefined },
    'without ports': {},
    'without anything': { prevResult: undefined },
    'with other ports': publishing([{ ...WEB, hostPort: 5 }]),
    'with some of the ports': publishing([
      { ...WEB, hostPort: 8081, hostIP: '192.0.2.1' },
      { ...WEB, hostPort: 5 },
    ]),
    'with a prevResult that is none': { ...config, prevResult: { ips: 5 } },
    'with the ports of somebody else': other,
  }
  for (const [name, way] of Object.entries(ways)) {
    t.equal((await one.portmap('ADD', config)).code, 0)
    const answer = await one.portmap('DEL', way)
    t.equal(answer.code, 0, `${name}: ${answer.stdout}`)
    t.equal(await world.snapshot(), neighbour, name)
  }
  t.equal((await two.portmap('DEL', {})).code, 0)
  t.notMatch((await world.snapshot()).replace(before, ''), /8080|9000/)
})

t.test('CHECK sees each part', async t => {
  await using all = await scene()
  const { one, world } = all
  const config = publishing([WEB, { ...WEB, hostPort: 8081, protocol: 'udp', hostIP: '192.0.2.1' }])
  const nft = (...words: string[]) => world.host.run('nft', ...words)
  const table = ['inet', 'tnet_ports']
  const spoils: Record<string, () => Promise<unknown>> = {
    'a port': () => nft('delete', 'element', ...table, 'ports4', '{ tcp . 8080 }'),
    'a port of IPv6': () => nft('delete', 'element', ...table, 'ports6', '{ tcp . 8080 }'),
    'a port of an address': () =>
      nft('delete', 'element', ...table, 'host_ports4', '{ 192.0.2.1 . udp . 8081 }'),
    masquerade: () => nft('flush', 'set', ...table, 'masquerade4'),
    'who may not come to 127.0.0.1': () => nft('flush', 'chain', ...table, 'stray'),
    'what the host itself sends': () => nft('flush', 'chain', ...table, 'output'),
    'a rule more': () => nft('insert', 'rule', ...table, 'prerouting', 'accept'),
    'all of it': () => nft('flush', 'ruleset'),
    route_localnet: () => world.host.run('sh', '-c', 'echo 0 > /proc/sys/net/ipv4/conf/cni0/route_localnet'),
  }
  for (const [name, spoil] of Object.entries(spoils)) {
    t.equal((await one.portmap('ADD', config)).code, 0, `${name}: ADD mends it`)
    t.equal((await one.portmap('CHECK', config)).code, 0, `${name}: whole`)
    await spoil()
    const answer = await one.portmap('CHECK', config)
    t.equal(answer.json?.['code'], 100, `${name}: ${answer.stdout}`)
  }
  t.equal(
    (await one.portmap('CHECK', publishing([WEB], { prevResult: undefined }))).code,
    1,
    'it needs the result',
  )
  t.equal((await one.portmap('DEL', config)).code, 0)
})

t.test('sixteen at a time: each its own port, and one port for one of them', async t => {
  await using all = await scene()
  const containers = await Promise.all(Array.from({ length: 16 }, () => all.container({})))
  const own = (index: number) =>
    publishing([
      { ...WEB, hostPort: 9000 + index },
      { ...WEB, hostPort: 9000 + index, protocol: 'udp' },
    ])
  const added = await Promise.all(containers.map((each, index) => each.portmap('ADD', own(index))))
  for (const { code, stdout } of added) t.equal(code, 0, stdout)
  for (const [index, each] of containers.entries()) t.equal((await each.portmap('CHECK', own(index))).code, 0)

  const same = await Promise.all(
    containers.map((each, index) =>
      each.portmap('ADD', publishing([{ ...WEB, ...(index % 2 === 0 ? { hostIP: '192.0.2.1' } : {}) }])),
    ),
  )
  const winners = same.flatMap(({ code }, index) => (code === 0 ? [index] : []))
  t.equal(winners.length, 1, 'one of them has it')
  for (const answer of same.filter(({ code }) => code !== 0)) {
    t.match(String(answer.json?.['msg']), containers[winners[0] ?? 0]?.containerId ?? 'nobody')
  }
  const gone = await Promise.all(containers.map(each => each.portmap('DEL', {})))
  for (const { code, stdout } of gone) t.equal(code, 0, stdout)
  const left = await all.world.host.run('nft', 'list', 'table', 'inet', 'tnet_ports')
  t.notMatch(left, /elements/)
  for (const each of containers) await each[Symbol.asyncDispose]()
})

t.test('GC of the network, and of no other; STATUS', async t => {
  await using all = await scene()
  const { one, two, world } = all
  t.equal((await one.portmap('ADD', publishing([WEB]))).code, 0)
  t.equal((await two.portmap('ADD', publishing([{ ...WEB, hostPort: 8081 }], { name: 'elsewhere' }))).code, 0)
  const whole = await world.snapshot()
  const request = { type: 'portmap', containerId: '', netns: '', ifname: '' }
  const config = { ...world.config({ cniVersion: '1.1.0' }), type: 'portmap' }
  const gc = (...valid: string[]) =>
    world.call(
      'GC',
      { ...config, 'cni.dev/valid-attachments': valid.map(containerID => ({ containerID, ifname: 'eth0' })) },
      request,
    )
  t.equal((await gc(one.containerId)).code, 0)
  t.equal(await world.snapshot(), whole)
  t.equal((await gc()).code, 0)
  const left = await world.snapshot()
  t.notMatch(left, /tcp \. 8080/)
  t.match(left, /tcp \. 8081/)
  t.match(await world.call('STATUS', config, request), { code: 0, stderr: '' })
  await world.host.run('ip', 'link', 'add', 'kube-ipvs0', 'type', 'veth', 'peer', 'name', 'other')
  t.match(await world.call('STATUS', config, request), { code: 0, stderr: 'addresses of services' })
  const without = { ...config, conditionsV4: ['!', '-d', '10.96.0.0/12'] }
  t.match(await world.call('STATUS', without, request), { code: 0, stderr: '' })
  await world.host.run('ip', 'link', 'del', 'kube-ipvs0')
  t.equal((await two.portmap('DEL', { name: 'elsewhere' })).code, 0)
})

t.test('the holder is gone without DEL: the port is his until then', async t => {
  await using all = await scene()
  const { one, two } = all
  const netns = await makeNetns('stale')
  t.equal((await one.portmap('ADD', publishing([WEB]))).code, 0)
  await one.netns.remove()
  refusesTaken(t, await two.portmap('ADD', publishing([WEB])), one)
  t.equal((await one.portmap('DEL', {})).code, 0)
  t.equal((await two.portmap('ADD', publishing([WEB]))).code, 0)
  t.equal((await two.portmap('DEL', publishing([WEB]))).code, 0)
  await netns.remove()
})
