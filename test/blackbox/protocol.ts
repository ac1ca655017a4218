// The CNI protocol itself, the same for every plugin: environment, standard input, versions, errors.
import t, { type Test } from 'tap'
import { isolated } from '../harness/namespaces.ts'
import { subjects, type Call } from '../harness/plugins.ts'
import { refusals, type Refusal } from '../harness/refusals.ts'
import { hostLocal, makeWorld, type World } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const ipam = hostLocal(['10.1.0.0/24'])
const OLD = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0']
const KNOWN = { reference: OLD, tnet: [...OLD, '1.1.0'] }
const TYPES = ['bridge', 'host-local']

function env(more: Call['env']): Partial<Call> {
  return { env: more }
}

const rows: Refusal[] = TYPES.flatMap((type): Refusal[] => [
  {
    name: `${type}: an unknown verb`,
    type,
    verb: 'ADD',
    config: { ipam },
    request: env({ CNI_COMMAND: 'EAT' }),
    code: 4,
    referenceCode: 4,
  },
  {
    name: `${type}: a verb in lower case`,
    type,
    config: { ipam },
    request: env({ CNI_COMMAND: 'add' }),
    code: 4,
    referenceCode: 4,
  },
  {
    name: `${type}: no container`,
    type,
    config: { ipam },
    request: env({ CNI_CONTAINERID: undefined }),
    code: 4,
    referenceCode: 4,
  },
  {
    name: `${type}: an empty container`,
    type,
    config: { ipam },
    request: { containerId: '' },
    code: 4,
    referenceCode: 4,
  },
  {
    name: `${type}: no namespace`,
    type,
    config: { ipam },
    request: { netns: undefined },
    code: 4,
    referenceCode: 4,
  },
  {
    name: `${type}: no interface`,
    type,
    config: { ipam },
    request: { ifname: '' },
    code: 4,
    referenceCode: 4,
  },
  ...['a/b', '-a', '_a', 'a b', 'a:b', '../a', 'ä', 'a\n'].map((containerId): Refusal => ({
    name: `${type}: the container ${JSON.stringify(containerId)}`,
    type,
    config: { ipam },
    request: { containerId },
    code: 4,
    referenceCode: 4,
  })),
  ...['a/b', '.', '..', 'a:b', 'a b', 'abcdefghijklmnop', 'a\tb'].map((ifname): Refusal => ({
    name: `${type}: the interface ${JSON.stringify(ifname)}`,
    type,
    config: { ipam },
    request: { ifname },
    code: 4,
    referenceCode: 4,
  })),
  ...['\u001b[31m', 'eth%d', 'eth\u007f'].map((ifname): Refusal => ({
    name: `${type}: the interface ${JSON.stringify(ifname)}`,
    type,
    config: { ipam },
    request: { ifname },
    code: 4,
    onlyOurs: 'the reference lets it pass',
  })),
  {
    name: `${type}: a container of 300 characters`,
    type,
    config: { ipam },
    request: { containerId: 'c'.repeat(300) },
    code: 4,
    onlyOurs: 'the reference lets it pass',
  },
  { name: `${type}: nothing on standard input`, type, config: '', code: 6, referenceCode: 6 },
  {
    name: `${type}: half a document`,
    type,
    config: '{"cniVersion":"1.0.0","name":"n"',
    code: 6,
    referenceCode: 6,
  },
  {
    name: `${type}: two documents`,
    type,
    config: '{"cniVersion":"1.0.0","name":"n"} {}',
    code: 6,
    referenceCode: 6,
  },
  { name: `${type}: an array`, type, config: '[]', code: 6, referenceCode: 6 },
  { name: `${type}: a string`, type, config: '"text"', code: 6, referenceCode: 6 },
  { name: `${type}: no name`, type, config: '{"cniVersion":"1.0.0"}', code: 7, referenceCode: 7 },
  ...['a/b', '../a', '.a', '-a', 'a b', 'a\n', 'ä'].map((name): Refusal => ({
    name: `${type}: the network ${JSON.stringify(name)}`,
    type,
    config: { name, ipam },
    code: 7,
    referenceCode: 7,
  })),
  {
    name: `${type}: a network name of 300 characters`,
    type,
    config: { name: 'n'.repeat(300), ipam },
    code: 7,
    onlyOurs: 'the reference fails late',
  },
  {
    name: `${type}: a version to come`,
    type,
    config: { cniVersion: '9.9.9', ipam },
    code: 1,
    referenceCode: 1,
  },
  {
    name: `${type}: a version cut short`,
    type,
    config: { cniVersion: '1.0', ipam },
    code: 1,
    referenceCode: 1,
  },
  {
    name: `${type}: a version that is a number`,
    type,
    config: { cniVersion: 1, ipam },
    code: 6,
    referenceCode: 6,
  },
  {
    name: `${type}: CHECK before 0.4.0`,
    type,
    verb: 'CHECK',
    config: { cniVersion: '0.3.1', ipam },
    code: 1,
    referenceCode: 1,
  },
  {
    name: `${type}: GC before 1.1.0`,
    type,
    verb: 'GC',
    config: { cniVersion: '1.0.0', ipam, 'cni.dev/valid-attachments': [] },
    code: 1,
    onlyOurs: 'newer than 1.1.1',
  },
  {
    name: `${type}: STATUS before 1.1.0`,
    type,
    verb: 'STATUS',
    config: { cniVersion: '1.0.0', ipam },
    code: 1,
    onlyOurs: 'newer than 1.1.1',
  },
])

refusals(t, rows)

/** The same request in every version: the answer is in the version of the request. */
async function versions(t: Test, world: World): Promise<void> {
  for (const cniVersion of KNOWN[world.subject.name]) {
    const config = world.config({ cniVersion, ipam })
    const added = await world.call('ADD', config)
    t.equal(added.code, 0, added.stdout)
    t.equal(added.json?.['cniVersion'], cniVersion)
    const shape = /^0\.[12]/.test(cniVersion) ? ['ip4'] : ['interfaces', 'ips']
    for (const key of shape) t.ok(key in (added.json ?? {}), key)
    t.equal((await world.call('DEL', config)).code, 0)
  }
  const absent = await world.call('ADD', { ...world.config({ ipam }), cniVersion: undefined })
  t.equal(absent.json?.['cniVersion'] ?? '0.1.0', '0.1.0', 'no version is 0.1.0')
  t.ok(absent.json?.['ip4'])
  t.equal(
    (await world.call('DEL', { ...world.config({ ipam }), cniVersion: '' })).code,
    0,
    'nor is an empty one',
  )
}

for (const subject of subjects()) {
  t.test(`${subject.name}: versions`, async t => {
    await using world = await makeWorld(subject)
    await versions(t, world)
  })
  for (const type of TYPES) {
    t.test(`${subject.name}: ${type} VERSION`, async t => {
      await using world = await makeWorld(subject)
      for (const input of ['{"cniVersion":"1.0.0"}', '{}', '{"cniVersion":"0.1.0","name":"n"}']) {
        const { code, stdout, json } = await world.call('VERSION', input, { type })
        t.equal(code, 0)
        t.match(stdout, /^\{"cniVersion":"1\.\d\.\d","supportedVersions":\[.*\]\}\n$/, 'one line')
        t.strictSame(json?.['supportedVersions'], KNOWN[subject.name])
      }
    })
    t.test(`${subject.name}: ${type} started by a person`, async t => {
      await using world = await makeWorld(subject)
      const { code, stdout, stderr } = await world.call('VERSION', '', {
        type,
        env: { CNI_COMMAND: undefined },
      })
      t.equal(code, 0)
      t.equal(stdout, '')
      t.match(stderr, /0\.1\.0.*1\.0\.0/, 'it tells what it is')
    })
  }
  t.test(`${subject.name}: one error lists all that is missing`, async t => {
    await using world = await makeWorld(subject)
    const missing = { CNI_CONTAINERID: undefined, CNI_NETNS: undefined, CNI_IFNAME: undefined }
    const { json } = await world.call('ADD', world.config({ ipam }), { env: missing })
    t.equal(json?.['code'], 4)
    for (const variable of Object.keys(missing)) t.match(json?.['msg'], variable)
  })
  t.test(
    `${subject.name}: an error has a code, a message, and the version of the request where it is known`,
    async t => {
      await using world = await makeWorld(subject)
      const { json, stderr } = await world.call('ADD', world.config({ ipam: { type: 'nowhere' } }))
      t.type(json?.['code'], 'number')
      t.type(json?.['msg'], 'string')
      if (subject.name === 'tnet') t.equal(json?.['cniVersion'], '1.0.0')
      t.equal(stderr, '')
    },
  )
}
