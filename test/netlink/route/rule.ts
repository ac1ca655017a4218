import t from 'tap'
import { AF_INET, AF_INET6 } from '../../../src/netlink/route/family.ts'
import { deleteRule, getRule, newRule } from '../../../src/netlink/route/rule.ts'
import { goldenReply, goldenRequest, survivesDamage, vectors } from '../../harness/golden.ts'
import { isolated } from '../../harness/namespaces.ts'
import { NEW, scene } from '../../harness/netlink.ts'

isolated(import.meta)

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
const none = new Set<never>()

const header = {
  family: AF_INET,
  destinationLength: 0,
  sourceLength: 0,
  tos: 0,
  headerTable: 0,
  action: 'to_tbl',
  flags: none,
} as const

/** All but the table, which the kernel's answers have elsewhere. */
const all = {
  source: '10.0.0.0',
  destination: '10.1.0.0',
  mark: 5,
  markMask: 0xff,
  inputName: 'va',
  outputName: 'vb',
  ipProtocol: 6,
  sourcePorts: { start: 1, end: 5 },
  destinationPorts: { start: 80, end: 80 },
  uidRange: { start: 0, end: 10 },
  priority: 77,
  protocol: 77,
  table: 1000,
  suppressPrefixLength: 0,
  suppressGroup: 5,
}

t.test('requests of ip', t => {
  const type = newRule
  const flags = 0x605
  goldenRequest(t, vector('rule-all'), {
    type,
    flags,
    value: {
      ...header,
      destinationLength: 16,
      sourceLength: 8,
      tos: 0x10,
      flags: new Set(['invert'] as const),
      ...all,
    },
  })
  goldenRequest(t, vector('rule-goto'), {
    type,
    flags,
    value: { ...header, action: 'goto', priority: 10, goto: 100 },
  })
  goldenRequest(t, vector('rule-blackhole'), {
    type,
    flags,
    value: { ...header, family: AF_INET6, sourceLength: 8, action: 'blackhole', source: 'fd00::' },
  })
  goldenRequest(t, vector('rule-l3mdev'), {
    type,
    flags,
    value: { ...header, l3mdev: true, priority: 1000 },
  })
  goldenRequest(t, vector('rule-delete'), {
    type: deleteRule,
    flags: 0x5,
    value: { ...header, action: 'unspec', priority: 10 },
  })
  t.end()
})

t.test('answers of the kernel', t => {
  const four = goldenReply(t, vector('rules-4-reply'), newRule)
  const find = (priority: number | undefined) => four.find(rule => rule.priority === priority)
  t.match(find(77), { ...all, tos: 0x10, sourceLength: 8, destinationLength: 16 })
  t.ok(find(77)?.flags.has('invert'))
  t.match(find(10), { action: 'goto', goto: 100, flags: new Set(['unresolved']) })
  t.match(find(undefined), { table: 255, protocol: 'kernel' })
  const six = goldenReply(t, vector('rules-6-reply'), newRule)
  t.match(
    six.find(rule => rule.priority === 1000),
    { family: AF_INET6, l3mdev: true },
  )
  t.end()
})

t.test('damaged bytes', t => {
  survivesDamage(vectors(import.meta.dirname, 'rules-4-reply', 'rules-6-reply', 'rule-all'), newRule)
  t.end()
})

t.test('rules of a real namespace', async t => {
  const { socket } = await scene(t)
  const rule = {
    family: AF_INET,
    action: 'to_tbl',
    table: 1000,
    priority: 77,
    source: '10.0.0.0',
    sourceLength: 8,
  } as const
  await socket.request(newRule, rule, NEW)
  const rules = async () =>
    (await socket.dump(getRule, { family: AF_INET }, newRule)).filter(({ table }) => table === 1000)
  t.match(await rules(), [{ ...rule }])
  await t.rejects(socket.request(newRule, rule, NEW), { code: 'EEXIST', request: 'RTM_NEWRULE' })
  await socket.request(deleteRule, rule)
  t.same(await rules(), [])
  await t.rejects(socket.request(deleteRule, rule), { code: 'ENOENT' })
})
