import t from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { commandOf, containerOf, findNamespaces } from '../../src/net/namespaces.ts'
import { openNetns, ownNetns } from '../../src/net/netns.ts'
import { isolated, makeNetns } from '../harness/namespaces.ts'
import { until } from '../harness/run.ts'

isolated(import.meta)

t.test('our own comes first, with this process in it', async t => {
  const { known } = await findNamespaces()
  using own = ownNetns()
  t.equal(known[0]?.id, own.id)
  t.equal(known[0]?.own, true)
  t.ok(known[0]?.pids.includes(process.pid))
  t.equal(known.filter(each => each.own).length, 1)
})

t.test('by their mounts and by their processes', async t => {
  await using named = await makeNetns()
  using netns = openNetns(named.path)
  const find = async () => (await findNamespaces()).known.find(({ id }) => id === netns.id)
  t.strictSame((await find())?.mounts, [named.path])
  t.strictSame((await find())?.pids, [])

  const child = spawn('nsenter', [`--net=${named.path}`, 'sleep', '60'])
  const pid = child.pid ?? 0
  await until(
    'the process is inside',
    async () => (await find())?.pids.includes(pid) === true && commandOf(pid) === 'sleep',
  )
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  t.strictSame((await find())?.pids, [])
})

t.test('spaces in a path', async t => {
  await using odd = await makeNetns('a b')
  const { known } = await findNamespaces()
  t.ok(known.some(({ mounts }) => mounts.includes(odd.path)))
})

t.test('mounted where only others see it: told, but not opened', async t => {
  const script =
    'mount -t tmpfs private /run && ip netns add secret && stat -L -c %i /run/netns/secret && exec sleep 60'
  const child = spawn('unshare', ['--mount', 'sh', '-c', script])
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const inode = Number(line)
  const { hidden, known } = await findNamespaces()
  t.equal(hidden.find(each => each.inode === inode)?.pid, child.pid)
  t.notOk(known.some(each => each.inode === inode))
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
})

t.test('the container of a process, by its control group', async t => {
  const id = 'f'.repeat(64)
  mkdirSync('/run/proc/7', { recursive: true })
  const groups = (text: string) => {
    writeFileSync('/run/proc/7/cgroup', text)
    return containerOf(7, '/run/proc')
  }
  t.equal(groups(`0::/system.slice/docker-${id}.scope\n`), id)
  t.equal(groups(`0::/machine.slice/libpod-${id}.scope/container\n`), id)
  t.equal(groups(`0::/kubepods.slice/cri-containerd-${id}.scope\n`), id)
  t.equal(groups('0::/user.slice\n'), undefined)
  t.equal(groups(`0::/x/${id}0\n`), undefined)
  t.equal(containerOf(8, '/run/proc'), undefined)
  t.equal(commandOf(8, '/run/proc'), '')
})
