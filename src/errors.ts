// Every failure that a user sees: one class with a code, and one table that says what each door makes of a code.

/** code: [CNI error code, HTTP status, exit status of the command line] */
export const CODES = {
  INCOMPATIBLE_VERSION: [1, 400, 2],
  UNSUPPORTED: [2, 400, 2],
  UNKNOWN_CONTAINER: [3, 404, 1],
  BAD_ENVIRONMENT: [4, 400, 2],
  IO: [5, 500, 1],
  BAD_JSON: [6, 400, 2],
  BAD_CONFIG: [7, 400, 2],
  BAD_NETNS: [8, 400, 2],
  TRY_AGAIN: [11, 503, 1],
  UNAVAILABLE: [50, 503, 1],
  DEGRADED: [51, 503, 1],
  EXHAUSTED: [50, 503, 1],
  TAKEN: [7, 409, 1],
  EXISTS: [7, 409, 1],
  IN_USE: [7, 403, 1],
  NOT_FOUND: [7, 404, 1],
  CHECK_FAILED: [100, 500, 1],
  PERMISSION: [101, 403, 1],
  KERNEL: [999, 500, 1],
  INTERNAL: [999, 500, 1],
} as const satisfies Record<string, readonly [cni: number, http: number, exit: number]>

export type Code = keyof typeof CODES

/**
 * `message` names the deed, the thing and the value, in one line. `details` says what to do about it.
 * Errors of what lies below are the `cause`.
 */
export class TnetError extends Error {
  readonly code: Code
  readonly details: string

  constructor(code: Code, message: string, details = '', options?: ErrorOptions) {
    super(message, options)
    this.name = 'TnetError'
    this.code = code
    this.details = details
  }
}

/** BAD_CONFIG for a value: `mode: want one of bridge, vepa, got "brige"`. `why` says what is wrong with it. */
export function unwanted(key: string, wanted: string, got: unknown, why = ''): TnetError {
  return new TnetError(
    'BAD_CONFIG',
    `${key}: want ${wanted}, got ${shown(got)}${why === '' ? '' : `: ${why}`}`,
  )
}

function shown(value: unknown): string {
  const text =
    JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}` : each)) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 80)}...` : text
}

/** Several failures of one sweep, reported together: the first one's code, all messages. */
export function together(errors: readonly unknown[]): TnetError {
  const all = errors.map(asTnetError)
  const first = all[0] ?? new TnetError('INTERNAL', 'no error')
  if (all.length <= 1) return first
  const message = all.map(error => error.message).join('; ')
  return new TnetError(first.code, message, first.details, { cause: new AggregateError(errors) })
}

/** Any thrown value as a TnetError. System errors keep their text; permission is told apart from the rest. */
export function asTnetError(error: unknown): TnetError {
  if (error instanceof TnetError) return error
  const message = error instanceof Error ? error.message : String(error)
  const advice = adviceOf(error)
  if (advice !== undefined) return new TnetError('KERNEL', message, advice, { cause: error })
  const code = errnoCode(error)
  if (code === 'EPERM' || code === 'EACCES') {
    return new TnetError('PERMISSION', message, 'run as root, or with CAP_NET_ADMIN in the namespace', {
      cause: error,
    })
  }
  if (code === 'ENOSPC' || code === 'EROFS' || code === 'EIO' || code === 'EDQUOT') {
    return new TnetError('IO', message, 'it needs a writable file system with space left', {
      cause: error,
    })
  }
  return new TnetError(code === undefined ? 'INTERNAL' : 'KERNEL', message, '', { cause: error })
}

/** What an error of netlink says of what to do, where its errno means another thing than elsewhere. */
function adviceOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('advice' in error)) return undefined
  return typeof error.advice === 'string' ? error.advice : undefined
}

/** The errno name of a system or netlink error: 'ENOENT'. */
export function errnoCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined
}

/** Runs `deed`; what is already absent, by the errno names given, is success. */
export async function absentIsFine<T>(
  codes: readonly string[],
  deed: () => T | Promise<T>,
): Promise<T | undefined> {
  try {
    return await deed()
  } catch (error) {
    if (codes.includes(errnoCode(error) ?? '')) return undefined
    throw error
  }
}
