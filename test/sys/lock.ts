import { closeSync, openSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { lock, takeLock } from '../../src/sys/lock.ts'
import { temporary } from '../harness/temporary.ts'

t.test('one holder at a time, whoever waits gets it next', async t => {
  using directory = temporary()
  const path = join(directory.path, 'lock')
  const order: string[] = []
  const first = await lock(path)
  const second = lock(path).then(held => {
    order.push('second')
    held[Symbol.dispose]()
  })
  await new Promise(resolve => setTimeout(resolve, 30))
  order.push('first')
  first[Symbol.dispose]()
  await second
  t.same(order, ['first', 'second'])
})

t.test('waits no longer than it is told to', async t => {
  using directory = temporary()
  const path = join(directory.path, 'lock')
  using _ = await lock(path)
  await t.rejects(lock(path, { patience: 50 }), { code: 'TRY_AGAIN', message: path })
})

t.test('a directory can be locked, a symbolic link cannot', async t => {
  using directory = temporary()
  const fd = openSync(directory.path, 'r')
  await takeLock(fd, directory.path)
  const other = openSync(directory.path, 'r')
  await t.rejects(takeLock(other, directory.path, 0), { code: 'TRY_AGAIN' })
  closeSync(fd)
  await takeLock(other, directory.path, 0)
  closeSync(other)
  symlinkSync('elsewhere', join(directory.path, 'link'))
  await t.rejects(lock(join(directory.path, 'link')), { code: 'ELOOP' })
})
