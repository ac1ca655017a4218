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

function expression(line: string): RegExp {
  try {
    return new RegExp(line)
  } catch (cause) {
    throw new TnetError('BAD_CONFIG', `${FILE}: ${JSON.stringify(line)} is no regular expression`, '', {
      cause,
    })
  }
}
