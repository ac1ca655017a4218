import t from 'tap'
import { MAX_CONFIG_BYTES, readConfig } from '../../src/cni/stdin.ts'

const reading = (bytes: Uint8Array) => async (limit: number) => bytes.subarray(0, limit)
const text = (value: string) => reading(new TextEncoder().encode(value))

t.test('the bytes are kept as they came', async t => {
  const { stdin, raw } = await readConfig(text(' {"name" : "a"}\n'))
  t.equal(new TextDecoder().decode(stdin), ' {"name" : "a"}\n')
  t.match(raw, { name: 'a' })
})

t.test('at most 1 MiB', async t => {
  const padded = (size: number) => text(`{"name":"a"}${' '.repeat(size - 12)}`)
  t.ok(await readConfig(padded(MAX_CONFIG_BYTES)))
  await t.rejects(readConfig(padded(MAX_CONFIG_BYTES + 1)), { code: 'BAD_JSON' })
  let asked = 0
  const endless = async (limit: number) => {
    asked += limit
    return new Uint8Array(limit).fill(32)
  }
  await t.rejects(readConfig(endless), { code: 'BAD_JSON' })
  t.equal(asked, MAX_CONFIG_BYTES + 1, 'an endless input is not read to its end')
})

t.test('only an object is a configuration', async t => {
  for (const value of ['', 'null', '[]', '"a"', '5', 'true', '\ufeff{"name":"a"}']) {
    await t.rejects(readConfig(text(value)), { code: 'BAD_JSON' }, value)
  }
})

t.test('bytes that are not UTF-8 do not hide what surrounds them', async t => {
  const { raw } = await readConfig(
    reading(Uint8Array.from([...'{"name":"a'].map(c => c.charCodeAt(0)).concat(0xff, 0x22, 0x7d))),
  )
  t.equal(raw['name'], 'a\ufffd')
})

t.test('a failed read is an error of its own', async t => {
  const failing = () => Promise.reject(Object.assign(new Error('EISDIR: is a directory'), { code: 'EISDIR' }))
  await t.rejects(readConfig(failing), { code: 'IO' })
})
