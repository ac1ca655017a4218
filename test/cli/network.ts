// tnet network on the real kernel: what each command answers, and what it makes and leaves.
import t, { type Test } from 'tap'
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { commandLines, EXECUTABLE } from '../harness/command-line.ts'
import { isolated, makeNetns, type Netns } from '../harness/namespaces.ts'
import { type Call, call } from '../harness/plugins.ts'
import { run } from '../harness/run.ts'
import { snapshot } from '../harness/snapshot.ts'
import { ping } from '../harness/traffic.ts'

isolated(import.meta)

const ID = /^[0-9a-f]{64}\n$/

interface Inspected {
  Name: string
  Id: string
  EnableIPv4: boolean
  EnableIPv6: boolean
  Internal: boolean
  IPAM: { Config: { Subnet: string; Gateway: string }[] }
  Options: Record<string, string>
  Labels: Record<string, string>
  Containers: Record<string, { Name: string; IPv4Address: string; IPv6Address: string; MacAddress: string }>
}

for (const tnet of commandLines()) {
  const inspect = async (name: string): Promise<Inspected> => {
    const [only] = JSON.parse(await tnet.must('network', 'inspect', name)) as Inspected[]
    if (only === undefined) throw new Error(`inspect ${name}`)
    return only
  }
  const named = (name: string, test: (t: Test) => Promise<unknown>) => t.test(`${tnet.name}: ${name}`, test)

  await named('create, ls, inspect, rm: nothing remains', async t => {
    await tnet.must('network', 'create', 'first')
    await tnet.must('network', 'rm', 'first')
    const before = await snapshot()
    const id = await tnet.must('network', 'create', '--label', 'team=a', '--label', 'bare', 'front')
    t.match(id, ID)
    t.match(await inspect('front'), {
      Name: 'front',
      Id: id.trim(),
      Scope: 'local',
      Driver: 'bridge',
      EnableIPv4: true,
      EnableIPv6: false,
      Internal: false,
      Labels: { team: 'a', bare: '' },
      Options: { 'com.docker.network.bridge.name': `br-${id.slice(0, 12)}` },
      Containers: {},
      IPAM: { Config: [{ Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' }] },
    })
    t.strictSame(await tnet.json('network', 'inspect', '--format', 'json', 'front'), [await inspect('front')])
    t.equal((await inspect(id.slice(0, 8))).Name, 'front')
    const [listed] = await tnet.json('network', 'ls', '--format', 'json')
    t.match(listed, {
      ID: id.slice(0, 12),
      Name: 'front',
      Driver: 'bridge',
      Scope: 'local',
      IPv4: 'true',
      IPv6: 'false',
      Internal: 'false',
      Labels: 'team=a,bare=',
    })
    t.ok(
      Object.values(listed ?? {}).every(value => typeof value === 'string'),
      'strings, as in Docker',
    )
    t.match(
      await tnet.must('network', 'ls'),
      /^NETWORK ID +NAME +DRIVER +SCOPE.*\n[0-9a-f]{12} +front +bridge +local/,
    )
    t.equal(await tnet.must('network', 'ls', '-q'), `${id.slice(0, 12)}\n`)
    t.equal(await tnet.must('network', 'ls', '-q', '--no-trunc'), id)
    t.match(await run('ip', ['-br', 'addr', 'show', `br-${id.slice(0, 12)}`]), '172.17.0.1/16')
    t.equal(await tnet.must('network', 'rm', 'front'), 'front\n')
    t.equal(await snapshot(), before)
    t.equal(await tnet.must('network', 'ls', '-q'), '')
  })

  await named('filters', async t => {
    await tnet.must('network', 'create', '--label', 'team=a', 'net10')
    await tnet.must('network', 'create', '--label', 'team=b', 'net9')
    const names = async (...filters: string[]) =>
      (
        await tnet.json('network', 'ls', '--format', 'json', ...filters.flatMap(each => ['--filter', each]))
      ).map(({ Name }) => Name)
    t.strictSame(await names(), ['net9', 'net10'], 'in the order of their numbers')
    t.strictSame(await names('name=10'), ['net10'])
    t.strictSame(await names('name=10', 'name=9'), ['net9', 'net10'], 'alternatives')
    t.strictSame(await names('label=team'), ['net9', 'net10'])
    t.strictSame(await names('label=team=b'), ['net9'])
    t.strictSame(await names('label=team=b', 'label=team=a'), [], 'labels: all of them')
    t.strictSame(await names('driver=bridge', 'name=9'), ['net9'])
    t.strictSame(await names('driver=macvlan'), [])
    t.strictSame(await names('label=toString'), [])
    t.strictSame(await names(`id=${(await inspect('net9')).Id.slice(0, 6)}`), ['net9'])
    t.equal(
      await tnet.must('network', 'prune', '-f', '--filter', 'label!=team=b'),
      'Deleted Networks:\nnet10\n',
    )
    t.equal(
      await tnet.must('network', 'prune', '-f', '--filter', 'label=team=b'),
      'Deleted Networks:\nnet9\n',
    )
    t.equal(await tnet.must('network', 'prune', '-f'), '')
  })

  await named('pools: the next free one, clear of routes', async t => {
    await run('ip', ['link', 'add', 'other', 'type', 'bridge'])
    await run('ip', ['addr', 'add', '172.18.5.1/24', 'dev', 'other'])
    await run('ip', ['link', 'set', 'other', 'up'])
    const subnet = async (...words: string[]) => {
      await tnet.must('network', 'create', ...words)
      return (await inspect(words.at(-1) ?? '')).IPAM.Config.map(({ Subnet }) => Subnet)
    }
    t.strictSame(await subnet('a'), ['172.17.0.0/16'])
    t.strictSame(await subnet('b'), ['172.19.0.0/16'], '172.18.5.0/24 is a route')
    await tnet.must('network', 'rm', 'a')
    t.strictSame(await subnet('c'), ['172.17.0.0/16'], 'free again')
    const [four, six] = await subnet('--ipv6', 'd')
    t.equal(four, '172.20.0.0/16')
    t.match(six, /^fd[0-9a-f]{2}:.*::\/64$/)
    t.match(await subnet('--ipv4=false', '--ipv6', 'e'), [/^fd[0-9a-f]{2}:.*\/64$/])
    t.strictSame(await subnet('--subnet', '10.1.0.0/24', '--subnet', 'fd00:1::/64', 'f'), [
      '10.1.0.0/24',
      'fd00:1::/64',
    ])
    await tnet.must('network', 'prune', '-f')
    await run('ip', ['link', 'del', 'other'])
  })

  await named('connect, traffic, isolation, disconnect: nothing remains', async t => {
    await using web = await makeNetns('web')
    await using db = await makeNetns('db')
    await using far = await makeNetns('far')
    // The firewall keeps a set for each prefix length.
    await tnet.must('network', 'create', '--subnet', '10.2.0.0/24', '--subnet', 'fd00:2::/64', 'warm')
    await tnet.must('network', 'connect', 'warm', web.path)
    await tnet.must('network', 'disconnect', 'warm', web.path)
    await tnet.must('network', 'rm', 'warm')
    const before = await snapshot()
    await tnet.must(
      'network',
      'create',
      '--subnet',
      '10.2.0.0/24',
      '--subnet',
      'fd00:2::/64',
      '--ip-range',
      '10.2.0.64/26',
      '--aux-address',
      'printer=10.2.0.65',
      '--gateway',
      '10.2.0.64',
      'front',
    )
    await tnet.must('network', 'create', '--subnet', '10.3.0.0/24', 'back')
    t.equal(
      await tnet.must('network', 'connect', '--print', 'front', web.path),
      '10.2.0.66/24\nfd00:2::2/64\n',
    )
    t.equal(
      await tnet.must(
        'network',
        'connect',
        'front',
        '--ip',
        '10.2.0.7',
        '--ip6',
        'fd00:2::7',
        '--mac',
        '02:00:00:00:02:07',
        '--ifname',
        'lan0',
        db.path,
      ),
      '',
    )
    t.equal(await tnet.must('network', 'connect', '--print', 'back', far.path), '10.3.0.2/24\n')
    t.match(await db.run('ip', 'link', 'show', 'lan0'), '02:00:00:00:02:07')

    const { Containers } = await inspect('front')
    t.match(Object.values(Containers), [
      { Name: String, IPv4Address: String },
      { Name: String, IPv4Address: String },
    ])
    t.match(
      Object.values(Containers).find(({ Name }) => Name === db.path),
      {
        IPv4Address: '10.2.0.7/24',
        IPv6Address: 'fd00:2::7/64',
        MacAddress: '02:00:00:00:02:07',
      },
    )
    t.ok(await ping(web, '10.2.0.7'), 'to each other')
    t.ok(await ping(web, 'fd00:2::7'))
    t.ok(await ping(web, '10.2.0.64'), 'to the gateway')
    t.ok(await ping(undefined, 'fd00:2::7'), 'from the host')
    t.notOk(await ping(far, '10.2.0.66', 500), 'networks are kept apart')
    t.notOk(await ping(web, '10.3.0.2', 500))

    t.match(await web.run('ip', 'route'), 'default via 10.2.0.64 dev eth0')
    await tnet.must('network', 'connect', 'back', web.path)
    t.match(
      await web.run('ip', 'route'),
      /default via 10.2.0.64 dev eth0[^\n]*\ndefault via 10.3.0.1 dev eth1 [^\n]*metric/,
    )
    t.ok(await ping(web, '10.3.0.2'), 'on both networks')
    await tnet.must('network', 'disconnect', 'front', web.path)
    t.match(
      await web.run('ip', 'route'),
      /^default via 10.3.0.1 dev eth1/,
      'the other default route steps in',
    )

    await tnet.must('network', 'disconnect', 'front', db.path)
    await tnet.must('network', 'disconnect', 'back', far.path)
    await tnet.must('network', 'disconnect', 'back', web.path)
    t.equal(await tnet.must('network', 'rm', 'front', 'back'), 'front\nback\n')
    t.equal(await snapshot(), before)
  })

  await named('sandboxes by name, path and process are one', async t => {
    await tnet.must('network', 'create', 'front')
    await tnet.must('sandbox', 'create', 'web')
    await tnet.must('network', 'connect', 'front', 'web')
    const again = await tnet.run(['network', 'connect', 'front', '/run/tnet/netns/web'])
    t.equal(again.code, 1)
    t.strictSame(Object.keys((await inspect('front')).Containers), ['web'])
    t.equal((await tnet.run(['sandbox', 'rm', 'web'])).code, 1, 'it is on a network')
    await tnet.must('network', 'disconnect', 'front', '/run/tnet/netns/web')
    await tnet.must('network', 'connect', 'front', '/run/tnet/netns/web')
    t.strictSame(Object.keys((await inspect('front')).Containers), ['web'])
    t.equal(await tnet.must('sandbox', 'rm', '-f', 'web'), 'web\n')
    t.strictSame((await inspect('front')).Containers, {})
    t.equal(await tnet.must('network', 'rm', 'front'), 'front\n')
  })

  await named('an internal network has no way out', async t => {
    await using web = await makeNetns('web')
    await tnet.must('network', 'create', '--internal', '--subnet', '10.4.0.0/24', 'closed')
    await tnet.must('network', 'connect', 'closed', web.path)
    t.notMatch(await web.run('ip', 'route'), 'default')
    t.ok(await ping(web, '10.4.0.1'))
    t.notMatch(await run('nft', ['list', 'set', 'inet', 'tnet', 'masquerade4']), '10.4.0.2')
    await tnet.must('network', 'disconnect', 'closed', web.path)
    await tnet.must('network', 'rm', 'closed')
  })

  await named('options: bridge, mtu, icc, masquerade', async t => {
    await using web = await makeNetns('web')
    await using db = await makeNetns('db')
    await tnet.must(
      'network',
      'create',
      '-o',
      'com.docker.network.bridge.name=br-lab',
      '-o',
      'mtu=1400',
      '-o',
      'icc=false',
      '-o',
      'masquerade=false',
      '--subnet',
      '10.5.0.0/24',
      'lab',
    )
    for (const { path } of [web, db]) await tnet.must('network', 'connect', 'lab', path)
    t.match(await run('ip', ['link', 'show', 'br-lab']), 'mtu 1400')
    t.match(await web.run('ip', 'link', 'show', 'eth0'), 'mtu 1400')
    t.notOk(await ping(web, '10.5.0.3', 500), 'no traffic among sandboxes')
    t.ok(await ping(web, '10.5.0.1'))
    t.notMatch(await run('nft', ['list', 'ruleset']), '10.5.0.2')
    for (const { path } of [web, db]) await tnet.must('network', 'disconnect', 'lab', path)
    await tnet.must('network', 'rm', 'lab')
  })

  await named('a bridge that was there stays, with what it had', async t => {
    await run('ip', ['link', 'add', 'mine', 'type', 'bridge'])
    await run('ip', ['addr', 'add', '10.6.0.1/24', 'dev', 'mine'])
    await run('ip', ['link', 'set', 'mine', 'up'])
    await run('sh', ['-c', 'echo 0 > /proc/sys/net/ipv6/conf/mine/accept_ra']) // that, once off, stays off
    const before = await snapshot()
    await tnet.must(
      'network',
      'create',
      '-o',
      'bridge=mine',
      '--subnet',
      '10.6.0.0/24',
      '--subnet',
      'fd00:6::/64',
      'adopted',
    )
    t.match(await run('ip', ['addr', 'show', 'mine']), 'fd00:6::1/64')
    await tnet.must('network', 'rm', 'adopted')
    t.equal(await snapshot(), before)
    await run('ip', ['link', 'del', 'mine'])
  })

  await named('prune asks', async t => {
    await tnet.must('network', 'create', 'front')
    for (const input of ['', 'n\n', '\n', 'yep\n']) {
      t.match(await tnet.run(['network', 'prune'], { input }), { code: 0, stdout: /\[y\/N\] $/ })
    }
    t.match(await tnet.run(['network', 'prune'], { input: 'Y\n' }), {
      code: 0,
      stdout: /Deleted Networks:\nfront\n$/,
    })
  })

  await named('a sandbox that is gone holds nothing', async t => {
    await tnet.must('network', 'create', '--subnet', '10.7.0.0/30', 'small')
    const web = await makeNetns('web')
    await tnet.must('network', 'connect', 'small', web.path)
    await web.remove()
    await using db = await makeNetns('db')
    t.equal(
      await tnet.must('network', 'connect', '--print', 'small', db.path),
      '10.7.0.2/30\n',
      'its address is free again',
    )
    t.equal((await tnet.run(['network', 'disconnect', 'small', web.path])).code, 1)
    await db.remove()
    t.equal(await tnet.must('network', 'rm', 'small'), 'small\n')
    t.notMatch(await run('nft', ['list', 'ruleset']), '10.7.0.2')
  })

  await named('a sandbox that is gone is disconnected as it was connected', async t => {
    await tnet.must('network', 'create', '--subnet', '10.7.0.0/24', 'front')
    const web = await makeNetns('web')
    await tnet.must('network', 'connect', 'front', web.path)
    await web.remove()
    t.equal((await tnet.run(['network', 'disconnect', 'front', web.path])).code, 0)
    t.equal((await tnet.run(['network', 'disconnect', 'front', web.path])).code, 1)
    await tnet.must('sandbox', 'create', 'db')
    await tnet.must('network', 'connect', 'front', 'db')
    await run('umount', ['/run/tnet/netns/db'])
    await run('rm', ['/run/tnet/netns/db'])
    t.equal((await tnet.run(['network', 'disconnect', 'front', 'db'])).code, 0)
    t.equal(await tnet.must('network', 'rm', 'front'), 'front\n')
  })

  await named('export: a runtime shares the leases', async t => {
    if (!existsSync(EXECUTABLE)) return t.pass('the executables are not built')
    await tnet.must('network', 'create', '--subnet', '10.8.0.0/24', '-o', 'mtu=1450', 'front')
    const text = await tnet.must('network', 'export', 'front')
    const { plugins, ...list } = JSON.parse(text) as { cniVersion: string; name: string; plugins: object[] }
    t.strictSame(list, { cniVersion: '1.0.0', name: 'front' })
    t.match(plugins, [
      {
        type: 'bridge',
        isDefaultGateway: true,
        ipMasq: true,
        mtu: 1450,
        ipam: { type: 'tnet-ipam', network: 'front' },
      },
    ])
    await using web = await makeNetns('web')
    await using pod = await makeNetns('pod')
    await tnet.must('network', 'connect', 'front', web.path)
    const config = { ...list, ...plugins[0] }
    const request = { config, containerId: 'c8'.repeat(6), netns: pod.path, env: {} }
    const added = await call(dirname(EXECUTABLE), 'bridge', { ...request, verb: 'ADD' })
    t.match(added.json, { ips: [{ address: '10.8.0.3/24' }] }, added.stdout)
    t.ok(await ping(web, '10.8.0.3'), 'on one bridge')
    const gc = {
      ...request,
      config: {
        ...config,
        cniVersion: '1.1.0',
        'cni.dev/valid-attachments': [{ containerID: 'c8'.repeat(6), ifname: 'eth0' }],
      },
    }
    t.equal((await call(dirname(EXECUTABLE), 'bridge', { ...gc, verb: 'GC' })).code, 0)
    t.ok(await ping(web, '10.8.0.3'), 'its GC leaves sandboxes of ours alone')
    t.match((await inspect('front')).Containers, { c8c8c8c8c8c8: { IPv4Address: '10.8.0.3' } })
    t.equal((await tnet.run(['network', 'rm', 'front'])).code, 1, 'the container is on it')
    const unforced = await tnet.run(['network', 'disconnect', 'front', 'c8'.repeat(6)])
    t.match(unforced, { code: 1, stderr: /container of a runtime/ }, 'its runtime takes it off')
    await tnet.must('network', 'disconnect', '--force', 'front', 'c8'.repeat(6))
    await tnet.must('network', 'disconnect', 'front', web.path)
    t.equal(await tnet.must('network', 'rm', 'front'), 'front\n')
    t.notMatch(await run('ip', ['link']), 'veth')
  })

  await named('export: after a reboot, containers of a runtime were not isolated', async t => {
    if (!existsSync(EXECUTABLE)) return t.pass('the executables are not built')
    await run('nft', ['flush', 'ruleset'])
    const networks = { front: ['--subnet', '10.11.0.0/24'], back: ['--subnet', '10.12.0.0/24', '--internal'] }
    const pods: Record<string, Netns> = {}
    const requests: Call[] = []
    for (const [name, options] of Object.entries(networks)) {
      await tnet.must('network', 'create', ...options, name)
      const { plugins, ...list } = JSON.parse(await tnet.must('network', 'export', name)) as {
        plugins: object[]
      }
      const bridge = `br-${(await inspect(name)).Id.slice(0, 12)}`
      await run('ip', ['link', 'del', bridge])
      await run('nft', ['flush', 'ruleset'])
      const pod = await makeNetns(name)
      pods[name] = pod
      const config = { ...list, ...plugins[0] }
      requests.push({ verb: 'ADD', config, containerId: name, netns: pod.path })
    }
    await using world = await makeNetns('world')
    await run('ip', ['link', 'add', 'w0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', world.name])
    await run('sh', ['-c', 'ip address add 10.13.0.1/24 dev w0; ip link set w0 up'])
    await world.run('sh', '-c', 'ip address add 10.13.0.2/24 dev eth0; ip link set eth0 up')
    await world.run('ip', 'route', 'add', 'default', 'via', '10.13.0.1')
    for (const request of requests) {
      const added = await call(dirname(EXECUTABLE), 'bridge', request)
      t.equal(added.code, 0, added.stdout)
      const check = {
        ...request,
        verb: 'CHECK',
        config: { ...(request.config as object), prevResult: added.json },
      }
      t.equal((await call(dirname(EXECUTABLE), 'bridge', check)).code, 0)
    }
    const { front, back } = pods
    await back?.run('ip', 'route', 'add', 'default', 'via', '10.12.0.1')
    t.ok(await ping(undefined, '10.11.0.2'), 'the host reaches its containers')
    t.ok(await ping(front, '10.13.0.2'), 'who is isolated may ask')
    t.notOk(await ping(front, '10.12.0.2', 600), 'from one network to the other')
    t.notOk(await ping(back, '10.11.0.2', 600), 'and the other way')
    t.notOk(await ping(world, '10.11.0.2', 600), 'from elsewhere')
    t.notOk(await ping(back, '10.13.0.2', 600), 'who is internal may not ask')
    for (const request of requests) {
      t.equal((await call(dirname(EXECUTABLE), 'bridge', { ...request, verb: 'DEL' })).code, 0)
    }
    for (const name of Object.keys(networks)) await tnet.must('network', 'rm', name)
    t.notMatch(await run('nft', ['list', 'ruleset']), 'elements')
    await front?.remove()
    await back?.remove()
  })

  await named('export to a file', async t => {
    await tnet.must('network', 'create', 'front')
    await run('mkdir', ['-p', '/run/net.d'])
    t.equal(await tnet.must('network', 'export', 'front', '--output', '/run/net.d'), '')
    t.equal(readFileSync('/run/net.d/front.conflist', 'utf8'), await tnet.must('network', 'export', 'front'))
    t.equal((await tnet.run(['network', 'export', 'front', '--output', '/run/net.d'])).code, 1, 'not twice')
    t.equal((await tnet.run(['network', 'export', 'front', '--output', '/run/net.d', '--force'])).code, 0)
    const beside = await tnet.run(['network', 'export', 'front', '--output', '10-front.conflist'], {
      cwd: '/run/net.d',
    })
    t.match(beside, { code: 0, stderr: /containerd/ }, 'it tells of the file beside it')
    t.equal((await run('ls', ['-A', '/run/net.d'])).trim(), '10-front.conflist\nfront.conflist')
    const nowhere = await tnet.run(['network', 'export', 'front', '--output', '/run/none/x'])
    t.match(nowhere, { code: 1, stderr: ' /run/none/x: ' }, 'it names the file that was asked for')
    t.match(JSON.parse(await tnet.must('network', 'export', '--cni-version', '1.1.0', 'front')), {
      cniVersion: '1.1.0',
    })
    await run('rm', ['-r', '/run/net.d'])
    await tnet.must('network', 'rm', 'front')
  })
}
