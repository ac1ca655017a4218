import t from 'tap'
import { addressesAre } from '../../src/net/leaving-port.ts'
import { openSandbox } from '../../src/net/sandbox.ts'
import { isolated, makeNetns } from '../harness/namespaces.ts'

isolated(import.meta)

t.test('whose link it is, by its addresses', async t => {
  await using netns = await makeNetns()
  using sandbox = openSandbox(netns.path)
  await netns.run('ip', 'link', 'add', 'eth0', 'up', 'type', 'bridge')
  const { index } = await sandbox.links.existing('eth0')
  const ask = (...told: string[]) => addressesAre(told, sandbox, index)
  const add = (...words: string[]) => netns.run('ip', 'address', 'add', ...words, 'dev', 'eth0')

  await add('fe80::5/64')
  t.equal(await ask('10.1.0.2/24'), 'none', 'what the kernel gives each link tells nothing')
  await add('::ffff:10.1.0.2/128')
  t.equal(await ask('10.1.0.2/24'), 'others', 'a form that no configuration may have')
  await add('10.1.0.2/24')
  await add('fd00::a/64')
  t.equal(await ask('10.1.0.2/24'), 'told')
  t.equal(await ask('10.1.0.3/24', 'FD00:0::A/64'), 'told', 'one of them, in another form')
  t.equal(await ask('10.1.0.2/16'), 'others', 'with another prefix')
  t.equal(await ask(), 'others')
})
