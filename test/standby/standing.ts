import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { standing } from '../../src/standby/standing.ts'
import { isolated, lacks } from '../harness/namespaces.ts'

isolated(import.meta)

/** A process that `before` starts. */
async function started(...before: string[]): Promise<{ pid: number; end(): Promise<unknown> }> {
  const child = spawn(before[0] ?? '', [...before.slice(1), 'sh', '-c', 'echo ready; read end'])
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  return { pid: child.pid ?? 0, end: () => (child.stdin.end(), ended) }
}

t.test('a process that could do the same', async t => {
  const child = await started('env')
  t.equal(standing(child.pid), standing('self'))
  t.match(
    standing('self'),
    /^net:\[\d+\]\nmnt:\[\d+\]\nuser:\[\d+\]\n\/\nUmask:\t0022\nUid:.*\nGid:.*\nCapEff:.*\nNoNewPrivs:\t0\nSeccomp:\t\d\nSeccomp_filters:\t\d+$/,
  )
  await child.end()
  t.equal(standing(child.pid), undefined)
})

for (const before of [
  ['unshare', '--net'],
  ['unshare', '--mount'],
  ['unshare', '--user', '--map-root-user'],
  ['setpriv', '--no-new-privs'],
  ['setpriv', '--bounding-set', '-net_admin', '--inh-caps', '-net_admin'],
  ['sh', '-c', 'umask 077; exec "$@"', 'sh'],
]) {
  const skip = before.includes('--user') && lacks('user namespace')
  t.test(`one that could not: ${before.join(' ')}`, { skip }, async t => {
    const child = await started(...before)
    t.type(standing(child.pid), 'string')
    t.not(standing(child.pid), standing('self'))
    await child.end()
  })
}
