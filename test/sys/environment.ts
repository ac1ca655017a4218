import t from 'tap'
import { callerEnvironment } from '../../src/sys/environment.ts'

t.test('gives back what the launcher renamed', async t => {
  const env = {
    CNI_COMMAND: 'ADD',
    PATH: '/bin',
    'CALLER.LD_PRELOAD': '/x.so',
    'CALLER.NODE_OPTIONS': '',
    gone: undefined,
  }
  t.same(callerEnvironment(env), { CNI_COMMAND: 'ADD', PATH: '/bin', LD_PRELOAD: '/x.so', NODE_OPTIONS: '' })
})

t.test('leaves out what the launcher added for the runtime, not what it renamed', async t => {
  t.same(callerEnvironment({ BUN_JSC_useJIT: '0' }), {})
  t.same(callerEnvironment({ BUN_JSC_useJIT: '0', 'CALLER.BUN_JSC_useJIT': '1' }), { BUN_JSC_useJIT: '1' })
})

t.test('names that every object has are names', async t => {
  t.same(Object.keys(callerEnvironment({ 'CALLER.__proto__': 'x', constructor: 'y' })), [
    'constructor',
    '__proto__',
  ])
})
