import t from 'tap'
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { ownFolder } from '../../src/sys/own-folder.ts'
import { temporary } from '../harness/temporary.ts'

t.test('makes what is missing, and takes what is ours', async t => {
  using folder = temporary()
  const path = `${folder.path}/a/b`
  t.equal(ownFolder(path), path)
  t.equal(ownFolder(path), path)
  t.equal(statSync(path).mode & 0o022, 0)
})

t.test('refuses what another may have planted', async t => {
  using folder = temporary()
  const at = (name: string) => `${folder.path}/${name}`
  mkdirSync(at('real'))
  symlinkSync(at('real'), at('link'))
  symlinkSync(at('nowhere'), at('dangling'))
  mkdirSync(at('shared'))
  chmodSync(at('shared'), 0o757)
  mkdirSync(at('group'))
  chmodSync(at('group'), 0o775)
  for (const name of ['link', 'shared', 'group']) t.throws(() => ownFolder(at(name)), { code: 'IO' }, name)
  writeFileSync(at('file'), '')
  for (const name of ['file', 'dangling']) t.throws(() => ownFolder(at(name)), name)
})
