// Published ports of a network that is shut off from others: they are open to whom they are published for, and nothing else is.
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { EXECUTABLE, sources } from '../harness/command-line.ts'
import { isolated, makeNetns, type Netns } from '../harness/namespaces.ts'
import { HOST, makeInternet } from '../harness/outside.ts'
import { type Answer, call, type Verb } from '../harness/plugins.ts'
import { run } from '../harness/run.ts'
import { ask, type Place, serve } from '../harness/traffic.ts'

isolated(import.meta)
t.setTimeout(600_000)

/** To see that nothing comes, a short time is enough. */
const SHORT = 500

interface Pod extends AsyncDisposable {
  readonly netns: Netns
  /** Of IPv4, then of IPv6. */
  readonly addresses: readonly string[]
  portmap(verb: Verb, portMappings: readonly object[]): Promise<Answer>
}

/** A container of a runtime on a network of the command line, as `tnet network export` tells the runtime. */
async function pod(network: string): Promise<Pod> {
  const { plugins, ...list } = JSON.parse(await sources.must('network', 'export', network)) as {
    plugins: object[]
  }
  const netns = await makeNetns(network)
  const request = { containerId: netns.name, netns: netns.path }
  const config = { ...list, ...plugins[0] }
  const added = await call(dirname(EXECUTABLE), 'bridge', { ...request, config, verb: 'ADD' })
  if (added.code !== 0) throw new Error(`ADD of bridge: ${added.stdout}`)
  const ips = added.json?.['ips'] as { address: string }[]
  return {
    netns,
    addresses: ips.map(({ address }) => address.split('/')[0] ?? ''),
    portmap: (verb, portMappings) =>
      call(dirname(EXECUTABLE), 'portmap', {
        ...request,
        verb,
        config: { ...list, type: 'portmap', prevResult: added.json, runtimeConfig: { portMappings } },
      }),
    async [Symbol.asyncDispose]() {
      await call(dirname(EXECUTABLE), 'bridge', { ...request, config, verb: 'DEL' })
      await netns[Symbol.asyncDispose]()
    },
  }
}

const NETWORKS = {
  front: ['--ipv6', '--subnet', '10.8.0.0/24', '--subnet', 'fd00:8::/64'],
  back: ['--ipv6', '--subnet', '10.9.0.0/24', '--subnet', 'fd00:9::/64'],
  inner: ['--internal', '--subnet', '10.10.0.0/24'],
}
const WEB = [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }]

t.test('a published port, and nothing beside it', async t => {
  if (!existsSync(EXECUTABLE)) throw new Error(`${EXECUTABLE} is not built`)
  for (const [name, options] of Object.entries(NETWORKS)) {
    await sources.must('network', 'create', ...options, name)
  }
  {
    await using outside = await makeInternet('10.8.0.0/24', 'fd00:8::/64', '10.10.0.0/24')
    await using web = await pod('front')
    await using sibling = await pod('front')
    await using other = await pod('back')
    await using shut = await pod('inner')
    await using _web = await serve(web.netns, 'tcp', 80)
    await using _more = await serve(web.netns, 'tcp', 81)
    await using _shut = await serve(shut.netns, 'tcp', 80)
    const opens = async (from: Place, address: string, port: number, what: string) =>
      t.ok(await ask(from, 'tcp', address, port), `${what}: ${address} ${port}`)
    const stays = async (from: Place, address: string, port: number, what: string) =>
      t.notOk(await ask(from, 'tcp', address, port, SHORT), `${what}: ${address} ${port}`)

    await stays(outside, HOST[4], 8080, 'before')
    const added = await web.portmap('ADD', WEB)
    t.equal(added.code, 0, added.stdout)
    for (const host of Object.values(HOST)) {
      await opens(outside, host, 8080, 'from outside')
      await opens(undefined, host, 8080, 'from the host')
      await opens(other.netns, host, 8080, 'from another network that is shut off')
      await stays(outside, host, 81, 'of the host itself')
    }
    await opens(undefined, '127.0.0.1', 8080, 'from the host')
    t.equal(await ask(outside, 'tcp', HOST[4], 8080), '192.0.2.2', 'who asks is seen')
    for (const address of web.addresses) {
      for (const port of [80, 81]) {
        await stays(outside, address, port, 'from outside, past the published port')
        await stays(other.netns, address, port, 'from another network, past the published port')
        await opens(sibling.netns, address, port, 'on its own network')
        await opens(undefined, address, port, 'from the host')
      }
    }

    t.equal((await web.portmap('DEL', WEB)).code, 0)
    await stays(outside, HOST[4], 8080, 'after DEL')
    await stays(other.netns, HOST[4], 8080, 'after DEL')

    t.equal((await shut.portmap('ADD', WEB)).code, 0)
    await stays(outside, HOST[4], 8080, 'nothing gets into an internal network')
    await stays(other.netns, HOST[4], 8080, 'nothing gets into an internal network')
    await opens(undefined, '127.0.0.1', 8080, 'but from the host')
    t.equal((await shut.portmap('DEL', WEB)).code, 0)
  }
  for (const name of Object.keys(NETWORKS)) await sources.must('network', 'rm', name)
  t.notMatch(await run('nft', ['list', 'ruleset']), 'elements')
})
