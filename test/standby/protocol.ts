import fc from 'fast-check'
import t from 'tap'
import { parseCall } from '../../src/standby/protocol.ts'

function message(dev: bigint, ino: bigint, ...strings: string[]): Uint8Array {
  const numbers = Buffer.alloc(16)
  numbers.writeBigUInt64LE(dev, 0)
  numbers.writeBigUInt64LE(ino, 8)
  return Buffer.concat([numbers, ...strings.map(text => Buffer.from(`${text}\0`))])
}

t.test('a call as its launcher writes it', async t => {
  const call = parseCall(
    message(7n, 2n ** 63n, '/opt/cni/bin/bridge', 'CNI_COMMAND=ADD', 'CNI_ARGS=', 'A=b=c'),
  )
  t.strictSame(call?.runtime, { dev: 7n, ino: 2n ** 63n })
  t.equal(call?.name, '/opt/cni/bin/bridge')
  t.strictSame(Object.entries(call?.env ?? {}), [
    ['CNI_COMMAND', 'ADD'],
    ['CNI_ARGS', ''],
    ['A', 'b=c'],
  ])
})

t.test('what is no variable is left out; of two the first counts', async t => {
  const call = parseCall(message(0n, 0n, 'x', 'A=1', 'A=2', '=B', 'C', '__proto__=evil', ''))
  t.strictSame(Object.entries(call?.env ?? {}), [
    ['A', '1'],
    ['__proto__', 'evil'],
  ])
  t.equal(({} as Record<string, unknown>)['evil'], undefined)
})

t.test('what is no call', async t => {
  t.equal(parseCall(new Uint8Array()), undefined)
  t.equal(parseCall(message(1n, 1n)), undefined)
  t.equal(parseCall(message(1n, 1n, 'bridge').subarray(0, -1)), undefined)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
      const call = parseCall(bytes)
      return call === undefined || typeof call.name === 'string'
    }),
  )
})
