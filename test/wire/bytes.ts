import t from 'tap'
import { DecodeError, Reader, Writer } from '../../src/wire/bytes.ts'

t.test('a writer grows, pads and starts with zeros', t => {
  const out = new Writer(4)
  t.equal(out.reserve(3), 0)
  out.write(Uint8Array.of(1, 2, 3))
  out.align(4)
  out.align(4)
  t.same([...out.written()], [0, 0, 0, 1, 2, 3, 0, 0])
  out.reserve(1000)
  t.equal(out.written().length, 1008)
  t.same([...out.written().subarray(0, 8)], [0, 0, 0, 1, 2, 3, 0, 0], 'what was written moves along')
  out.view.setUint8(1007, 9)
  t.equal(out.bytes[1007], 9, 'the view is of the grown bytes')
  t.end()
})

t.test('a reader stays inside its bounds', t => {
  const bytes = Uint8Array.of(9, 9, 1, 2, 3, 4, 9)
  const input = new Reader(bytes, ['all'], 2, 6)
  t.equal(input.left, 4)
  const inner = input.slice(2, 'inner')
  t.equal(input.left, 2)
  t.throws(() => inner.take(3), DecodeError)
  t.same([...inner.rest()], [1, 2])
  t.equal(inner.left, 0)
  t.same([...inner.rest()], [])
  t.same([...input.slice(2).rest()], [3, 4])
  t.throws(() => input.slice(1, 'more'), DecodeError)
  t.end()
})

t.test('what is left is a copy', t => {
  const bytes = Uint8Array.of(1, 2)
  const copy = new Reader(bytes).rest()
  bytes[0] = 7
  t.same([...copy], [1, 2])
  t.end()
})

t.test('a reader of a part of a larger buffer', t => {
  const large = Uint8Array.of(0, 0, 5, 6)
  const input = new Reader(large.subarray(2))
  t.equal(input.view.getUint8(input.take(1)), 5)
  t.end()
})

t.test('errors name the path and the offset', t => {
  const input = new Reader(Uint8Array.of(0, 1, 2, 3), ['RTM_NEWLINK'])
  input.take(1)
  const inner = input.slice(3, 'linkInfo').slice(2).slice(2, 'kind')
  inner.take(1)
  const error = inner.error('odd')
  t.same(error.path, ['RTM_NEWLINK', 'linkInfo', 'kind'])
  t.equal(error.offset, 2)
  t.equal(error.name, 'DecodeError')
  t.match(error.message, 'RTM_NEWLINK.linkInfo.kind')
  t.same(new Reader(Uint8Array.of()).error('empty').path, [])
  t.end()
})

t.test('a part is entered and left', async t => {
  const input = new Reader(Uint8Array.of(1, 2, 3, 4), ['all'])
  input.take(1)
  const end = input.enter(2, 'part')
  t.equal(input.left, 2)
  t.same(input.error('').path, ['all', 'part'])
  const inner = input.slice(1, 'inner')
  t.throws(() => input.take(2), DecodeError)
  t.throws(() => input.enter(2, 'more'), DecodeError)
  input.leave(end)
  t.equal(input.offset, 3, 'what was not read is left out')
  t.same([...input.rest()], [4])
  t.same(input.path, ['all'])
  t.same(inner.path, ['all', 'part', 'inner'], 'it keeps where it was')
})
