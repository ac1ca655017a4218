// networkIsolation and internal: what ADD sets, CHECK misses, and DEL and GC leave as long as the bridge is there.
import t from 'tap'
import { elementsIn } from '../harness/firewall.ts'
import { isolated } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const subject = subjects().find(({ name }) => name === 'tnet')
const BRIDGES = ['bridges: "cni0"', 'bridges_self: "cni0" . "cni0"']
const INTERNAL = [...BRIDGES, 'internal: "cni0"']

async function scene(): Promise<World> {
  if (subject === undefined) throw new Error('isolation: no plugin directory of ours')
  return makeWorld(subject)
}

const elements = async ({ host }: World) => elementsIn(await host.run('nft', 'list', 'ruleset'))
const config = (world: World, more: object) =>
  world.config({ cniVersion: '1.1.0', isGateway: true, ipam: hostLocal(['10.1.0.0/24']), ...more })

for (const [name, more, wanted] of [
  ['networkIsolation', { networkIsolation: true }, BRIDGES],
  ['internal', { internal: true }, INTERNAL],
  ['internal says it all', { internal: true, networkIsolation: false }, INTERNAL],
] as const) {
  t.test(name, async t => {
    await using world = await scene()
    const full = config(world, more)
    const added = await world.call('ADD', full)
    t.equal(added.code, 0, added.stdout)
    t.same(await elements(world), wanted)
    const withResult = { ...full, prevResult: added.json }
    const check = () => world.call('CHECK', withResult)
    t.equal((await check()).code, 0)
    for (const element of wanted) {
      const [set = '', key = ''] = element.split(': ')
      await world.host.run('nft', 'delete', 'element', 'inet', 'tnet', set, `{ ${key} }`)
      t.match(await check(), { code: 1, json: { code: 100 } }, `without ${element}`)
      await world.host.run('nft', 'add', 'element', 'inet', 'tnet', set, `{ ${key} }`)
    }
    t.equal((await check()).code, 0)
    t.equal((await world.call('DEL', withResult)).code, 0)
    t.same(await elements(world), wanted, 'it is the network’s, not the container’s')
    const gc = { ...full, 'cni.dev/valid-attachments': [] }
    const nobody = { containerId: '', netns: '', ifname: '' }
    t.equal((await world.call('GC', gc, nobody)).code, 0)
    t.same(await elements(world), wanted)
    await world.host.run('ip', 'link', 'del', 'cni0')
    t.equal((await world.call('GC', gc, nobody)).code, 0)
    t.same(await elements(world), [], 'of a bridge that is gone')
  })
}

t.test('DEL after the bridge is gone leaves nothing of it', async t => {
  await using world = await scene()
  const full = config(world, { internal: true })
  t.equal((await world.call('ADD', full)).code, 0)
  await world.host.run('ip', 'link', 'del', 'cni0')
  t.equal((await world.call('DEL', full)).code, 0)
  t.same(await elements(world), [])
})

t.test(
  'a network without the keys leaves the bridge as it is; one that is no longer internal opens it',
  async t => {
    await using world = await scene()
    const add = async (more: object, containerId: string) => {
      const full = config(world, more)
      t.equal((await world.call('ADD', full, { containerId })).code, 0)
      t.equal((await world.call('DEL', full, { containerId })).code, 0)
      return elements(world)
    }
    t.same(await add({ internal: true }, 'one'), INTERNAL)
    t.same(await add({}, 'two'), INTERNAL)
    t.same(await add({ networkIsolation: true }, 'three'), BRIDGES)
  },
)
