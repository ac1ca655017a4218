import t from 'tap'
import { getLink, newLink } from '../../../src/netlink/route/link.ts'
import { getNsid, newNsid, NETNSA_NSID_NOT_ASSIGNED } from '../../../src/netlink/route/nsid.ts'
import { goldenReply, goldenRequest, survivesDamage, vectors } from '../../harness/golden.ts'
import { isolated } from '../../harness/namespaces.ts'
import { NEW, scene } from '../../harness/netlink.ts'

isolated(import.meta)

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''

t.test('requests of ip', t => {
  goldenRequest(t, vector('nsid-set'), { type: newNsid, flags: 0x5, value: { family: 0, fd: 6, nsid: 7 } })
  t.end()
})

t.test('answers of the kernel', t => {
  t.match(goldenReply(t, vector('nsids-reply'), newNsid), [{ nsid: 7 }])
  t.end()
})

t.test('damaged bytes', t => {
  survivesDamage(vectors(import.meta.dirname, 'nsids-reply', 'nsid-set'), newNsid)
  t.end()
})

t.test('numbers of real namespaces', async t => {
  const here = await scene(t)
  const there = await scene(t)
  const { socket } = here
  t.equal((await socket.get(getNsid, { fd: there.fd }, newNsid)).nsid, NETNSA_NSID_NOT_ASSIGNED)
  await socket.request(newNsid, { fd: there.fd, nsid: 44 })
  t.equal((await socket.get(getNsid, { fd: there.fd }, newNsid)).nsid, 44)
  await t.rejects(socket.request(newNsid, { fd: there.fd, nsid: 45 }), {
    code: 'EEXIST',
    request: 'RTM_NEWNSID',
  })
  t.match(await socket.dump(getNsid, {}, newNsid), [{ nsid: 44 }])
  t.equal((await socket.get(getNsid, { pid: process.pid }, newNsid)).nsid, NETNSA_NSID_NOT_ASSIGNED)
  await t.rejects(socket.get(getNsid, { fd: 9999 }, newNsid), { code: 'EBADF', attribute: 'fd' })

  const peer = { name: 'vb', netnsFd: there.fd }
  await socket.request(newLink, { name: 'va', linkInfo: { kind: 'veth', data: { peer } } }, NEW)
  const end = await socket.get(getLink, { name: 'va' }, newLink)
  const other = await there.socket.get(getLink, { name: 'vb' }, newLink)
  t.equal(end.linkNetnsid, 44)
  t.equal(end.link, other.index)
})
