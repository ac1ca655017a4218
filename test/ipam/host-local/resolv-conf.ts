import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseResolvConf, readResolvConf } from '../../../src/ipam/host-local/resolv-conf.ts'
import { temporary } from '../../harness/temporary.ts'

t.test('the words that are known', async t => {
  const text = `
# nameserver 1.1.1.1
; search no
nameserver 192.0.2.1
  nameserver\tfd00::53  # trailing
domain a.example
domain b.example
search one two
search three
options ndots:5 timeout:1
options rotate
sortlist 10.0.0.0
nameserver
\r
`
  t.same(parseResolvConf(text), {
    nameservers: ['192.0.2.1', 'fd00::53'],
    domain: 'b.example',
    search: ['one', 'two', 'three'],
    options: ['ndots:5', 'timeout:1', 'rotate'],
  })
  t.same(parseResolvConf(''), {})
})

t.test('a file', async t => {
  using directory = temporary()
  const path = join(directory.path, 'resolv.conf')
  t.throws(() => readResolvConf(path), { code: 'BAD_CONFIG' })
  writeFileSync(path, 'nameserver 192.0.2.1\r\n')
  t.same(readResolvConf(path), { nameservers: ['192.0.2.1'] })
  t.throws(() => readResolvConf(directory.path), { code: 'IO' })
})
