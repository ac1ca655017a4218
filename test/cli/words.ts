import t from 'tap'
import { network } from '../../src/cli/commands/network.ts'
import { sandbox } from '../../src/cli/commands/sandbox.ts'
import { spelledOut, UsageError } from '../../src/cli/words.ts'
import { TnetError } from '../../src/errors.ts'
import { commandLines } from '../harness/command-line.ts'
import { isolated } from '../harness/namespaces.ts'
import { temporary } from '../harness/temporary.ts'

isolated(import.meta)

const spelled = (...words: string[]) => spelledOut([network, sandbox], words).join(' ')

t.test('boolean flags have the values that Docker knows', async t => {
  for (const value of ['1', 't', 'T', 'TRUE', 'true', 'True'])
    t.equal(spelled('network', 'create', `--internal=${value}`, 'a'), 'network create --internal=true a')
  for (const value of ['0', 'f', 'F', 'FALSE', 'false', 'False'])
    t.equal(spelled('network', 'create', `--ipv4=${value}`, 'a'), 'network create --ipv4=false a')
  t.equal(spelled('network', 'ls', '-q'), 'network ls --quiet=true')
  t.equal(spelled('network', 'ls', '-q=F'), 'network ls --quiet=false')
  t.equal(
    spelled('network', 'rm', '-f', 'true'),
    'network rm --force=true true',
    'no word is taken for a value',
  )
  const wrong = [
    ['network', 'create', '--internal=maybe', 'a'],
    ['network', 'create', '--internal=', 'a'],
    ['network', 'create', '--ipv4=yes', 'a'],
    ['network', 'create', '--ipv6=on', 'a'],
    ['network', 'prune', '--force=y'],
    ['network', 'prune', '-f=2'],
    ['network', 'ls', '-q=tRUE'],
    ['network', 'ls', '--no-trunc=yes'],
    ['network', 'connect', '--print=no', 'a', 'b'],
    ['sandbox', 'rm', '-f=nope', 'a'],
  ]
  for (const words of wrong)
    t.match(
      thrown(() => spelled(...words)),
      { name: 'TnetError', code: 'BAD_CONFIG' },
      words.join(' '),
    )
})

t.test('short flags', async t => {
  t.equal(spelled('network', 'ls', '-qf', 'name=a'), 'network ls --quiet=true -f name=a')
  t.equal(spelled('network', 'create', '-omtu=9000', 'a'), 'network create -o mtu=9000 a')
  t.equal(spelled('network', 'create', '-o', 'mtu=9000', 'a'), 'network create -o mtu=9000 a')
})

t.test('words that are no flags stay as they are', async t => {
  for (const line of [
    'network rm -1 -',
    'sandbox exec web -- ls -Z --nope',
    'network help',
    'network --format json ls',
  ])
    t.equal(spelled(...line.split(' ')), line)
})

t.test('what is unknown is named, wherever it stands', async t => {
  const unknown: [line: string, named: string][] = [
    ['netwrok ls', 'network'],
    ['network inspcet a', 'inspect'],
    ['--nope x network ls', '--nope'],
    ['network create --attachable demo', '--attachable'],
    ['network create demo --attachable', '--attachable'],
    ['network create --subnett 10.0.0.0/24 demo', '--subnet?'],
    ['network create --name demo', '--name'],
    ['network inspect -v x', '-v'],
    ['network ls -qz', '-z'],
    ['network prune --f', '--f'],
    ['sandbox exec -it web -- true', '-i'],
  ]
  for (const [line, named] of unknown) {
    const error = thrown(() => spelled(...line.split(' ')))
    t.ok(error instanceof UsageError, line)
    t.ok(error instanceof Error && error.message.includes(named), `${line}: ${String(error)}`)
  }
})

for (const tnet of commandLines()) {
  t.test(`${tnet.name}: status 2, and the word`, async t => {
    using folder = temporary()
    const env = { TNET_RUN_DIR: `${folder.path}/run`, TNET_STATE_DIR: `${folder.path}/state` }
    const wrong: [line: string, named: string][] = [
      ['netwrok ls', '"network"'],
      ['network create --attachable demo', '--attachable'],
      ['network create --internal=maybe demo', '"maybe"'],
      ['sandbox exec -it web true', '-i'],
      ['network ls --format {{.Name}}', '"{{.Name}}"'],
      ['network inspect -f yaml a', '"yaml"'],
      ['version --format {{.Version}}', '{{.Version}}'],
    ]
    for (const [line, named] of wrong) {
      const { code, stdout, stderr } = await tnet.run(line.split(' '), { env })
      t.strictSame([code, stdout], [2, ''], line)
      t.ok(stderr.includes(named), stderr)
    }
    t.equal((await tnet.run(['version', '--format', 'table', '--format', 'json'], { env })).code, 0)
  })
}

function thrown(deed: () => unknown): unknown {
  try {
    deed()
  } catch (error) {
    if (error instanceof TnetError || error instanceof UsageError) return error
    throw error
  }
  return undefined
}
