import t from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { findNamespaces } from '../../src/net/namespaces.ts'
import { openNetns } from '../../src/net/netns.ts'
import { openKnown, reachableSandboxes } from '../../src/net/reachable.ts'
import { isolated, makeNetns } from '../harness/namespaces.ts'
import { until } from '../harness/run.ts'

isolated(import.meta)

const found = async (id: string) => (await findNamespaces()).known.find(each => each.id === id)

t.test('a process that has ended since it was seen', async t => {
  await using named = await makeNetns()
  using netns = openNetns(named.path)
  const children = [1, 2].map(() => spawn('nsenter', [`--net=${named.path}`, 'sleep', '60']))
  await until('both are inside', async () => (await found(netns.id))?.pids.length === 2)
  const seen = { ...(await found(netns.id))!, mounts: [] }
  const end = async (pid: number | undefined) => {
    const child = children.find(each => each.pid === pid)
    const ended = child && once(child, 'exit')
    child?.kill('SIGKILL')
    await ended
  }
  await end(seen.pids[0])
  using byTheOther = openKnown(seen)
  t.equal(byTheOther?.id, netns.id)
  await end(seen.pids[1])
  t.equal(openKnown(seen), undefined)
})

t.test('a path that leads to another namespace by now', async t => {
  await using named = await makeNetns()
  await using other = await makeNetns()
  using netns = openNetns(named.path)
  const seen = (await found(netns.id))!
  t.equal(openKnown({ ...seen, mounts: [other.path] }), undefined)
  using again = openKnown({ ...seen, mounts: [other.path, named.path] })
  t.equal(again?.id, netns.id)
})

t.test('each once, and not our own', async t => {
  await using named = await makeNetns()
  const ids: string[] = []
  await reachableSandboxes(async ({ id }) => void ids.push(id))
  using netns = openNetns(named.path)
  t.equal(ids.filter(id => id === netns.id).length, 1)
  using own = openNetns('/proc/self/ns/net')
  t.notOk(ids.includes(own.id))
})

t.test('not those of a host that is a container itself', async t => {
  // The words that a process says from within, and then waits.
  const within = 'readlink /proc/self/ns/net; exec sleep 60'
  const below = ['unshare', '--pid', '--fork', '--kill-child']
  const inodes: string[] = []
  const children = []
  for (const levels of [1, 2]) {
    const [program = '', ...args] = Array.from({ length: levels }, () => below).flat()
    const entered = [...args, 'unshare', '--net', 'sh', '-c', within]
    const child = spawn(program, entered, { stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    inodes.push(/\d+/.exec(String(line))?.[0] ?? '')
  }
  const seen: string[] = []
  await reachableSandboxes(async ({ id }) => void seen.push(id.split(':')[1] ?? ''))
  t.strictSame(
    inodes.map(inode => seen.includes(inode)),
    [true, false],
  )
  for (const child of children) {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
})
