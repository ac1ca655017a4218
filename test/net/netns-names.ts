import t from 'tap'
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createNamed, findNamed, listNamed, netnsFolder, removeNamed } from '../../src/net/netns-names.ts'
import { openNetns, ownNetns } from '../../src/net/netns.ts'
import { isolated } from '../harness/namespaces.ts'
import { run } from '../harness/run.ts'

isolated(import.meta)

let count = 0
const fresh = () => `/run/test${++count}`

t.test('a name is a namespace of its own', async t => {
  const runDir = fresh()
  const { path } = await createNamed(runDir, 'web')
  await createNamed(runDir, 'db')
  t.equal(path, join(runDir, 'netns/web'))
  t.strictSame(
    listNamed(runDir).map(({ name }) => name),
    ['db', 'web'],
  )
  using netns = openNetns(path)
  using own = ownNetns()
  t.not(netns.id, own.id)
  t.equal(findNamed(runDir, 'web').path, path)
  t.match(await run('nsenter', [`--net=${path}`, 'ip', '-o', 'link']), /^1: lo:[^\n]*\n$/)
  await t.rejects(createNamed(runDir, 'web'), { code: 'EXISTS' })
  await removeNamed(runDir, 'web')
  await removeNamed(runDir, 'db')
  t.strictSame(readdirSync(netnsFolder(runDir)), [])
  t.notMatch(await run('cat', ['/proc/self/mountinfo']), runDir)
  await t.rejects(removeNamed(runDir, 'web'), { code: 'NOT_FOUND' })
})

t.test('there are none where nothing was made', async t => {
  t.strictSame(listNamed('/run/nowhere'), [])
  t.throws(() => findNamed('/run/nowhere', 'web'), { code: 'NOT_FOUND' })
})

t.test('names that are paths are refused', async t => {
  const runDir = fresh()
  for (const name of ['..', 'a/b', '', 'a\0b', 'x'.repeat(300)]) {
    await t.rejects(createNamed(runDir, name), { code: 'BAD_CONFIG' })
    t.throws(() => findNamed(runDir, name), { code: 'BAD_CONFIG' })
    await t.rejects(removeNamed(runDir, name), { code: 'BAD_CONFIG' })
  }
})

t.test('a file without a namespace is no sandbox, and in nobody’s way', async t => {
  const runDir = fresh()
  await createNamed(runDir, 'web')
  await run('umount', [join(netnsFolder(runDir), 'web')])
  t.strictSame(listNamed(runDir), [])
  await createNamed(runDir, 'web')
  t.equal(listNamed(runDir).length, 1)
  await run('umount', [join(netnsFolder(runDir), 'web')])
  await removeNamed(runDir, 'web')
  t.strictSame(readdirSync(netnsFolder(runDir)), [])
})

t.test('what is planted in the way is not followed', async t => {
  mkdirSync('/run/elsewhere')
  symlinkSync('/run/elsewhere', '/run/link')
  await t.rejects(createNamed('/run/link', 'web'), { code: 'IO' })

  const runDir = fresh()
  mkdirSync(runDir)
  symlinkSync('/run/elsewhere', netnsFolder(runDir))
  await t.rejects(createNamed(runDir, 'web'), { code: 'IO' })
  t.strictSame(readdirSync('/run/elsewhere'), [])

  const another = fresh()
  mkdirSync(netnsFolder(another), { recursive: true })
  writeFileSync('/run/victim', 'as it was')
  symlinkSync('/run/victim', join(netnsFolder(another), 'web'))
  t.strictSame(listNamed(another), [])
  await createNamed(another, 'web')
  t.equal(statSync('/run/victim').size, 9)
  await removeNamed(another, 'web')

  const shared = fresh()
  mkdirSync(shared, { mode: 0o777 })
  await run('chmod', ['777', shared])
  await t.rejects(createNamed(shared, 'web'), { code: 'IO' })
})

t.test('many at once', async t => {
  const runDir = fresh()
  const names = Array.from({ length: 8 }, (_, index) => `s${index}`)
  const results = await Promise.allSettled([...names, ...names].map(name => createNamed(runDir, name)))
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, names.length)
  t.equal(listNamed(runDir).length, names.length)
  await Promise.all(names.map(name => removeNamed(runDir, name)))
  t.strictSame(listNamed(runDir), [])
})
