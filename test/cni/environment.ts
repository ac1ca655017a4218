import fc from 'fast-check'
import t from 'tap'
import { COMMANDS, environment, ifnameFault } from '../../src/cni/environment.ts'
import { TnetError } from '../../src/errors.ts'

const FULL = {
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/run/netns/a',
  CNI_IFNAME: 'eth0',
  CNI_ARGS: 'IgnoreUnknown=1',
  CNI_PATH: '/opt/cni/bin:/usr/lib/cni',
}

t.test('an unset or empty command is no call', async t => {
  t.equal(environment({}), undefined)
  t.equal(environment({ ...FULL, CNI_COMMAND: '' }), undefined)
})

t.test('an unknown command is refused before anything else', async t => {
  for (const command of ['FOO', 'add', 'ADD ', '__proto__', 'constructor']) {
    t.throws(() => environment({ CNI_COMMAND: command }), { code: 'BAD_ENVIRONMENT' }, command)
  }
})

t.test('which variables a verb demands, in one error', async t => {
  const demands = {
    ADD: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'],
    CHECK: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'],
    DEL: ['CNI_CONTAINERID', 'CNI_IFNAME'],
    GC: [],
    STATUS: [],
    VERSION: [],
  }
  for (const command of COMMANDS) {
    const names = demands[command]
    const message = new RegExp(`\\[${names.join(',')}\\]`)
    const refusal = { code: 'BAD_ENVIRONMENT', message }
    if (names.length === 0) t.equal(environment({ CNI_COMMAND: command })?.command, command)
    else t.throws(() => environment({ CNI_COMMAND: command }), refusal, `${command} without variables`)
    for (const name of names) {
      const alone = { ...refusal, message: new RegExp(`\\[${name}\\]`) }
      t.throws(() => environment({ ...FULL, CNI_COMMAND: command, [name]: '' }), alone, `${command}: ${name}`)
    }
  }
})

t.test('a full environment', async t => {
  const call = {
    containerId: 'c1',
    netns: '/run/netns/a',
    ifname: 'eth0',
    args: 'IgnoreUnknown=1',
    path: ['/opt/cni/bin', '/usr/lib/cni'],
    ownNetnsAllowed: false,
  }
  for (const command of ['ADD', 'CHECK', 'DEL'] as const) {
    t.same(environment({ ...FULL, CNI_COMMAND: command }), { command, ...call })
  }
  const none = { containerId: '', netns: '', ifname: '', args: '' }
  t.same(environment({ ...FULL, CNI_COMMAND: 'GC' }), { command: 'GC', ...call, ...none })
})

t.test('variables that a verb has no use for are not looked at', async t => {
  const odd = { CNI_CONTAINERID: '../x', CNI_IFNAME: 'a/b', CNI_ARGS: '\u0001' }
  for (const command of ['GC', 'STATUS', 'VERSION'])
    t.ok(environment({ ...odd, CNI_COMMAND: command }), command)
})

t.test('DEL does without a namespace, and without CNI_PATH', async t => {
  const call = environment({ CNI_COMMAND: 'DEL', CNI_CONTAINERID: 'c1', CNI_IFNAME: 'eth0' })
  t.match(call, { netns: '', path: [] })
  t.match(environment({ ...FULL, CNI_COMMAND: 'ADD', CNI_PATH: undefined }), { path: [] })
})

t.test('empty folders of CNI_PATH are no folders', async t => {
  t.same(environment({ ...FULL, CNI_COMMAND: 'ADD', CNI_PATH: ':/a::/b:' })?.path, ['/a', '/b'])
})

t.test('CNI_NETNS_OVERRIDE', async t => {
  const allowed = (value: string) =>
    environment({ ...FULL, CNI_COMMAND: 'ADD', CNI_NETNS_OVERRIDE: value })?.ownNetnsAllowed
  for (const value of ['1', 'TRUE', 'true', 'True']) t.equal(allowed(value), true, value)
  for (const value of ['', '0', 'false', 'yes', '2']) t.equal(allowed(value), false, value)
})

t.test('container ids', async t => {
  const refused = ['_x', '.x', '-x', 'a/b', 'a b', 'a\n', '..', 'é', 'a\u0000']
  for (const CNI_CONTAINERID of refused) {
    for (const CNI_COMMAND of ['ADD', 'CHECK', 'DEL']) {
      const call = { ...FULL, CNI_COMMAND, CNI_CONTAINERID }
      t.throws(
        () => environment(call),
        { code: 'BAD_ENVIRONMENT', details: CNI_CONTAINERID },
        CNI_CONTAINERID,
      )
    }
  }
  for (const CNI_CONTAINERID of ['0', 'a', 'A_b.c-d', 'a..b', 'f'.repeat(64)]) {
    t.ok(environment({ ...FULL, CNI_COMMAND: 'ADD', CNI_CONTAINERID }), CNI_CONTAINERID)
  }
})

t.test('names of interfaces', async t => {
  const refused = [
    '.',
    '..',
    'a/b',
    'a:b',
    'a b',
    'a\tb',
    'a\u00a0b',
    'a\u0085',
    'a\u2003b',
    'x'.repeat(16),
    'é'.repeat(8),
  ]
  for (const CNI_IFNAME of refused) {
    t.ok(ifnameFault(CNI_IFNAME), CNI_IFNAME)
    for (const CNI_COMMAND of ['ADD', 'CHECK', 'DEL']) {
      t.throws(
        () => environment({ ...FULL, CNI_COMMAND, CNI_IFNAME }),
        { code: 'BAD_ENVIRONMENT' },
        CNI_IFNAME,
      )
    }
  }
  for (const CNI_IFNAME of ['e', 'eth0', 'a.b', '...', 'x'.repeat(15), 'é'.repeat(7), '-x']) {
    t.ok(environment({ ...FULL, CNI_COMMAND: 'ADD', CNI_IFNAME }), CNI_IFNAME)
  }
})

t.test('what the kernel would take but a person could not read: refused by ADD, removed by DEL', async t => {
  for (const odd of [
    { CNI_IFNAME: 'a\u0001b' },
    { CNI_IFNAME: 'a%d' },
    { CNI_IFNAME: 'a\u007f' },
    { CNI_IFNAME: 'a\ufffd' },
    { CNI_CONTAINERID: 'x'.repeat(256) },
    { CNI_NETNS: '/run/netns/a\n' },
    { CNI_NETNS: `/${'x'.repeat(4095)}` },
    { CNI_ARGS: `A=${'x'.repeat(65536)}` },
    { CNI_ARGS: 'A=\u001b[2J' },
  ]) {
    const name = JSON.stringify(odd).slice(0, 60)
    for (const CNI_COMMAND of ['ADD', 'CHECK']) {
      t.throws(
        () => environment({ ...FULL, ...odd, CNI_COMMAND }),
        { code: 'BAD_ENVIRONMENT' },
        `${CNI_COMMAND} ${name}`,
      )
    }
    t.ok(environment({ ...FULL, ...odd, CNI_COMMAND: 'DEL' }), `DEL ${name}`)
  }
})

t.test('whatever the environment says, there is an answer or a typed error', async () => {
  const word = fc.option(
    fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('c1', 'eth0', '/run/netns/a', '..')),
    { nil: undefined },
  )
  const variables = fc.record({
    CNI_COMMAND: fc.oneof(fc.constantFrom(...COMMANDS), word),
    CNI_CONTAINERID: word,
    CNI_NETNS: word,
    CNI_IFNAME: word,
    CNI_ARGS: word,
    CNI_PATH: word,
    CNI_NETNS_OVERRIDE: word,
  })
  fc.assert(
    fc.property(variables, env => {
      try {
        const call = environment(env)
        if (call?.command !== 'ADD') return
        if (ifnameFault(call.ifname) !== undefined || call.containerId === '' || call.netns === '')
          throw new Error('accepted')
      } catch (error) {
        if (!(error instanceof TnetError) || error.code !== 'BAD_ENVIRONMENT') throw error
      }
    }),
    { numRuns: 2000 },
  )
})
