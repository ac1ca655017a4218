// podman with its CNI backend on our plugin directory: its own lists of plugins, real containers.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { imageArchive, IMAGE } from '../harness/image.ts'
import { isolated } from '../harness/namespaces.ts'
import { HOST, makeInternet } from '../harness/outside.ts'
import { subjects } from '../harness/plugins.ts'
import { attempt, run, type Ran } from '../harness/run.ts'
import { snapshot } from '../harness/snapshot.ts'
import { ownCgroups } from '../harness/cgroups.ts'
import { ask, ping, type Place, serve } from '../harness/traffic.ts'

isolated(import.meta)
t.setTimeout(600_000)
await ownCgroups()

const PLUGINS = subjects().find(({ name }) => name === 'tnet')?.dir ?? ''
const LISTS = '/run/lists'
mkdirSync(LISTS)
mkdirSync('/run/image')
writeFileSync(
  '/run/containers.conf',
  `[containers]
cgroups = "disabled"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[network]
network_backend = "cni"
cni_plugin_dirs = ["${PLUGINS}"]
network_config_dir = "${LISTS}"
[engine]
runtime = "crun"
cgroup_manager = "cgroupfs"
events_logger = "file"
image_default_transport = "docker-archive"
`,
)
const env = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/run',
  TMPDIR: '/run',
  CONTAINERS_CONF: '/run/containers.conf',
}

async function tryPodman(...args: string[]): Promise<Ran> {
  return attempt('podman', args, { env, timeout: 60_000 })
}

async function podman(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await tryPodman(...args)
  if (code !== 0) throw new Error(`podman ${args.join(' ')}: ${stderr}${stdout}`)
  t.notMatch(stderr, /level=(error|warning)/, `podman ${args.join(' ')} has nothing to complain of`)
  return stdout.trim()
}

/** A container that sleeps until the end of the block. */
async function container(name: string, ...args: string[]) {
  await podman('run', '--detach', '--name', name, ...args, IMAGE)
  const path = await podman('inspect', '--format', '{{.NetworkSettings.SandboxKey}}', name)
  const inside = { path } as unknown as NonNullable<Place>
  return {
    inside,
    address: async (network: string) =>
      podman('inspect', '--format', `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, name),
    exec: (...command: string[]) => podman('exec', name, ...command),
    async [Symbol.asyncDispose]() {
      await podman('rm', '--force', '--time', '0', name)
    },
  }
}

await podman('load', '--input', await imageArchive('/run/image'))
await using outside = await makeInternet()
// What a first container makes and all share: the bridge, tables, folders.
await podman('run', '--rm', '-p', '8000:80', '--mac-address', '02:00:00:00:77:76', IMAGE, 'true')
await createBlue()
await podman('run', '--rm', '--network', 'blue', IMAGE, 'true')
await podman('network', 'rm', 'blue')
const before = await snapshot()

async function createBlue(): Promise<void> {
  await podman('network', 'create', '--subnet', '10.90.0.0/24', '--ipv6', '--subnet', 'fd90::/64', 'blue')
}

await t.test('a container on the default network', async t => {
  const text = await podman('run', '--rm', IMAGE, 'ip', 'address', 'show', 'dev', 'eth0')
  t.match(text, /inet 10\.88\.0\.\d+\/16/)
  t.equal(await snapshot(), before, 'it leaves nothing')
})

await t.test('published ports', async t => {
  {
    await using web = await container(
      'web',
      '-p',
      '8080:80',
      '-p',
      '127.0.0.1:8081:81',
      '-p',
      '8082:82/udp',
      '-p',
      '9000-9002:9000-9002',
      '-p',
      '0.0.0.0:8083:83',
      '-p',
      '[::]:8083:83',
    )
    await using tcp = await serve(web.inside, 'tcp', 80)
    await using local = await serve(web.inside, 'tcp', 81)
    await using udp = await serve(web.inside, 'udp', 82)
    await using range = await serve(web.inside, 'tcp', 9002)
    await using both = await serve(web.inside, 'tcp', 83)
    void [tcp, local, udp, range, both]
    t.equal(await ask(outside, 'tcp', HOST[4], 8080), '192.0.2.2', 'from another host, which it sees')
    t.type(await ask(undefined, 'tcp', HOST[4], 8080), 'string', 'from the host')
    t.type(await ask(undefined, 'tcp', '127.0.0.1', 8080), 'string', 'from localhost')
    t.type(await ask(web.inside, 'tcp', HOST[4], 8080), 'string', 'from the container itself')
    t.type(await ask(undefined, 'tcp', '127.0.0.1', 8081), 'string', 'on one address')
    t.equal(await ask(outside, 'tcp', HOST[4], 8081, 500), undefined, 'and on no other')
    t.type(await ask(outside, 'udp', HOST[4], 8082), 'string', 'UDP')
    t.type(await ask(outside, 'tcp', HOST[4], 9002), 'string', 'a range')
    t.type(await ask(outside, 'tcp', HOST[4], 8083), 'string', 'all addresses of each family')
    t.match(
      await tryPodman('run', '--rm', '-p', '8080:80', IMAGE, 'true'),
      { code: 126 },
      'a port that is taken',
    )
  }
  t.equal(await ask(outside, 'tcp', HOST[4], 8080, 500), undefined, 'after it is gone')
  t.equal(await snapshot(), before, 'it leaves nothing')
})

await t.test('an address and a MAC address that were asked for', async t => {
  const asked = ['--ip', '10.88.7.7', '--mac-address', '02:00:00:00:77:77']
  const text = await podman('run', '--rm', ...asked, IMAGE, 'ip', 'address', 'show', 'dev', 'eth0')
  t.match(text, /inet 10\.88\.7\.7\/16/)
  t.match(text, /02:00:00:00:77:77/)
  t.equal(await snapshot(), before, 'it leaves nothing')
})

await t.test('networks of its own: connected, disconnected', async t => {
  await createBlue()
  t.match(JSON.parse(readFileSync(`${LISTS}/blue.conflist`, 'utf8')), { plugins: [{ type: 'bridge' }] })
  {
    await using one = await container('one', '--network', 'blue')
    await using two = await container('two', '--network', 'podman')
    const address = await one.address('blue')
    t.notOk(await ping(two.inside, '10.90.0.200', 300))
    await podman('network', 'connect', 'blue', 'two')
    t.ok(await ping(two.inside, address), 'connected')
    t.ok(await ping(one.inside, await two.address('blue')), 'and the other way round')
    t.ok(await ping(one.inside, '192.0.2.2'), 'to the rest of the world')
    t.ok(await ping(one.inside, '2001:db8::2'), 'by IPv6')
    await podman('network', 'disconnect', 'blue', 'two')
    t.notMatch(await two.exec('ip', 'address'), /10\.90\.0/)
    t.ok(await ping(two.inside, '192.0.2.2'), 'the first network is as it was')
  }
  await podman('network', 'rm', 'blue')
  t.equal(await snapshot(), before, 'it leaves nothing')
})

await t.test('ports on two networks, for as long as either is left', async t => {
  await createBlue()
  {
    await using web = await container('both', '--network', 'podman,blue', '-p', '8080:80')
    await using server = await serve(web.inside, 'tcp', 80)
    void server
    t.equal(await ask(outside, 'tcp', HOST[4], 8080), '192.0.2.2', 'from another host')
    await podman('network', 'disconnect', 'podman', 'both')
    t.type(await ask(undefined, 'tcp', '127.0.0.1', 8080), 'string', 'by the one that is left')
    await podman('network', 'connect', 'podman', 'both')
    await podman('network', 'disconnect', 'blue', 'both')
    t.type(await ask(undefined, 'tcp', '127.0.0.1', 8080), 'string', 'by the other one')
  }
  await podman('network', 'rm', 'blue')
  t.equal(await snapshot(), before, 'it leaves nothing')
})

await t.test('all rules are lost, and come back with a reload', async t => {
  {
    await using web = await container('reloaded', '-p', '8080:80')
    await using server = await serve(web.inside, 'tcp', 80)
    void server
    await run('nft', ['flush', 'ruleset'])
    t.equal(await ask(outside, 'tcp', HOST[4], 8080, 500), undefined, 'after the flush')
    await podman('network', 'reload', 'reloaded')
    t.type(await ask(outside, 'tcp', HOST[4], 8080), 'string', 'after the reload')
    t.ok(await ping(web.inside, '192.0.2.2'), 'masqueraded')
  }
  t.strictSame(
    readdirSync('/var/lib/cni/networks/podman').filter(name => name.startsWith('10.')),
    [],
    'no lease is left',
  )
})
