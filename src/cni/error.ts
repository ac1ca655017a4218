// Errors as a runtime reads them: JSON on standard output.
import { asTnetError, CODES, TnetError } from '../errors.ts'
import { print, printable } from './print.ts'
import type { Version } from './version.ts'

/** What another plugin answered, to be passed on as it is. */
export class RelayedError extends TnetError {
  /** The CNI code of the other plugin. */
  readonly cni: number

  constructor(cni: number, message: string, details = '') {
    super('INTERNAL', message, details)
    this.cni = cni
  }
}

/** `version` is that of the request, once it is known. */
export function errorText(error: unknown, version: Version | undefined): string {
  const { message, details, code } = asTnetError(error)
  return print({
    cniVersion: version,
    code: relayed(error)?.cni ?? CODES[code][0],
    msg: printable(message),
    details: details === '' ? undefined : printable(details),
  })
}

/** Steps wrap what happens inside them; the number of a relayed error must survive that. */
function relayed(error: unknown): RelayedError | undefined {
  let inner = error
  for (let depth = 0; depth < 16 && inner instanceof Error; depth++) {
    if (inner instanceof RelayedError) return inner
    inner = inner instanceof AggregateError && inner.errors.length > 0 ? inner.errors[0] : inner.cause
  }
  return undefined
}
