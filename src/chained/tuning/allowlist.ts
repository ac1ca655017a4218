// Which parameters the administrator of this machine lets networks set.
import { TnetError } from '../../errors.ts'
import { ifPresent, letGo, readStart } from '../../sys/files.ts'
import { O_RDONLY, open } from '../../sys/syscalls.ts'
import type { Parameter } from './options.ts'

const FILE = '/etc/cni/tuning/allowlist.conf'
const LIMIT = 1 << 20

/** Each line of the file is an expression that a key may match; without the file all may be set. Throws BAD_CONFIG. */
export function requireAllowed(parameters: readonly Parameter[]): void {
  if (parameters.length === 0) return
  const text = ifPresent(() => contents(FILE))
  if (text === undefined) return
  const allowed = text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
    .map(expression)
  for (const { key } of parameters) {
    if (allowed.some(each => each.test(key))) continue
    throw new TnetError(
      'BAD_CONFIG',
      `sysctl ${JSON.stringify(key)}: not allowed on this machine`,
      `see ${FILE}`,
    )
  }
}

function contents(path: string): string {
  const fd = open(path, O_RDONLY, 0)
  try {
    return readStart(fd, LIMIT)
  } finally {
    letGo(fd)
  }
}

/** What means something in Go, where the reference reads the file, and something else here. */
const OF_GO = /\\[AzQEpPCa]|\[:\^?\w+:\]/

function expression(line: string): RegExp {
  const [foreign] = OF_GO.exec(line) ?? []
  if (foreign !== undefined) throw unreadable(line, `${foreign} is none of JavaScript's`)
  try {
    return new RegExp(line)
  } catch (error) {
    throw unreadable(line, (error as SyntaxError).message)
  }
}

function unreadable(line: string, why: string): TnetError {
  return new TnetError('BAD_CONFIG', `${FILE}: ${JSON.stringify(line)} is no regular expression: ${why}`)
}
