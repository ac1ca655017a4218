import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { findPlugin, ownName } from '../../src/cni/find-plugin.ts'

const root = t.testdir({ one: {}, two: {}, own: {} })
const at = (...path: string[]) => join(root, ...path)

function executable(...path: string[]): string {
  writeFileSync(at(...path), '#!/bin/sh\n')
  chmodSync(at(...path), 0o755)
  return at(...path)
}

t.test('the first folder that has it as an executable file', async t => {
  executable('two', 'ipam')
  mkdirSync(at('one', 'folder'))
  executable('two', 'folder')
  writeFileSync(at('one', 'plain'), '')
  chmodSync(at('one', 'plain'), 0o644)
  executable('two', 'plain')
  symlinkSync('nowhere', at('one', 'dangling'))
  executable('two', 'dangling')
  symlinkSync(at('two', 'ipam'), at('one', 'linked'))
  const folders = [at('missing'), at('one'), at('two')]
  t.equal(findPlugin('ipam', folders), at('two', 'ipam'))
  t.equal(findPlugin('folder', folders), at('two', 'folder'))
  t.equal(findPlugin('dangling', folders), at('two', 'dangling'))
  t.equal(findPlugin('linked', folders), at('one', 'linked'))
  t.equal(findPlugin('plain', folders), at('two', 'plain'))
  t.throws(() => findPlugin('plain', [at('one')]), { code: 'INTERNAL' }, 'not executable, not even for root')
})

t.test('in none of them: 999 as the reference, naming where it was looked for', async t => {
  t.throws(() => findPlugin('nope', ['/a', '/b']), {
    code: 'INTERNAL',
    message: 'failed to find plugin "nope" in path [/a /b]',
  })
})

t.test('no folders: the variable is missing', async t => {
  t.throws(() => findPlugin('ipam', []), { code: 'BAD_ENVIRONMENT', message: /\[CNI_PATH\]/ })
})

t.test('what is no plain name is refused before anything is looked for', async t => {
  for (const type of [
    '',
    '.',
    '..',
    '../ipam',
    'a/b',
    '/bin/sh',
    'a\\b',
    'a\u0000b',
    'a\nb',
    '-ipam',
    'a..b',
    '..ipam',
  ]) {
    t.throws(() => findPlugin(type, ['/a']), { code: 'BAD_CONFIG' }, JSON.stringify(type))
    t.throws(() => findPlugin(type, []), { code: 'BAD_CONFIG' }, JSON.stringify(type))
  }
})

t.test('our own executables lie in our own folder, by whatever path', async t => {
  executable('own', 'tnet')
  symlinkSync('tnet', at('own', 'host-local'))
  symlinkSync(at('own'), at('alias'))
  symlinkSync(at('own', 'host-local'), at('one', 'host-local'))
  t.equal(ownName(at('own', 'host-local'), at('own')), 'host-local')
  t.equal(ownName(at('alias', 'host-local'), at('own')), 'host-local')
  t.equal(ownName(at('own', 'host-local'), at('alias')), 'host-local')
  t.equal(ownName(at('one', 'host-local'), at('own')), 'host-local', 'a link from elsewhere')
  t.equal(ownName(at('two', 'ipam'), at('own')), undefined)
})

t.test("somebody else's executable in our own folder was taken for ours", async t => {
  executable('own', 'stranger')
  t.equal(ownName(at('own', 'stranger'), at('own')), undefined)
  t.equal(ownName(at('own', 'stranger'), at('two')), undefined, 'a folder without ours')
})
