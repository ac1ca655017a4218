import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import t from 'tap'
import { type Link, newLink } from '../../src/netlink/route/link.ts'
import { request } from '../../src/netlink/socket.ts'
import { waitForLink } from '../../src/netlink/wait.ts'
import { isolated, makeNetns } from '../harness/namespaces.ts'
import { addPair, scene } from '../harness/netlink.ts'

isolated(import.meta)

const isUp = (link: Link | undefined): boolean => link?.operstate === 'up'

t.test('what holds already is answered at once', async t => {
  const { socket, fd } = await scene(t)
  const index = await addPair(socket)
  const seen: (string | undefined)[] = []
  const holds = (link: Link | undefined): boolean => seen.push(link?.name) > 0
  t.equal(await waitForLink({ netns: fd }, { which: { index }, holds, within: 0 }), true)
  t.equal(await waitForLink({ netns: fd }, { which: { name: 'none' }, holds, within: 0 }), true)
  t.same(seen, ['va', undefined])
})

t.test('a link that comes later, and goes up still later', async t => {
  const { fd, netns } = await scene(t)
  const commands = [
    'ip link add other type bridge',
    'ip link add name va type veth peer name vb',
    'ip link set vb up',
    'sleep 0.1',
    'ip link set va up',
  ]
  const child = spawn('nsenter', [`--net=${netns.path}`, 'sh', '-ec', `sleep 0.1; ${commands.join('; ')}`])
  const seen: (string | undefined)[] = []
  const holds = (link: Link | undefined): boolean => {
    seen.push(link?.name)
    return isUp(link)
  }
  t.equal(await waitForLink({ netns: fd }, { which: { name: 'va' }, holds, within: 10_000 }), true)
  t.ok(seen.length > 2)
  t.same([...new Set(seen)], [undefined, 'va'], 'asked about no other link')
  await once(child, 'close')
})

t.test('a link that goes, by itself or with its namespace', async t => {
  const { fd, netns } = await scene(t)
  const web = await makeNetns('web')
  await netns.run('ip', 'link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb', 'netns', web.name)
  const gone = { which: { name: 'va' }, holds: (link: Link | undefined) => link === undefined }
  t.equal(await waitForLink({ netns: fd }, { ...gone, within: 100 }), false)
  await web.remove()
  t.equal(await waitForLink({ netns: fd }, { ...gone, within: 10_000 }), true)
})

t.test('gives up in time, and closes its sockets', async t => {
  const { socket, fd } = await scene(t)
  await addPair(socket)
  const open = readdirSync('/proc/self/fd').length
  const start = performance.now()
  const never = { which: { name: 'va' }, holds: () => false, within: 100 }
  t.equal(await waitForLink({ netns: fd }, never), false)
  t.equal(await waitForLink({ netns: fd }, { ...never, which: { name: 'none' } }), false)
  t.ok(performance.now() - start >= 198)
  t.equal(readdirSync('/proc/self/fd').length, open)
})

t.test('looks again where events were lost', async t => {
  const { socket, fd } = await scene(t)
  const index = await addPair(socket)
  let asked = 0
  const holds = (link: Link | undefined): boolean => {
    if (++asked === 1) {
      socket.send(Array.from({ length: 1500 }, (_, i) => request(newLink, { index, mtu: 1251 + (i % 150) })))
    }
    return link?.mtu === 1400
  }
  t.equal(await waitForLink({ netns: fd }, { which: { index }, holds, within: 10_000 }), true)
})

t.test('a namespace that is none is an error', async t => {
  await t.rejects(waitForLink({ netns: 9999 }, { which: { name: 'x' }, holds: isUp, within: 10 }), {
    code: 'EBADF',
  })
})
