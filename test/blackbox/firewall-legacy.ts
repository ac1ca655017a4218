// The firewall plugin on a host that runs iptables-legacy: what stands there for whom, and when it goes.
import t, { type Test } from 'tap'
import { chain, type Chain, gc } from '../harness/chain.ts'
import { killSweep } from '../harness/kill-sweep.ts'
import { isolated, lacks, makeNetns } from '../harness/namespaces.ts'
import { type Subject, subjects } from '../harness/plugins.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)
const skip = lacks('legacy iptables')

const ours = subjects().find(({ name }) => name === 'tnet') as Subject
const PROGRAMS = ['iptables-legacy', 'ip6tables-legacy'] as const
const sample = (firewall: object = {}) => ({
  type: 'firewall',
  config: firewall,
  after: [{ type: 'bridge', isDefaultGateway: true, ipam: hostLocal(['10.1.0.0/24', 'fd00:1::/64']) }],
})

async function makeHost(): Promise<World> {
  const world = await makeWorld(ours)
  for (const program of PROGRAMS) {
    await world.host.run(program, '-P', 'FORWARD', 'DROP')
    await world.host.run(program, '-A', 'FORWARD', '-m', 'comment', '--comment', 'mine tnet', '-j', 'LOG')
  }
  return world
}

/** Of both families. */
async function rules({ host }: World): Promise<string> {
  const texts = await Promise.all(PROGRAMS.map(program => host.run(program, '-S')))
  return texts.join('\n')
}

async function succeed(t: Test, answers: Promise<{ code: number | null; stdout: string }[]>): Promise<void> {
  for (const { code, stdout } of await answers) t.equal(code, 0, stdout)
}

t.test('rules, their owner, and their end', { skip }, async t => {
  await using world = await makeHost()
  const { host, sandbox, network } = world
  const at = { containerId: 'one', netns: sandbox.path }
  const warm = chain(world, sample({ ingressPolicy: 'same-bridge' }), at)
  await warm.add()
  await succeed(t, warm.del())
  const before = await rules(world)
  t.notMatch(before, /10\.1\.0|cni0|one/, 'nothing is of anybody')
  t.match(before, '-A FORWARD -m comment --comment "mine tnet" -j LOG', 'nor is what is another’s touched')

  for (const [policy, wanted] of [
    ['open', []],
    [
      'same-bridge',
      [
        '-A CNI-ISOLATION-STAGE-1 -i cni0 ! -o cni0 -m comment --comment "CNI firewall plugin rules (ingressPolicy: same-bridge) tnet" -j CNI-ISOLATION-STAGE-2',
        '-A CNI-ISOLATION-STAGE-2 -o cni0 -m comment --comment "CNI firewall plugin rules (ingressPolicy: same-bridge) tnet" -j DROP',
      ],
    ],
  ] as const) {
    const one = chain(world, sample({ ingressPolicy: policy }), at)
    await one.add()
    await succeed(t, one.check())
    const needs = policy === 'open' ? '' : `: ${policy} cni0`
    const owner = `-m comment --comment "tnet ${network} one eth0${needs}"`
    const states = '-m conntrack --ctstate RELATED,ESTABLISHED'
    const standing = await rules(world)
    for (const rule of [
      '-A FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD',
      '-A CNI-FORWARD -m comment --comment "CNI firewall plugin admin overrides" -j CNI-ADMIN',
      ...['10.1.0.', 'fd00:1::'].flatMap(net => {
        const address = new RegExp(`-s (${net}\\S+) ${owner}`).exec(standing)?.[1]
        return [
          `-A CNI-FORWARD -d ${address} ${owner} ${states} -j ACCEPT`,
          `-A CNI-FORWARD -s ${address} ${owner} -j ACCEPT`,
        ]
      }),
      ...wanted,
    ]) {
      t.ok(standing.split('\n').includes(rule), rule)
    }
    const again = chain(world, { ...sample({ ingressPolicy: policy }), after: [] }, at, {
      prevResult: one.result(),
    })
    t.equal((await again.check())[0]?.code, 0)
    for (const program of PROGRAMS) {
      const [, gone = ''] = /-A (CNI-FORWARD -s \S+ .*)/.exec(await host.run(program, '-S')) ?? []
      await host.run('sh', '-c', `${program} -D ${gone}`)
      t.match((await one.check()).at(-1), { code: 1, json: { code: 100 } }, `${program}: one is missing`)
      await host.run('sh', '-c', `${program} -A ${gone}`)
    }
    await succeed(t, one.check())
    await succeed(t, one.del({ netns: '', prevResult: false }))
    await succeed(t, one.del())
    t.equal(await rules(world), before, `${policy}: nothing is left`)
  }
})

t.test('GC takes those whom nobody has, and leaves the others', { skip }, async t => {
  await using world = await makeHost()
  await using two = await makeNetns('two')
  const apart = sample({ ingressPolicy: 'isolated' })
  const gone = chain(world, apart, { containerId: 'gone', netns: world.sandbox.path })
  const kept = chain(world, apart, { containerId: 'kept', netns: two.path })
  for (const each of [gone, kept]) await each.add()
  await succeed(t, gc(world, apart, [kept]))
  const left = await rules(world)
  t.notMatch(left, / gone /)
  t.match(left, / kept /)
  t.match(left, '-i cni0 -o cni0', 'its bridge is kept apart as before')
  await succeed(t, kept.check())
  await succeed(t, gc(world, apart, []))
  t.notMatch(await rules(world), /cni0| kept /)
})

t.test('many at once: each has its rules, none of them twice', { skip }, async t => {
  await using world = await makeHost()
  const places = await Promise.all(Array.from({ length: 8 }, () => makeNetns('many')))
  const all = places.map(({ name, path }) => chain(world, sample(), { containerId: name, netns: path }))
  await Promise.all(all.map(each => each.add()))
  const standing = (await world.host.run('iptables-legacy', '-S')).split('\n')
  t.equal(standing.filter(rule => /^-A CNI-FORWARD -[sd] 10\.1\.0\./.test(rule)).length, 2 * all.length)
  t.strictSame(standing, [...new Set(standing)])
  for (const each of all) await succeed(t, each.check())
  await Promise.all(all.map((each: Chain) => each.del()))
  t.notMatch(await rules(world), /10\.1\.0\./)
  for (const place of places) await place[Symbol.asyncDispose]()
})

t.test('a filter that nobody has written to is no reason for CHECK to fail', { skip }, async t => {
  await using world = await makeWorld(ours)
  const one = chain(world, sample({ backend: 'iptables' }), { containerId: 'one', netns: world.sandbox.path })
  await one.add()
  await world.host.run('iptables-legacy', '-S')
  await succeed(t, one.check())
  await world.host.run('iptables-legacy', '-P', 'FORWARD', 'DROP')
  t.match((await one.check()).at(-1), { code: 1, json: { code: 100 } }, 'but that it drops is one')
  await succeed(t, one.del())
})

t.test('a lock that others hold, and variables that would lead it astray', { skip }, async t => {
  await using world = await makeHost()
  const under = await world.call('ADD', { ...world.config(), ...sample().after[0], cniVersion: '1.1.0' })
  const config = { ...world.config({ cniVersion: '1.1.0' }), type: 'firewall', prevResult: under.json }
  const before = await rules(world)
  const add = (env: Record<string, string> = {}) => world.call('ADD', config, { type: 'firewall', env })
  const holding = world.host.attempt('flock', ['/run/xtables.lock', 'sleep', '20'], {})
  await world.host.run('sh', '-c', 'while flock -n /run/xtables.lock true; do sleep 0.05; done')
  const busy = await add()
  t.match(busy, { code: 1, json: { code: 11 } }, busy.stdout)
  await holding
  t.equal(await rules(world), before, 'nothing was done')
  const astray = await add({ XTABLES_LIBDIR: '/nowhere', PATH: '/nowhere' })
  t.equal(astray.code, 0, astray.stdout)
  t.match(await rules(world), '10.1.0.2')
})

for (const [killed, cleanUp] of [
  ['ADD', 'DEL'],
  ['ADD', 'GC'],
  ['DEL', 'DEL'],
] as const) {
  t.test(`${killed} killed at each deed, then ${cleanUp}`, { skip }, async t => {
    await using world = await makeHost()
    const under = await world.call('ADD', { ...world.config(), ...sample().after[0], cniVersion: '1.1.0' })
    const common = world.config({ cniVersion: '1.1.0', prevResult: under.json })
    const config = { ...common, type: 'firewall', ingressPolicy: 'same-bridge' }
    const sweep = { world, type: 'firewall', config, killed, cleanUp, also: () => rules(world) }
    t.strictSame(await killSweep(t, sweep), [])
  })
}

t.test('STATUS tells what is executed', { skip }, async t => {
  await using world = await makeHost()
  const status = async (backend?: string) =>
    world.call('STATUS', { ...world.config({ cniVersion: '1.1.0' }), type: 'firewall', backend })
  const found = await status()
  t.equal(found.code, 0)
  for (const program of PROGRAMS) t.match(found.stderr, `/usr/sbin/${program}-restore is executed`)
  t.match(
    (await status('nftables')).stderr,
    'iptables-legacy has a filter table: what it drops stays dropped',
  )
})
