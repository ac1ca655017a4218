import { basename, dirname, normalize } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { cleaned, nameOf, parentOf } from '../../src/sys/path.ts'

const part = fc.constantFrom('', '.', '..', 'a', 'b.c', '...', 'ü')
const absolute = fc.array(part, { minLength: 1 }).map(parts => `/${parts.join('/')}`)

t.test('as node:path has it, but for a trailing slash', async t => {
  fc.assert(
    fc.property(absolute, path => {
      const clean = cleaned(path)
      t.equal(clean, normalize(`${path}/.`).replace(/(.)\/$/, '$1'), path)
      t.equal(nameOf(clean), basename(clean))
      t.equal(parentOf(clean), dirname(clean))
    }),
  )
  t.equal(nameOf('bridge'), 'bridge')
})
