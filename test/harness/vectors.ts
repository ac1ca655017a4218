// Golden vectors: what a real tool said to the kernel, as text files that begin with how they were captured.
//
//   # nft add table inet t            the command
//   # nftables v1.0.6                 the tool
//   # Linux 6.18.44                   the kernel
//   # after: ...                      what was run before, if anything
//   14000000...                       a datagram in hexadecimal; an empty line parts it from the next
import { readFileSync } from 'node:fs'

export interface Vector {
  readonly command: string
  readonly tool: string
  readonly kernel: string
  readonly datagrams: readonly Uint8Array[]
}

export function readVector(file: string): Vector {
  const lines = readFileSync(file, 'utf8').split('\n')
  const [command = '', tool = '', kernel = ''] = lines.filter(isRemark).map(line => line.slice(2))
  const hex = lines.filter(line => !isRemark(line)).join('\n')
  const datagrams = hex
    .split('\n\n')
    .map(block => block.replaceAll(/\s/g, ''))
    .filter(block => block !== '')
    .map(block => new Uint8Array(Buffer.from(block, 'hex')))
  return { command, tool, kernel, datagrams }
}

function isRemark(line: string): boolean {
  return line.startsWith('# ')
}
