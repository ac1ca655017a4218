import t from 'tap'
import { mkdirSync } from 'node:fs'
import { commandLines, sources } from '../harness/command-line.ts'
import { isolated } from '../harness/namespaces.ts'
import { run } from '../harness/run.ts'

isolated(import.meta)

const complete = async (...words: string[]) =>
  (await sources.must('--complete-words', ...words)).split('\n').filter(word => word !== '')

t.test('commands', async t => {
  t.strictSame(await complete(''), [
    'network',
    'sandbox',
    'debug',
    'install',
    'standby',
    'completion',
    'version',
  ])
  t.strictSame(await complete('ne'), ['network'])
  t.strictSame(await complete('sandbox', ''), ['create', 'ls', 'rm', 'exec'])
  t.strictSame(await complete('network', 'in'), ['inspect'])
  t.strictSame(await complete('nope', ''), [])
})

t.test('options, and the values of those that have a choice', async t => {
  t.ok((await complete('network', 'create', '--')).includes('--subnet'))
  t.strictSame(await complete('network', 'create', '--sub'), ['--subnet'])
  t.strictSame(await complete('network', 'ls', '--format', ''), ['table', 'json'])
  t.strictSame(await complete('network', 'ls', '--format', 'j'), ['json'])
})

t.test('networks and sandboxes', async t => {
  await sources.must('network', 'create', 'front')
  await sources.must('network', 'create', 'back')
  await sources.must('sandbox', 'create', 'web')
  t.strictSame(await complete('network', 'connect', ''), ['back', 'front'])
  t.strictSame(await complete('network', 'connect', 'front', ''), ['web'])
  t.strictSame(await complete('network', 'rm', 'back', 'f'), ['front'])
  t.strictSame(await complete('sandbox', 'rm', '-f', ''), ['web'])
  t.strictSame(await complete('sandbox', 'exec', ''), ['web'])
  await sources.must('sandbox', 'rm', 'web')
  await sources.must('network', 'prune', '-f')
})

t.test('a shell completes by the script', async t => {
  mkdirSync('/run/tnet/bin', { recursive: true })
  const script = await sources.must('completion', 'bash')
  // A tnet that answers what it was asked.
  const asked = 'tnet() { printf "%s\\n" "asked:$#" "asked-last:${@: -1}"; }'
  const words = 'COMP_WORDS=(tnet network "as") COMP_CWORD=2; _tnet; printf "%s\\n" "${COMPREPLY[@]}"'
  t.equal(await run('bash', ['-c', `${asked}\n${script}\n${words}`]), 'asked:3\nasked-last:as\n')
  for (const shell of ['zsh', 'fish'])
    t.ok((await sources.must('completion', shell)).includes('--complete-words'))
  t.equal(
    (await sources.run(['completion'], { env: { SHELL: '/usr/bin/fish' } })).stdout,
    await sources.must('completion', 'fish'),
  )
})

for (const tnet of commandLines()) {
  t.test(`${tnet.name}: a script for a shell that is not known is bash's`, async t => {
    t.equal(
      (await tnet.run(['completion'], { env: { SHELL: '/bin/tcsh' } })).stdout,
      await tnet.must('completion', 'bash'),
    )
  })
}
