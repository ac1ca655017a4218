// Names that people give: they become names of files and of kernel objects, and words on a terminal.
import { TnetError } from '../errors.ts'

const LONGEST = 128
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/

/** `name`, fit for a file and for a CNI network. Throws TnetError BAD_CONFIG. */
export function checkedName(kind: 'network' | 'sandbox', name: string): string {
  if (name.length > LONGEST) {
    throw bad(
      kind,
      `${name.slice(0, 20)}...`,
      `it has ${name.length} characters, at most ${LONGEST} are allowed`,
    )
  }
  if (!NAME.test(name)) {
    throw bad(kind, name, 'want letters, digits, "_", "." and "-", the first of them a letter or digit')
  }
  return name
}

function bad(kind: string, name: string, why: string): TnetError {
  return new TnetError('BAD_CONFIG', `${kind} name ${JSON.stringify(name)}: ${why}`)
}

/** IFNAMSIZ with its NUL. */
const INTERFACE = 15

/** `name`, fit for a link: dev_valid_name() of net/core/dev.c. Throws TnetError BAD_CONFIG with `key`. */
export function checkedInterface(key: string, name: string): string {
  const fault = interfaceFault(name)
  if (fault === undefined) return name
  throw new TnetError('BAD_CONFIG', `${key} ${JSON.stringify(name.slice(0, 20))}: ${fault}`)
}

/** Whether a link can have the name. */
export function isInterfaceName(name: string): boolean {
  return interfaceFault(name) === undefined
}

function interfaceFault(name: string): string | undefined {
  const bytes = Buffer.byteLength(name)
  if (bytes === 0 || bytes > INTERFACE) return `it has ${bytes} bytes, want 1 to ${INTERFACE}`
  if (name !== '.' && name !== '..' && !/[/:\s\p{C}]/u.test(name)) return undefined
  return 'want no "/", ":", spaces or control characters, and not "." or ".."'
}
