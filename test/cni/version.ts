import t from 'tap'
import { atLeast, negotiate, VERSIONS, versionAnswer } from '../../src/cni/version.ts'

t.test('each version by its exact name, none as the oldest', async t => {
  for (const version of VERSIONS) t.equal(negotiate(version, VERSIONS, 'ADD'), version)
  t.equal(negotiate('', VERSIONS, 'ADD'), '0.1.0')
  for (const said of ['1.0', '1', 'v1.0.0', '1.0.0 ', '9.9.9', '0.4', '1.1.1', 'constructor']) {
    t.throws(() => negotiate(said, VERSIONS, 'ADD'), { code: 'INCOMPATIBLE_VERSION' }, said)
  }
})

t.test('the details that runtimes show', async t => {
  t.throws(() => negotiate('9.9.9', ['0.4.0', '1.0.0'], 'ADD'), {
    message: 'incompatible CNI versions',
    details: 'config is "9.9.9", plugin supports ["0.4.0" "1.0.0"]',
  })
  t.throws(() => negotiate('', ['0.4.0'], 'ADD'), {
    code: 'INCOMPATIBLE_VERSION',
    details: 'config is "0.1.0", plugin supports ["0.4.0"]',
  })
})

t.test('a plugin may support less', async t => {
  t.throws(() => negotiate('0.3.1', ['0.4.0', '1.0.0'], 'ADD'), { code: 'INCOMPATIBLE_VERSION' })
})

t.test('verbs and the version that each needs', async t => {
  const since = { ADD: '0.1.0', DEL: '0.1.0', CHECK: '0.4.0', GC: '1.1.0', STATUS: '1.1.0' } as const
  for (const [command, first] of Object.entries(since) as [keyof typeof since, (typeof VERSIONS)[number]][]) {
    for (const version of VERSIONS) {
      const call = () => negotiate(version, VERSIONS, command)
      if (atLeast(version, first)) t.equal(call(), version, `${command} ${version}`)
      else t.throws(call, { code: 'INCOMPATIBLE_VERSION' }, `${command} ${version}`)
    }
  }
})

t.test('what VERSION prints', async t => {
  t.equal(
    versionAnswer(VERSIONS),
    '{"cniVersion":"1.1.0","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}\n',
  )
})
