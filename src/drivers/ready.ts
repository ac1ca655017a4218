// Frames flow once a link is operational: waits for the kernel to say so.
import { TnetError } from '../errors.ts'
import type { Stack } from '../net/stack.ts'

/** The kernel works this off in milliseconds; more means that it never will. */
const DEADLINE = 10_000

/** `name` is a link of `stack`. Throws KERNEL. */
export async function waitUntilOperational(name: string, stack: Stack): Promise<void> {
  if ((await stack.links.get(name))?.operstate === 'up') return
  const isUp = await stack.waitForLink({
    which: { name },
    holds: link => link?.operstate === 'up',
    within: DEADLINE,
  })
  if (!isUp) {
    throw new TnetError(
      'KERNEL',
      `${name}: not up within ${DEADLINE / 1000} s`,
      'see `tnet debug veth` for the state of both ends',
    )
  }
}
