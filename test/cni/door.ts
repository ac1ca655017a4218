import fc from 'fast-check'
import t from 'tap'
import { COMMANDS } from '../../src/cni/environment.ts'
import { validate } from '../../src/cni/generated/bridge.js'
import type { AttachmentRequest, Plugin, Request } from '../../src/cni/plugin.ts'
import { bridge as schema } from '../../src/cni/schemas/bridge.ts'
import { VERSIONS } from '../../src/cni/version.ts'
import type { AttachResult } from '../../src/net/result.ts'
import { TnetError } from '../../src/errors.ts'
import type { Attached } from '../../src/net/owner.ts'
import { callDoor } from '../harness/door.ts'

const RESULT: AttachResult = {
  interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:01', sandbox: '/run/netns/a' }],
  ips: [{ interface: 0, address: '10.0.0.2/24' }],
  routes: [],
  dns: {},
}

interface Called {
  readonly verb: string
  readonly request: Request | AttachmentRequest
  readonly valid?: readonly Attached[]
}

/** A plugin that writes down what it was asked. `failing` is thrown by every verb. */
function fake(failing?: unknown, more: Partial<Plugin> = {}): Plugin & { readonly calls: Called[] } {
  const calls: Called[] = []
  const note = async (called: Called) => {
    calls.push(called)
    if (failing !== undefined) throw failing
  }
  return {
    name: 'fake',
    versions: VERSIONS,
    document: { schema, validate },
    calls,
    async add(request, answer) {
      await note({ verb: 'ADD', request })
      await answer(RESULT)
    },
    del: request => note({ verb: 'DEL', request }),
    check: request => note({ verb: 'CHECK', request }),
    gc: (request, valid) => note({ verb: 'GC', request, valid }),
    status: request => note({ verb: 'STATUS', request }),
    ...more,
  }
}

const CONFIG = { cniVersion: '1.1.0', name: 'n', type: 'fake' }
const ADD = { verb: 'ADD', config: CONFIG, netns: '/run/netns/a' } as const

t.test('a person gets told what it is', async t => {
  const answer = await callDoor(fake(), { verb: '', config: '' })
  t.equal(answer.code, 0)
  t.equal(answer.stdout, '')
  t.match(
    answer.stderr,
    /^CNI fake plugin tnet \d+\.\d+\.\d+\nCNI protocol versions supported: 0\.1\.0, 0\.2\.0, 0\.3\.0, 0\.3\.1, 0\.4\.0, 1\.0\.0, 1\.1\.0\n$/,
  )
})

t.test('VERSION needs neither input nor network', async t => {
  const stdin = () => Promise.reject(new Error('read'))
  const { code, json } = await callDoor(fake(), { verb: 'VERSION', config: '' }, { stdin })
  t.equal(code, 0)
  t.same(json, { cniVersion: '1.1.0', supportedVersions: VERSIONS })
})

t.test('ADD prints the result in the version of the request', async t => {
  for (const cniVersion of VERSIONS) {
    const { code, json, stderr } = await callDoor(fake(), { ...ADD, config: { ...CONFIG, cniVersion } })
    t.equal(code, 0, cniVersion)
    t.equal(json?.['cniVersion'], cniVersion)
    t.equal(stderr, '')
  }
})

t.test('the other verbs print nothing', async t => {
  const prevResult = { cniVersion: '1.1.0' }
  for (const verb of ['DEL', 'CHECK', 'GC', 'STATUS'] as const) {
    const plugin = fake()
    const config = { ...CONFIG, prevResult, 'cni.dev/valid-attachments': [] }
    const answer = await callDoor(plugin, { ...ADD, verb, config })
    t.match(answer, { code: 0, stdout: '', stderr: '' }, verb)
    t.same(
      plugin.calls.map(call => call.verb),
      [verb],
    )
  }
})

t.test('what a plugin is given', async t => {
  const plugin = fake()
  const config = { ...CONFIG, ISGATEWAY: true, prevResult: { ips: [{ address: '10.0.0.2/24' }] } }
  await callDoor(
    plugin,
    { ...ADD, config, containerId: 'c9', ifname: 'net1', args: 'A=b' },
    { ownFolder: '/own' },
  )
  const request = plugin.calls[0]?.request as AttachmentRequest
  t.match(request, {
    version: '1.1.0',
    network: 'n',
    owner: { network: 'n', containerId: 'c9', ifname: 'net1' },
    environment: { command: 'ADD', netns: '/run/netns/a', args: 'A=b', path: ['/nowhere'] },
    prevResult: { interfaces: [], ips: [{ address: '10.0.0.2/24' }] },
    ownFolder: '/own',
  })
  t.equal(request.config['isGateway'], true)
  t.equal(request.raw['ISGATEWAY'], true)
  t.equal(new TextDecoder().decode(request.stdin), JSON.stringify(config))
})

t.test('the order of the checks: environment, JSON, name, version, verb, configuration, plugin', async t => {
  const wrong = {
    verb: 'CHECK',
    env: { CNI_NETNS: '' } as Record<string, string | undefined>,
    config: '{"name": "_n", "cniVersion": "9.9.9", "mtu": "x"' as string | object,
  }
  const code = async () => (await callDoor(fake(new TnetError('TRY_AGAIN', 'x')), wrong)).json?.['code']
  t.equal(await code(), 4)
  wrong.env = { CNI_NETNS: '/run/netns/a' }
  t.equal(await code(), 6)
  wrong.config = { cniVersion: '9.9.9', mtu: 'x' }
  t.equal(await code(), 7, 'no name')
  wrong.config = { name: '_n', cniVersion: '9.9.9', mtu: 'x' }
  t.equal(await code(), 7, 'no such name')
  wrong.config = { name: 'n', cniVersion: '9.9.9', mtu: 'x' }
  t.equal(await code(), 1, 'no such version')
  wrong.config = { name: 'n', cniVersion: '0.3.1', mtu: 'x' }
  t.equal(await code(), 1, 'no such verb')
  wrong.config = { name: 'n', cniVersion: '0.4.0', mtu: 'x' }
  t.equal(await code(), 7, 'wrong configuration')
  wrong.config = { name: 'n', cniVersion: '0.4.0' }
  t.equal(await code(), 11, 'the plugin')
})

t.test('errors carry the version once it is known', async t => {
  const answer = await callDoor(fake(new TnetError('UNAVAILABLE', 'no', 'wait')), ADD)
  t.equal(answer.code, 1)
  t.equal(
    answer.stdout,
    '{\n    "cniVersion": "1.1.0",\n    "code": 50,\n    "msg": "no",\n    "details": "wait"\n}',
  )
  const { json } = await callDoor(fake(), { ...ADD, config: { name: 'n', cniVersion: '2.0.0' } })
  t.equal('cniVersion' in (json ?? {}), false)
})

t.test('what nobody foresaw is 999, and its stack stays off standard output', async t => {
  for (const thrown of [new TypeError('x is not a function'), 'text', null, 0]) {
    const { code, json, stdout, stderr } = await callDoor(fake(thrown), ADD)
    t.match({ code, json }, { code: 1, json: { code: 999 } }, String(thrown))
    t.notMatch(stdout, /\bat \w/)
    t.equal(stderr, '')
  }
  const { stderr } = await callDoor(fake(new TypeError('x')), { ...ADD, env: { TNET_DEBUG: 'steps,stack' } })
  t.match(stderr, /at .*door\.ts/)
  const loop = new Error('x')
  loop.cause = loop
  t.match(await callDoor(fake(loop), { ...ADD, env: { TNET_DEBUG: 'stack' } }), {
    code: 1,
    json: { code: 999 },
  })
})

t.test('one document on standard output, whatever fails', async t => {
  await t.test('the write of the result: then it is not told, and ADD is undone', async t => {
    let undone = false
    const plugin = fake(undefined, {
      async add(_, answer) {
        try {
          await answer(RESULT)
        } catch (error) {
          undone = true
          throw error
        }
      },
    })
    let writes = 0
    const stdout = async () => {
      writes++
      throw Object.assign(new Error('EPIPE: broken pipe, write'), { code: 'EPIPE', written: 5 })
    }
    const answer = await callDoor(plugin, ADD, { stdout })
    t.match(answer, { code: 1, stderr: /EPIPE/ })
    t.equal(writes, 1, 'an error after half a result would be nonsense')
    t.ok(undone)
  })
  await t.test('a write that took nothing: then the error is the document', async t => {
    let text = ''
    let full = true
    const stdout = async (more: string) => {
      if (full) {
        full = false
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
          code: 'ENOSPC',
          written: 0,
        })
      }
      text += more
    }
    t.equal((await callDoor(fake(), ADD, { stdout })).code, 1)
    t.match(JSON.parse(text), { code: 5, msg: /ENOSPC/ })
  })
  await t.test('what comes after the result: the caller has it', async t => {
    const plugin = fake(undefined, {
      async add(_, answer) {
        await answer(RESULT)
        throw new Error('late')
      },
    })
    const answer = await callDoor(plugin, ADD)
    t.match(answer, { code: 0, json: { cniVersion: '1.1.0' }, stderr: /late/ })
  })
  await t.test('a result that the version cannot tell', async t => {
    const plugin = fake(undefined, { add: (_, answer) => answer({ ...RESULT, ips: [] }) })
    t.match(await callDoor(plugin, { ...ADD, config: { ...CONFIG, cniVersion: '0.2.0' } }), {
      code: 1,
      json: { code: 7 },
    })
  })
})

t.test('the list of GC', async t => {
  const gc = async (more: object) => {
    const plugin = fake()
    const { json } = await callDoor(plugin, { verb: 'GC', config: { ...CONFIG, ...more } })
    return json?.['code'] ?? plugin.calls[0]?.valid
  }
  const key = 'cni.dev/valid-attachments'
  t.equal(await gc({}), 7, 'absent')
  t.equal(await gc({ 'cni.dev/attachments': [] }), 7, 'another key')
  t.same(await gc({ [key]: null }), [])
  t.same(await gc({ [key]: [] }), [])
  t.same(await gc({ [key.toUpperCase()]: [{ ContainerID: 'c', IFNAME: 'e' }] }), [
    { containerId: 'c', ifname: 'e' },
  ])
  t.equal(await gc({ [key]: {} }), 7)
  t.equal(await gc({ [key]: [{}] }), 7)
  t.equal(await gc({ [key]: [null] }), 7)
  t.equal(await gc({ [key]: [{ containerID: 'c' }] }), 7)
  t.equal(await gc({ [key]: [{ containerID: 5, ifname: 'e' }] }), 7)
})

t.test('prevResult', async t => {
  const broken = { ...CONFIG, prevResult: { ips: [{ address: 'x' }] } }
  for (const verb of ['ADD', 'CHECK'] as const) {
    t.match(await callDoor(fake(), { ...ADD, verb, config: broken }), { code: 1, json: { code: 7 } }, verb)
  }
  const plugin = fake()
  t.match(await callDoor(plugin, { ...ADD, verb: 'DEL', config: broken }), { code: 0, stderr: /prevResult/ })
  const request = plugin.calls[0]?.request as AttachmentRequest
  t.equal(request.prevResult, undefined)
})

t.test('DEL goes on without what is wrong; the others do not', async t => {
  const config = { ...CONFIG, mtu: 'x', isGateway: true }
  const plugin = fake()
  t.match(await callDoor(plugin, { ...ADD, verb: 'DEL', config }), { code: 0, stdout: '', stderr: /mtu/ })
  t.match(plugin.calls[0]?.request.config, { name: 'n', isGateway: true })
  t.match(await callDoor(fake(), { ...ADD, config }), { code: 1, json: { code: 7 } })
  t.match(await callDoor(fake(), { ...ADD, verb: 'DEL', config: { ...CONFIG, ipam: 5 } }), {
    code: 1,
    json: { code: 7 },
  })
})

t.test('a network name that is too long for a folder: refused, but for DEL', async t => {
  const config = { ...CONFIG, name: 'n'.repeat(300) }
  t.match(await callDoor(fake(), { ...ADD, config }), { code: 1, json: { code: 7 } })
  t.match(await callDoor(fake(), { ...ADD, verb: 'DEL', config }), { code: 0 })
})

t.test('a misspelled key is a hint', async t => {
  const { code, stderr } = await callDoor(fake(), { ...ADD, config: { ...CONFIG, isGatway: true } })
  t.equal(code, 0)
  t.equal(stderr, 'tnet fake: "isGatway": unknown key, did you mean "isGateway"?\n')
})

t.test('TNET_DEBUG=steps tells what is done, and nothing of the configuration', async t => {
  const config = { ...CONFIG, args: { cni: { labels: [{ key: 'password', value: 'secret' }] } } }
  const { stderr } = await callDoor(fake(), { ...ADD, config, env: { TNET_DEBUG: 'steps' } })
  t.equal(stderr, 'tnet fake: ADD n c1 eth0\n')
})

t.test('what is printed for people obeys no terminal', async t => {
  const names = { ifname: 'a\u001bb', containerId: 'c1' }
  const config = { ...CONFIG, 'isGatway\u001b': 1, mtu: '\u009b' }
  const { stderr } = await callDoor(fake(), {
    ...ADD,
    ...names,
    verb: 'DEL',
    config,
    env: { TNET_DEBUG: 'steps' },
  })
  t.match(stderr, /DEL n c1 a\\u001bb/)
  t.notMatch(stderr.replaceAll('\n', ''), /\p{Cc}/u)
})

t.test('any input: one JSON document or none, one exit status, no exception', async t => {
  const word = fc.oneof(fc.string(), fc.constantFrom('c1', 'eth0', '/run/netns/a', 'MAC=a', ''))
  const env = fc.record({
    CNI_COMMAND: fc.oneof(fc.constantFrom(...COMMANDS), word),
    CNI_CONTAINERID: word,
    CNI_NETNS: word,
    CNI_IFNAME: word,
    CNI_ARGS: word,
    TNET_DEBUG: fc.constantFrom('', 'steps', 'netlink', 'x'),
  })
  const key = fc.oneof(
    fc.constantFrom('name', 'cniVersion', 'mtu', 'prevResult', 'cni.dev/valid-attachments', 'ipam'),
    fc.string(),
  )
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('n', '1.1.0', '0.4.0'))
  const input = fc.oneof(
    fc.dictionary(key, value).map(each => ({ ...CONFIG, ...each })),
    fc.string(),
    fc.jsonValue(),
  )
  await fc.assert(
    fc.asyncProperty(env, input, async (variables, config) => {
      const { code, stdout, json } = await callDoor(fake(), {
        verb: variables.CNI_COMMAND,
        config: typeof config === 'string' ? config : JSON.stringify(config),
        env: variables,
      })
      if (stdout !== '' && json === undefined) return false
      return code === 0
        ? json?.['code'] === undefined
        : code === 1 && Number(json?.['code']) > 0 && Boolean(json?.['msg'])
    }),
    { numRuns: 2000 },
  )
  t.pass()
})
