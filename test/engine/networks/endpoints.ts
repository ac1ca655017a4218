import t from 'tap'
import { connect } from '../../../src/engine/networks/connect.ts'
import { createNetwork } from '../../../src/engine/networks/create.ts'
import { disconnect } from '../../../src/engine/networks/disconnect.ts'
import { endpointsNow, thisHost } from '../../../src/engine/networks/endpoints.ts'
import { openMachine } from '../../../src/engine/networks/machine.ts'
import { findNetwork } from '../../../src/engine/networks/records.ts'
import { removeNetwork } from '../../../src/engine/networks/remove.ts'
import { type EndpointRecord, endpointKey, holdersKey } from '../../../src/store/schema.ts'
import { isolated, makeNetns } from '../../harness/namespaces.ts'
import { run } from '../../harness/run.ts'

isolated(import.meta)

const folders = { runDir: '/run/tnet', stateDir: '/var/lib/tnet', make: true }
const asked = {
  driver: 'bridge',
  subnets: ['10.1.0.0/24'],
  ranges: [],
  gateways: [],
  auxiliary: {},
  internal: false,
  ipv4: true,
  ipv6: false,
  labels: {},
  options: {},
}

async function scene(name: string) {
  const machine = await openMachine(folders)
  const web = await makeNetns('web')
  const network = await createNetwork(machine, { ...asked, name })
  const endpoint = await connect(machine, { network: name, sandbox: web.path, cwd: '/' })
  const change = (more: Partial<EndpointRecord>) =>
    machine.store.commit({
      put: [{ key: endpointKey(network.id, endpoint), value: { ...endpoint, ...more } }],
    })
  const now = async () => {
    const { live, stale } = await endpointsNow(machine, network)
    return { live: live.length, stale: stale.length }
  }
  return {
    machine,
    web,
    network,
    endpoint,
    change,
    now,
    async [Symbol.asyncDispose]() {
      await change({})
      await disconnect(machine, { network: name, sandbox: web.path, cwd: '/', force: true })
      await removeNetwork(machine, name)
      await web.remove()
      await machine[Symbol.asyncDispose]()
    },
  }
}

t.test('connected', async t => {
  await using it = await scene('front')
  t.strictSame(await it.now(), { live: 1, stale: 0 })
  t.match(it.endpoint, { ifname: 'eth0', ips: ['10.1.0.2/24'], sandbox: it.web.path, host: thisHost() })
  await t.rejects(removeNetwork(it.machine, 'front'), { code: 'IN_USE' })
})

t.test('the machine was started since: all of it is gone', async t => {
  await using it = await scene('front')
  const link = (await run('sh', ['-c', 'ip -o link show type veth'])).split(/[ :@]+/)[1] ?? ''
  await run('ip', ['link', 'del', link])
  await it.change({ host: `another-boot ${thisHost().split(' ')[1]}` })
  t.strictSame(await it.now(), { live: 0, stale: 1 })
  const { endpoint, machine, network, web } = it
  t.match(await connect(machine, { network: 'front', sandbox: web.path, cwd: '/' }), {
    ifname: endpoint.ifname,
  })
  t.equal((await machine.store.range(holdersKey(network.id))).length, 1)
})

t.test('connected from another namespace: not to be judged from here', async t => {
  await using it = await scene('front')
  await it.change({ host: thisHost().replace(/[0-9]+$/, '1'), mac: '02:00:00:00:00:01' })
  t.strictSame(await it.now(), { live: 1, stale: 0 })
  const { machine, web } = it
  await t.rejects(disconnect(machine, { network: 'front', sandbox: web.path, cwd: '/', force: true }), {
    code: 'IN_USE',
  })
  await t.rejects(removeNetwork(machine, 'front'), { code: 'IN_USE' })
})

t.test('begun and not finished', async t => {
  await using it = await scene('front')
  await it.change({ mac: '', ips: [] })
  t.strictSame(await it.now(), { live: 0, stale: 1 })
  const { machine, network, web } = it
  await connect(machine, { network: 'front', sandbox: web.path, cwd: '/' })
  t.strictSame(await it.now(), { live: 1, stale: 0 })
  t.equal((await machine.store.range(holdersKey(network.id))).length, 1)
})

t.test('the network goes while somebody connects', async t => {
  const machine = await openMachine(folders)
  await using web = await makeNetns('web')
  await createNetwork(machine, { ...asked, name: 'front' })
  const both = await Promise.allSettled([
    connect(machine, { network: 'front', sandbox: web.path, cwd: '/' }),
    removeNetwork(machine, 'front'),
    connect(machine, { network: 'front', sandbox: web.path, cwd: '/', ifname: 'lan0' }),
  ])
  const done = both.filter(({ status }) => status === 'fulfilled').length
  t.equal(done, 1, 'one of them')
  await disconnect(machine, { network: 'front', sandbox: web.path, cwd: '/', force: true }).catch(() => {})
  await removeNetwork(machine, 'front').catch(() => {})
  await t.rejects(findNetwork(machine.store, 'front'), { code: 'NOT_FOUND' })
  await machine[Symbol.asyncDispose]()
})
