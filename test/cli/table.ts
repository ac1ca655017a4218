import t from 'tap'
import { columns, table } from '../../src/cli/table.ts'
import { styled } from '../../src/cli/text.ts'

t.test('columns are as wide as their widest cell', async t => {
  const text = table(
    ['NAME', 'ID'],
    [
      ['front', '1'],
      ['a-long-name', '22'],
    ],
  )
  t.equal(text, 'NAME          ID\nfront         1\na-long-name   22\n')
  t.equal(table(['NAME', 'ID'], []), 'NAME   ID\n')
})

t.test('a name cannot leave its cell', async t => {
  t.equal(table(['NAME'], [['a\r\x1b[2Jb']]), 'NAME\na\\x0d\\x1b[2Jb\n')
})

t.test('colours and rows of different length do not move columns', async t => {
  const plain = columns([['A', 'B'], ['long', 'c'], ['only']])
  t.equal(plain, 'A      B\nlong   c\nonly\n')
  const bold = styled('bold', 'A')
  t.equal(columns([[bold, 'B'], ['long', 'c'], ['only']]), plain.replace('A', bold))
})
