// containerd on our plugin directory: containers of ctr, and pods as a kubelet asks for them over CRI.
import { readdirSync, rmSync } from 'node:fs'
import t from 'tap'
import { containerd, RUN } from '../harness/containerd.ts'
import { IMAGE } from '../harness/image.ts'
import { isolated } from '../harness/namespaces.ts'
import { HOST, makeInternet } from '../harness/outside.ts'
import { subjects } from '../harness/plugins.ts'
import { run } from '../harness/run.ts'
import { snapshot } from '../harness/snapshot.ts'
import { ask, ping, type Place, serve } from '../harness/traffic.ts'

isolated(import.meta)
t.setTimeout(600_000)

const PLUGINS = subjects().find(({ name }) => name === 'tnet')?.dir ?? ''
const PODS = {
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isDefaultGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00:1::/64' }]] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
    { type: 'bandwidth', capabilities: { bandwidth: true } },
    { type: 'firewall' },
  ],
}

/** What containerd itself keeps in /run comes and goes. */
const STATE = ['/var/lib/cni', '/var/lib/tnet']
const runtime = await containerd(PLUGINS, PODS)
const outside = await makeInternet()
let pods = 0

/** A pod as the kubelet describes it. */
function pod(more: object = {}) {
  const name = `pod${++pods}`
  return {
    config: {
      metadata: { name, uid: name, namespace: 'default', attempt: 0 },
      hostname: name,
      log_directory: '/run/pods',
      linux: {},
      ...more,
    },
  }
}

interface Pod {
  readonly id: string
  readonly path: string
  readonly inside: NonNullable<Place>
  readonly addresses: readonly string[]
}

async function start(more: object = {}): Promise<Pod> {
  const { id } = (await runtime.cri('RunPodSandbox', pod(more))) as { id: string }
  const { status, info } = await runtime.cri('PodSandboxStatus', { id, verbose: true })
  const spec = JSON.parse(info['info']) as {
    runtimeSpec: { linux: { namespaces: { type: string; path?: string }[] } }
  }
  const path = spec.runtimeSpec.linux.namespaces.find(({ type }) => type === 'network')?.path ?? ''
  const addresses = [status.network.ip, ...status.network.additional_ips.map(({ ip }: { ip: string }) => ip)]
  return { id, path, inside: { path } as unknown as NonNullable<Place>, addresses }
}

async function end({ id }: Pod): Promise<void> {
  await runtime.cri('StopPodSandbox', { id })
  await runtime.cri('RemovePodSandbox', { id })
}

function leases(): string[] {
  return readdirSync('/var/lib/cni/networks/pods').filter(name => /^(10\.|fd00)/.test(name))
}

const limits = {
  annotations: { 'kubernetes.io/ingress-bandwidth': '10M', 'kubernetes.io/egress-bandwidth': '10M' },
}
const web = { port_mappings: [{ container_port: 80, host_port: 8080 }] }

// What a first pod makes and all share: the bridge, tables, folders.
await end(await start({ ...web, ...limits }))
const before = await snapshot({ folders: STATE })

await t.test('ctr run --cni', async t => {
  const text = await runtime.ctr(...RUN, '--rm', IMAGE, 'c1', 'ip', 'address')
  t.match(text, /inet 10\.1\.0\.\d+\/24/)
  t.match(text, /inet6 fd00:1::/)
  t.strictSame(leases(), [], 'it leaves nothing')
})

await t.test('a pod: dual stack, a host port, limits', async t => {
  const one = await start({ ...web, ...limits })
  const two = await start()
  t.equal(one.addresses.length, 2, one.addresses.join(' '))
  for (const address of one.addresses) t.ok(await ping(two.inside, address), `${address} from another pod`)
  t.ok(await ping(one.inside, '192.0.2.2'), 'to the rest of the world')
  t.ok(await ping(one.inside, '2001:db8::2'), 'by IPv6')
  {
    await using server = await serve(one.inside, 'tcp', 80)
    void server
    t.equal(await ask(outside, 'tcp', HOST[4], 8080), '192.0.2.2', 'from another host')
    t.equal(await ask(outside, 'tcp', HOST[6], 8080), '2001:db8::2', 'by IPv6')
    t.type(await ask(undefined, 'tcp', '127.0.0.1', 8080), 'string', 'from localhost')
    t.type(await ask(one.inside, 'tcp', HOST[4], 8080), 'string', 'from the pod itself')
  }
  t.match(await run('tc', ['qdisc', 'show']), /tbf .* rate 10Mbit/, 'shaped')
  await runtime.cri('StopPodSandbox', { id: one.id })
  await runtime.cri('StopPodSandbox', { id: one.id })
  t.equal(await ask(outside, 'tcp', HOST[4], 8080, 500), undefined, 'stopped twice')
  t.ok(await ping(two.inside, '192.0.2.2'), 'the other pod is as it was')
  await end(one)
  await end(two)
  t.strictSame(leases(), [])
  t.equal(await snapshot({ folders: STATE }), before, 'it leaves nothing')
})

await t.test('a pod whose namespace vanished', async t => {
  const lost = await start({ ...web, ...limits })
  await run('umount', ['--lazy', lost.path])
  rmSync(lost.path)
  await end(lost)
  t.strictSame(leases(), [])
  t.equal(await snapshot({ folders: STATE }), before, 'it leaves nothing')
  const next = await start(web)
  await using server = await serve(next.inside, 'tcp', 80)
  void server
  t.type(await ask(outside, 'tcp', HOST[4], 8080), 'string', 'its port is free')
  await end(next)
})

await t.test('twenty pods at once', async t => {
  const all = await Promise.all(Array.from({ length: 20 }, () => start()))
  t.equal(new Set(all.flatMap(({ addresses }) => addresses)).size, 40, 'an address of each family for each')
  await Promise.all(all.map(end))
  t.strictSame(leases(), [])
  t.equal(await snapshot({ folders: STATE }), before, 'it leaves nothing')
})

await outside[Symbol.asyncDispose]()
await runtime[Symbol.asyncDispose]()
