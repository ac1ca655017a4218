// The dummy plugin: what it answers and makes, what it refuses.
import t from 'tap'
import { type Row, table } from '../harness/lifecycle.ts'
import { isolated, lacks } from '../harness/namespaces.ts'
import { subjects } from '../harness/plugins.ts'
import { ping } from '../harness/traffic.ts'
import { hostLocal, makeWorld } from '../harness/world.ts'

isolated(import.meta)
t.setTimeout(600_000)

const ipam = hostLocal(['10.1.0.0/24'])
const answer = (more: object = {}) => ({
  cniVersion: '1.0.0',
  interfaces: [{ name: 'eth0', mac: 'MAC', sandbox: 'SANDBOX' }],
  ...more,
})
const ips = [{ interface: 0, address: '10.1.0.2/24', gateway: '10.1.0.1' }]
const NEWER = 'newer than 1.1.1'

const rows: Row[] = [
  {
    name: 'an address',
    onlyOurs: NEWER,
    config: { type: 'dummy', ipam },
    result: answer({ ips }),
    facts: { sandbox: { eth0: { up: true, addresses: ['10.1.0.2/24'] } }, leases: ['10.1.0.2'] },
    also: async (t, { sandbox }) => {
      t.match(await sandbox.run('ip', '-d', 'link', 'show', 'eth0'), /\bdummy\b/)
      t.ok(await ping(sandbox, '10.1.0.2'), 'it answers')
    },
  },
  {
    name: 'no ipam',
    onlyOurs: NEWER,
    config: { type: 'dummy' },
    result: answer(),
    facts: { sandbox: { eth0: { up: true, addresses: [] } } },
  },
  {
    name: 'CNI_ARGS is for others',
    onlyOurs: NEWER,
    config: { type: 'dummy' },
    request: { args: 'COLOUR=green' },
    result: answer(),
  },
]

const missing = lacks('dummy')
if (missing === false) table(t, rows)
else t.test('a table of behaviours', { skip: missing }, () => {})

t.test('STATUS says whether the kernel has it', async t => {
  const subject = subjects().find(({ name }) => name === 'tnet')
  if (subject === undefined) return t.pass('the reference alone was asked for')
  await using world = await makeWorld(subject)
  const config = world.config({ cniVersion: '1.1.0', type: 'dummy' })
  const { code, json } = await world.call('STATUS', config, { containerId: '', netns: '', ifname: '' })
  t.equal(json?.['code'], missing === false ? undefined : 50)
  t.equal(code, missing === false ? 0 : 1)
  const added = await world.call('ADD', config)
  t.equal(added.code, missing === false ? 0 : 1, added.stdout)
  t.equal((await world.call('DEL', config)).code, 0)
})
