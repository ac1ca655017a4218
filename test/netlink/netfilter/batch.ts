import t from 'tap'
import { attemptBatch, batch } from '../../../src/netlink/netfilter/batch.ts'
import { newChain } from '../../../src/netlink/netfilter/chain.ts'
import { encodeKey } from '../../../src/netlink/netfilter/data-type.ts'
import { findElements } from '../../../src/netlink/netfilter/element-lookup.ts'
import { deleteElement, element, newElement } from '../../../src/netlink/netfilter/element.ts'
import { immediate } from '../../../src/netlink/netfilter/expr/immediate.ts'
import { newRule } from '../../../src/netlink/netfilter/rule.ts'
import { newSet, setRequest } from '../../../src/netlink/netfilter/set.ts'
import { newTable } from '../../../src/netlink/netfilter/table.ts'
import { NETLINK_NETFILTER, request } from '../../../src/netlink/socket.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../../../src/wire/message.ts'
import { isolated } from '../../harness/namespaces.ts'
import { scene } from '../../harness/netlink.ts'

isolated(import.meta)

const NEW = NLM_F_CREATE | NLM_F_EXCL
const table = { family: 'inet', name: 't' } as const
const set = { family: 'inet', table: 't', name: 's', key: ['ipv4_addr'], id: 1 } as const
const foundation = [request(newTable, table, NEW), request(newSet, setRequest(set), NEW)]

const address = (n: number): Uint8Array =>
  encodeKey(['ipv4_addr'], [`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`])
const member = (n: number) =>
  ({ family: 'inet', table: 't', set: 's', elements: [element(address(n))] }) as const
const added = (n: number) => request(newElement, member(n), NEW)
const upTo = (n: number) => Array.from({ length: n }, (_, index) => index)

t.test('all or nothing, and the request to blame', async t => {
  const { netns, socket } = await scene(t, NETLINK_NETFILTER)
  const failures = await attemptBatch(socket, [
    ...foundation,
    request(newChain, { family: 'inet', table: 'elsewhere', name: 'c' }, NEW),
    added(1),
    request(newElement, { ...member(2), set: 'unknown' }, NEW),
  ])
  t.match(failures, [
    { index: 2, error: { code: 'ENOENT', request: 'NFT_MSG_NEWCHAIN', attribute: 'table' } },
    { index: 4, error: { code: 'ENOENT', request: 'NFT_MSG_NEWSETELEM' } },
  ])
  t.equal(failures.length, 2)
  t.equal(await netns.run('nft', 'list', 'ruleset'), '')
  await t.rejects(batch(socket, [...foundation, added(1), added(1)]), { code: 'EEXIST' })
  t.equal(await netns.run('nft', 'list', 'ruleset'), '')
  await batch(socket, [...foundation, added(1)])
  t.match(await netns.run('nft', 'list', 'ruleset'), /10\.0\.0\.1/)
  t.same(await attemptBatch(socket, []), [])
})

t.test('the attribute to blame, deep inside', async t => {
  const { socket } = await scene(t, NETLINK_NETFILTER)
  await batch(socket, [...foundation, request(newChain, { family: 'inet', table: 't', name: 'c' }, NEW)])
  const rule = { family: 'inet', table: 't', chain: 'c', expressions: [immediate.jump('nowhere')] } as const
  const [failure] = await attemptBatch(socket, [request(newRule, rule, NLM_F_CREATE)])
  t.match(failure, { index: 0, error: { code: 'ENOENT', request: 'NFT_MSG_NEWRULE' } })
  const unknown = { ...rule, expressions: [{ name: 'nonsense' }] }
  const [other] = await attemptBatch(socket, [request(newRule, unknown, NLM_F_CREATE)])
  t.match(other?.error.attribute, /^expressions\b/)
})

t.test('thousands in one transaction', async t => {
  const { netns, socket } = await scene(t, NETLINK_NETFILTER)
  await batch(socket, foundation)
  await batch(socket, upTo(6000).map(added))
  t.equal((await netns.run('nft', 'list', 'set', 'inet', 't', 's')).match(/10\.0\.\d+\.\d+/g)?.length, 6000)
  const failures = await attemptBatch(socket, upTo(6000).map(added))
  t.not(failures.length, 0, 'as many refusals as the buffer of the socket holds')
  failures.forEach(({ index, error }, place) => t.match([index, error.code], [place, 'EEXIST']))
  await batch(
    socket,
    upTo(6000).map(n => request(deleteElement, member(n))),
  )
  t.notMatch(await netns.run('nft', 'list', 'set', 'inet', 't', 's'), /elements/)
})

t.test('a batch for a generation that has passed does nothing', async t => {
  const { netns, socket } = await scene(t, NETLINK_NETFILTER)
  const before = await findElements(socket, [])
  await batch(socket, foundation, before)
  const [failure] = await attemptBatch(socket, [added(1)], before)
  t.match(failure, { index: -1, error: { code: 'ERESTART', request: 'NFNL_MSG_BATCH_BEGIN' } })
  t.notMatch(await netns.run('nft', 'list', 'ruleset'), /elements/)
  await batch(socket, [added(1)], await findElements(socket, []))
  t.match(await netns.run('nft', 'list', 'ruleset'), /elements/)
})
