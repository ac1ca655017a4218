// Removes what belongs to no attachment any more, and says whether the next one would succeed.
import type { Attached } from '../net/owner.ts'
import { type Log, sweep } from '../steps.ts'
import type { Attachment } from './attach.ts'

type Target<C, O> = Omit<Attachment<C, O>, 'owner'>

export async function gc<C, O>(
  target: Target<C, O>,
  valid: readonly Attached[],
  warn: Log = () => {},
): Promise<void> {
  const { driver, network, host, ipam } = target
  await sweep([() => driver.gc?.(network, valid, host, warn), () => ipam?.gc(network.name, valid)])
}

/** Throws UNAVAILABLE or EXHAUSTED where the next attach would fail; warns where it would succeed and be of little use. */
export async function status<C, O>({ driver, network, host, ipam }: Target<C, O>, warn: Log): Promise<void> {
  await driver.status?.(network, host, warn)
  await ipam?.status(network.name)
}
