// Several changes of one namespace in one system call, each with its name for the error.
import type { NetlinkError } from '../netlink/error.ts'
import type { NetlinkSocket, Request } from '../netlink/socket.ts'

export interface Change {
  /** The deed and the thing: `add address 10.1.2.3/24`. */
  readonly name: string
  readonly request: Request
  /** Errno names that are no failure of this change. */
  readonly fine?: readonly string[]
}

interface Failure {
  /** Which of the changes it was; those before it were made. */
  readonly index: number
  readonly error: NetlinkError
}

/**
 * The kernel works them off in order, and a SIGKILL cannot come between them. Answers with the first failure; the
 * changes after it were tried too.
 */
async function firstFailure(socket: NetlinkSocket, changes: readonly Change[]): Promise<Failure | undefined> {
  const errors = await socket.attempt(changes.map(({ request }) => request))
  for (const [index, { name, fine }] of changes.entries()) {
    const error = errors[index]
    if (error === undefined || fine?.includes(error.code)) continue
    error.message = `${name}: ${error.message}`
    return { index, error }
  }
  return undefined
}

/** As `firstFailure`, but throws it. */
export async function change(socket: NetlinkSocket, changes: readonly Change[]): Promise<void> {
  const failure = await firstFailure(socket, changes)
  if (failure !== undefined) throw failure.error
}

/**
 * As `change`, where the first change makes something, and `finish` answers with it: where any of that fails, `undo`
 * takes it away. Not where it was there already (EEXIST): then it is somebody else's, be it another call for the same
 * owner.
 */
export async function make<T>(
  socket: NetlinkSocket,
  changes: readonly Change[],
  { finish, undo }: { readonly finish: () => Promise<T>; readonly undo: () => Promise<void> },
): Promise<T> {
  let failure: Failure | undefined
  try {
    failure = await firstFailure(socket, changes)
    if (failure === undefined) return await finish()
  } catch (error) {
    await undo() // also where the answer was lost, and nobody knows what was made
    throw error
  }
  if (failure.index > 0 || failure.error.code !== 'EEXIST') await undo()
  throw failure.error
}
