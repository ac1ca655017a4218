// tnet debug veth on pairs of all makes: our own, those of ip(8), and those of the reference plugins.
import t from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type CommandLine, commandLines, sources } from '../harness/command-line.ts'
import { isolated, makeNetns } from '../harness/namespaces.ts'
import { call, subjects } from '../harness/plugins.ts'
import { run } from '../harness/run.ts'

isolated(import.meta)

interface End {
  Name: string
  Namespace: string
  Up: boolean
  MTU: number
  Addresses: string[]
  Master?: { Name: string; Kind: string }
  Port?: { State: string; Hairpin: boolean; Isolated: boolean }
  Process?: { PID: number; Command: string; Count: number }
  Counters: Record<string, number>
}

interface Pair {
  Network?: string
  ContainerID?: string
  Interface?: string
  Ends: End[]
  Problems: { Kind: string; Cause: string }[]
}

/** The exit status, and what was found. Other tests have pairs too, on the same machine: never all of them. */
async function look(tnet: CommandLine, which: string): Promise<{ code: number | null; pairs: Pair[] }> {
  const { code, stdout } = await tnet.run(['debug', 'veth', which, '--format', 'json'])
  const pairs = stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Pair)
  return { code, pairs }
}

const kinds = ({ pairs }: { pairs: Pair[] }) => pairs.map(({ Problems }) => Problems.map(({ Kind }) => Kind))
const ip = (...words: string[]) => run('ip', words)

t.test('a pair that ip(8) made, and all that can be wrong with it', async t => {
  await using web = await makeNetns('web')
  const inside = (...words: string[]) => web.run('ip', ...words)
  await ip('link', 'add', 'br7', 'type', 'bridge')
  await ip('link', 'set', 'br7', 'up')
  await ip('link', 'add', 'va7', 'type', 'veth', 'peer', 'name', 'vb7', 'netns', web.name)
  await ip('link', 'set', 'va7', 'master', 'br7')
  for (const tnet of commandLines()) {
    const now = () => look(tnet, 'va7')
    t.match(await now(), { code: 1, pairs: [{ Problems: [{ Kind: 'down' }] }] }, 'both down')
    await ip('link', 'set', 'va7', 'up')
    t.match(await now(), { code: 1, pairs: [{ Problems: [{ Kind: 'down' }] }] }, 'one down')
    await inside('link', 'set', 'vb7', 'up')
    await inside('addr', 'replace', '10.7.0.2/24', 'dev', 'vb7')
    const healthy = await now()
    t.equal(healthy.code, 0)
    t.match(healthy.pairs, [
      {
        Ends: [
          {
            Name: 'va7',
            Namespace: 'host',
            Up: true,
            MTU: 1500,
            Master: { Name: 'br7', Kind: 'bridge' },
            Port: { State: 'forwarding' },
          },
          { Name: 'vb7', Namespace: web.path, Up: true, MTU: 1500 },
        ],
        Problems: [],
      },
    ])
    t.ok(healthy.pairs[0]?.Ends[1]?.Addresses.includes('10.7.0.2/24'))
    t.type(healthy.pairs[0]?.Ends[0]?.Counters['RxPackets'], 'number')

    await inside('link', 'set', 'vb7', 'mtu', '1400')
    t.strictSame([(await now()).code, kinds(await now())], [1, [['mtu']]])
    await inside('link', 'set', 'vb7', 'mtu', '1500')
    await ip('link', 'set', 'br7', 'down')
    t.strictSame([(await now()).code, kinds(await now())], [1, [['down']]])
    await ip('link', 'set', 'br7', 'up')
    // With the spanning tree, a new port listens and learns for some time before it forwards.
    const enslave = async (stp: string) => {
      await ip('link', 'set', 'br7', 'type', 'bridge', 'stp_state', stp)
      await ip('link', 'set', 'va7', 'nomaster')
      await ip('link', 'set', 'va7', 'master', 'br7')
    }
    await enslave('1')
    t.strictSame([(await now()).code, kinds(await now())], [1, [['not-forwarding']]])
    await enslave('0')
    await run('bridge', ['link', 'set', 'dev', 'va7', 'hairpin', 'on', 'isolated', 'on'])
    t.match(await now(), { code: 0, pairs: [{ Ends: [{ Port: { Hairpin: true, Isolated: true } }, {}] }] })
    await run('bridge', ['link', 'set', 'dev', 'va7', 'hairpin', 'off', 'isolated', 'off'])
    await ip('link', 'set', 'va7', 'down')
    await inside('link', 'set', 'vb7', 'down')
  }
  await ip('link', 'del', 'va7')
  await ip('link', 'del', 'br7')
})

t.test('found by either end, its address, MAC, namespace and process', async t => {
  await using web = await makeNetns('web')
  await ip(
    'link',
    'add',
    'va8',
    'type',
    'veth',
    'peer',
    'name',
    'vb8',
    'address',
    '02:00:00:00:08:01',
    'netns',
    web.name,
  )
  await ip('link', 'property', 'add', 'dev', 'va8', 'altname', 'the-long-name-of-va8')
  await web.run('ip', 'link', 'set', 'vb8', 'up')
  await web.run('ip', 'addr', 'add', '10.8.0.2/24', 'dev', 'vb8')
  await web.run('ip', 'addr', 'add', 'fd00:8::2/64', 'dev', 'vb8', 'nodad')
  const child = spawn('nsenter', [`--net=${web.path}`, 'sh', '-c', 'echo ready; exec sleep 60'])
  await once(child.stdout, 'data')
  for (const tnet of commandLines()) {
    for (const which of [
      'va8',
      'vb8',
      'the-long-name-of-va8',
      '10.8.0.2',
      'fd00:8::2',
      'FD00:0008:0:0::2',
      '02:00:00:00:08:01',
      web.name,
      web.path,
      `pid:${child.pid}`,
    ]) {
      const { pairs } = await look(tnet, which)
      t.strictSame(
        pairs.map(({ Ends }) => Ends.map(({ Name }) => Name)),
        [['va8', 'vb8']],
        `${tnet.name}: ${which}`,
      )
      t.match(pairs[0]?.Ends[1]?.Process, { PID: child.pid, Command: 'sleep', Count: 1 })
    }
    for (const which of ['nope', '10.8.0.3', '02:00:00:00:08:02', 'pid:999999999', 'pid:x', '/nowhere', '']) {
      const { code, stdout, stderr } = await tnet.run(['debug', 'veth', which])
      t.equal(code, 2, `${which}: cannot tell`)
      t.equal(stdout, '')
      t.match(stderr, /^tnet: /)
    }
  }
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
})

t.test('both ends in one namespace, and both elsewhere', async t => {
  await using a = await makeNetns('a')
  await using b = await makeNetns('b')
  await ip('link', 'add', 'va9', 'type', 'veth', 'peer', 'name', 'vb9')
  await ip('link', 'add', 'vc9', 'netns', a.name, 'type', 'veth', 'peer', 'name', 'vd9', 'netns', b.name)
  for (const tnet of commandLines()) {
    t.strictSame(
      (await look(tnet, 'va9')).pairs[0]?.Ends.map(({ Namespace }) => Namespace),
      ['host', 'host'],
    )
    t.strictSame(
      (await look(tnet, 'vd9')).pairs[0]?.Ends.map(({ Namespace }) => Namespace),
      [a.path, b.path],
    )
  }
  await ip('link', 'del', 'va9')
})

t.test('an end in a namespace that only an open file keeps', async t => {
  const netns = await makeNetns('kept')
  await ip('link', 'add', 'va10', 'type', 'veth', 'peer', 'name', 'vb10', 'netns', netns.name)
  await ip('link', 'set', 'va10', 'up')
  const keeper = spawn('sh', ['-c', `exec 3<${netns.path}; echo ready; exec sleep 60`])
  await once(keeper.stdout, 'data')
  await netns.remove()
  for (const tnet of commandLines()) {
    const { code, pairs } = await look(tnet, 'va10')
    // Without the right to look at everybody's processes, nobody can tell.
    const isWhole = existsSync('/proc/1/ns/net')
    t.equal(code, isWhole ? 1 : 2)
    t.equal(pairs[0]?.Problems[0]?.Kind, isWhole ? 'orphan' : 'unknown')
    t.equal(pairs[0]?.Ends.length, 1)
  }
  const ended = once(keeper, 'exit')
  keeper.kill('SIGKILL')
  await ended
})

t.test('our own networks: owner, and what has gone wrong since', async t => {
  for (const tnet of commandLines()) {
    await tnet.must('network', 'create', '--subnet', '10.11.0.0/24', 'front')
    await tnet.must('sandbox', 'create', 'web')
    await tnet.must('network', 'connect', 'front', 'web')
    const healthy = await look(tnet, 'web')
    t.equal(healthy.code, 0)
    t.match(healthy.pairs, [{ Network: 'front', ContainerID: 'web', Interface: 'eth0', Problems: [] }])
    const names = async (which: string) => (await look(tnet, which)).pairs.map(({ Ends }) => Ends[0]?.Name)
    for (const which of ['front', 'web.eth0']) {
      t.strictSame(await names(which), [healthy.pairs[0]?.Ends[0]?.Name], which)
    }
    const host = healthy.pairs[0]?.Ends[0]?.Name ?? ''
    await ip('link', 'set', host, 'nomaster')
    t.match(await look(tnet, 'web'), { code: 1, pairs: [{ Problems: [{ Kind: 'not-enslaved' }] }] })
    await ip('link', 'set', host, 'alias', 'tnet tnet:front gone eth0')
    t.match(await look(tnet, host), {
      code: 1,
      pairs: [{ Problems: [{ Kind: 'orphan' }, { Kind: 'not-enslaved' }] }],
    })
    await ip('link', 'del', host)
    await tnet.must('sandbox', 'rm', '-f', 'web')
    await tnet.must('network', 'rm', 'front')
  }
})

t.test('what CNI plugins make, ours and the reference’s', async t => {
  for (const { name, dir } of subjects().filter(each => existsSync(`${each.dir}/bridge`))) {
    await using pod = await makeNetns('pod')
    const ipam = {
      type: 'host-local',
      ranges: [[{ subnet: '10.12.0.0/24' }]],
      dataDir: `/var/lib/cni/${name}`,
    }
    const config = {
      cniVersion: '1.0.0',
      name: 'pods',
      type: 'bridge',
      bridge: 'br12',
      isGateway: true,
      ipam,
    }
    const added = await call(dir, 'bridge', { verb: 'ADD', config, containerId: 'c12', netns: pod.path })
    t.equal(added.code, 0, added.stdout)
    for (const tnet of commandLines()) {
      const { code, pairs } = await look(tnet, pod.name)
      t.equal(code, 0, `${name}: ${tnet.name}`)
      t.match(pairs, [
        { Ends: [{ Master: { Name: 'br12' } }, { Name: 'eth0', Namespace: pod.path }], Problems: [] },
      ])
      if (name === 'tnet') t.match(pairs, [{ Network: 'pods', ContainerID: 'c12', Interface: 'eth0' }])
    }
    await call(dir, 'bridge', { verb: 'DEL', config, containerId: 'c12', netns: pod.path })
    await ip('link', 'del', 'br12')
  }
})

t.test(
  'for people: both ends in lines, one pair side by side, nothing of strangers that a terminal obeys',
  async t => {
    await using web = await makeNetns('web')
    await ip('link', 'add', 'va13', 'type', 'veth', 'peer', 'name', 'vb13', 'netns', web.name)
    await ip('link', 'set', 'va13', 'alias', 'tnet a\x1b[2J b\x9b31m eth0')
    const all = await sources.run(['debug', 'veth'])
    t.match(all.stdout, /^LINK +NAMESPACE +PROCESS/)
    t.match(all.stdout, /\nva13 +host .*\n└ vb13 +\/run\/netns\/web/)
    const one = await sources.run(['debug', 'veth', 'va13'])
    t.match(one.stdout, /va13 in host <-> vb13 in/)
    t.match(one.stdout, /\n {2}MTU +1500 +1500\n/)
    t.match(one.stdout, /\ndown: /)
    for (const character of '\x1b\x9b') t.notOk((all.stdout + one.stdout).includes(character))
    t.match((await sources.run(['debug', 'veth', 'va13'], { terminal: true })).stdout, '\x1b[31mdown:\x1b[0m')
    t.notMatch(
      (await sources.run(['debug', 'veth', 'va13'], { terminal: true, env: { NO_COLOR: '1' } })).stdout,
      '\x1b',
    )
    await ip('link', 'del', 'va13')
  },
)

t.test('a chain of another program that drops what the host forwards was not told of', async t => {
  const tnet = sources
  await using web = await makeNetns('web')
  await tnet.must('network', 'create', '--subnet', '10.14.0.0/24', '-o', 'bridge=br14', 'dropped')
  await tnet.must('network', 'connect', 'dropped', web.path)
  const now = async () => {
    const seen = await look(tnet, web.path)
    return [seen.code, kinds(seen)]
  }
  const nft = (text: string) => run('nft', [text])
  t.strictSame(await now(), [0, [[]]])
  await nft('add table ip6 mine; add chain ip6 mine f { type filter hook forward priority 0; policy drop; }')
  t.strictSame(await now(), [0, [[]]], 'of a family that it has not')
  await nft('add table ip mine; add chain ip mine f { type filter hook forward priority 0; policy drop; }')
  t.strictSame(await now(), [1, [['foreign-drop']]])
  for (const rule of ['iifname br14 accept', 'ip saddr 10.14.0.2 accept']) {
    await nft(`add rule ip mine f ${rule}`)
    t.strictSame(await now(), [0, [[]]], rule)
    await nft('flush chain ip mine f')
  }
  await ip('address', 'del', '10.14.0.1/24', 'dev', 'br14')
  t.strictSame(await now(), [0, [[]]], 'the host does not route for it')
  await nft('delete table ip mine; delete table ip6 mine')
  await tnet.must('network', 'disconnect', 'dropped', web.path)
  await tnet.must('network', 'rm', 'dropped')
})
