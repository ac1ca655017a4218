// Packets: two sandboxes made by ADD reach each other, the gateway and, masqueraded, what lies beyond the host.
import t, { type Test } from 'tap'
import { isolated, makeNetns, type Netns } from '../harness/namespaces.ts'
import { makeOutside, OUTSIDE } from '../harness/outside.ts'
import { subjects, type Answer } from '../harness/plugins.ts'
import { ask, ping, serve } from '../harness/traffic.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const ipam = hostLocal(['10.1.0.0/24', 'fd00:1::/64'])
const GATEWAYS = ['10.1.0.1', 'fd00:1::1']
const BEYOND = Object.values(OUTSIDE)
const SHORT = 400

interface Pair extends AsyncDisposable {
  readonly one: Netns
  readonly two: Netns
  /** The addresses of `two`. */
  readonly addresses: readonly string[]
}

async function makePair(world: World, config: object): Promise<Pair> {
  const answers: Answer[] = []
  const two = await makeNetns('second')
  for (const netns of [world.sandbox, two]) {
    const added = await world.call('ADD', config, { containerId: netns.name, netns: netns.path })
    if (added.code !== 0) throw new Error(added.stdout)
    answers.push(added)
  }
  const ips = (answers[1]?.json?.['ips'] ?? []) as { address: string }[]
  const addresses = ips.map(({ address }) => address.split('/')[0] ?? '')
  return { one: world.sandbox, two, addresses, [Symbol.asyncDispose]: () => two.remove() }
}

async function reaches(
  t: Test,
  from: Netns | undefined,
  addresses: readonly string[],
  what: string,
): Promise<void> {
  for (const address of addresses) t.ok(await ping(from, address), `${what}: ${address}`)
}

async function misses(t: Test, from: Netns, addresses: readonly string[], what: string): Promise<void> {
  for (const address of addresses) t.notOk(await ping(from, address, SHORT), `${what}: ${address}`)
}

const FORGED = '02:00:00:00:00:77'
/** Tells everybody, in a frame from the link's own hardware address, that `argv[1]` is at `argv[2]`. */
const ARP_FORGERY = `
import socket, sys
address, forged = socket.inet_aton(sys.argv[1]), bytes.fromhex(sys.argv[2].replace(':', ''))
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(('eth0', 0))
own, all = link.getsockname()[4], bytes.fromhex('ff' * 6)
arp = bytes.fromhex('0001080006040002') + forged + address + all + address
link.send(all + own + bytes.fromhex('0806') + arp)`

for (const subject of subjects()) {
  t.test(
    `${subject.name}: each other, the gateway, and masqueraded beyond the host; after DEL nothing is left`,
    async t => {
      await using world = await makeWorld(subject)
      await using outside = await makeOutside(world.host)
      const config = world.config({ isDefaultGateway: true, ipMasq: true, ipam })
      t.equal((await world.call('ADD', config)).code, 0)
      t.equal((await world.call('DEL', config)).code, 0)
      const before = await world.snapshot()

      await using pair = await makePair(world, config)
      const { one, two, addresses } = pair
      await reaches(t, one, addresses, 'its neighbour')
      await reaches(t, world.host, addresses, 'from the host')
      await reaches(t, two, GATEWAYS, 'the gateway')
      await reaches(t, one, BEYOND, 'beyond the host')
      await using _tcp = await serve(outside, 'tcp', 80)
      await using _udp = await serve(outside, 'udp', 80)
      await using _inner = await serve(two, 'tcp', 80)
      for (const by of ['tcp', 'udp'] as const) {
        t.equal(
          await ask(one, by, '192.0.2.2', 80),
          '192.0.2.1',
          `${by}: the outside sees the host's address`,
        )
        t.equal(
          await ask(one, by, '2001:db8::2', 80),
          '2001:db8::1',
          `${by}: the outside sees the host's address`,
        )
      }
      t.strictSame(
        await Promise.all(addresses.map(address => ask(one, 'tcp', address, 80))),
        addresses.map(address => address.replace(/.$/, last => String(Number(last) - 1))),
        'a neighbour sees the real address',
      )
      for (const netns of [one, two]) {
        t.equal((await world.call('DEL', config, { containerId: netns.name, netns: netns.path })).code, 0)
      }
      await two.remove()
      t.equal(await world.snapshot(), before, 'nothing is left')
    },
  )

  t.test(`${subject.name}: without ipMasq nothing comes back from beyond the host`, async t => {
    await using world = await makeWorld(subject)
    await using _outside = await makeOutside(world.host)
    await using pair = await makePair(world, world.config({ isDefaultGateway: true, ipam }))
    await reaches(t, pair.one, GATEWAYS, 'the gateway')
    await misses(t, pair.one, BEYOND, 'beyond the host')
  })

  t.test(`${subject.name}: without a gateway the neighbour alone`, async t => {
    await using world = await makeWorld(subject)
    await using pair = await makePair(world, world.config({ ipam }))
    await reaches(t, pair.one, pair.addresses, 'its neighbour')
    await misses(t, pair.one, GATEWAYS, 'the gateway')
  })

  t.test(`${subject.name}: layer 2 alone`, async t => {
    await using world = await makeWorld(subject)
    await using pair = await makePair(world, world.config({}))
    for (const [index, netns] of [pair.one, pair.two].entries())
      await netns.run('ip', 'addr', 'add', `192.0.2.${index + 1}/24`, 'dev', 'eth0')
    await reaches(t, pair.one, ['192.0.2.2'], 'its neighbour')
  })

  t.test(`${subject.name}: macspoofchk stops frames with another hardware address`, async t => {
    await using world = await makeWorld(subject)
    const config = world.config({ isGateway: true, macspoofchk: true, ipam })
    await using pair = await makePair(world, config)
    await reaches(t, pair.one, ['10.1.0.1', ...pair.addresses], 'with its own')
    await pair.one.run('ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:00:77')
    await misses(t, pair.one, ['10.1.0.1', pair.addresses[0] ?? ''], 'with another')
    await reaches(t, pair.two, ['10.1.0.1'], 'the neighbour still')
  })

  if (subject.name === 'reference') continue
  t.test(`${subject.name}: an address that another container had a moment ago`, async t => {
    await using world = await makeWorld(subject)
    const config = world.config({ isGateway: true, ipam })
    await using pair = await makePair(world, config)
    const reusing = { ...config, args: { cni: { ips: pair.addresses } } }
    for (const place of [world.host, pair.one]) await reaches(t, place, pair.addresses, 'before')
    t.equal((await world.call('DEL', config, { containerId: pair.two.name, netns: pair.two.path })).code, 0)
    const again = { containerId: 'again', netns: pair.two.path }
    t.match((await world.call('ADD', reusing, again)).json?.['ips'], [{ address: `${pair.addresses[0]}/24` }])
    for (const place of [world.host, pair.one]) {
      for (const address of pair.addresses) t.ok(await ping(place, address, SHORT), `at once: ${address}`)
    }
  })

  for (const macspoofchk of [false, true]) {
    const what = macspoofchk ? 'macspoofchk stops' : 'without macspoofchk a neighbour believes'
    t.test(`${subject.name}: ${what} ARP with another hardware address`, async t => {
      await using world = await makeWorld(subject)
      await using pair = await makePair(world, world.config({ isGateway: true, macspoofchk, ipam }))
      await reaches(t, pair.two, ['10.1.0.1'], 'the gateway')
      await pair.two.run('sysctl', '-q', '-w', 'net.ipv4.neigh.eth0.locktime=0')
      await pair.one.run('python3', '-c', ARP_FORGERY, '10.1.0.1', FORGED)
      const known = await pair.two.run('ip', 'neighbour', 'show', '10.1.0.1')
      t.equal(known.includes(FORGED), !macspoofchk, known)
    })
  }

  t.test(`${subject.name}: portIsolation keeps neighbours apart, not the gateway`, async t => {
    await using world = await makeWorld(subject)
    await using pair = await makePair(world, world.config({ isGateway: true, portIsolation: true, ipam }))
    await reaches(t, pair.one, GATEWAYS, 'the gateway')
    await misses(t, pair.one, pair.addresses, 'its neighbour')
  })
}
