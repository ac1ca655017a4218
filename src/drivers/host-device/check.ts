// Holds a device in a sandbox against what ADD made of it.
import { TnetError } from '../../errors.ts'
import { markOf, marksOf } from '../../net/device-mark.ts'
import type { Interface } from '../../net/result.ts'
import type { Network, Port } from '../driver.ts'
import { programsDriver } from './find.ts'
import type { HostDeviceOptions } from './options.ts'

/** Throws CHECK_FAILED where the device is gone from the sandbox, or is there for somebody else. */
export async function check(
  { options: { selector } }: Network<HostDeviceOptions>,
  { owner, sandbox, interfaces }: Port & { readonly interfaces: readonly Interface[] },
): Promise<'no link' | void> {
  const link = await sandbox.links.get(owner.ifname)
  if (link === undefined) {
    const isLinkless = interfaces.length === 0 && selector !== undefined
    if (isLinkless && programsDriver(selector) !== undefined) return 'no link'
    throw failed(`${owner.ifname} is gone from ${sandbox.path}`)
  }
  const marks = marksOf(link)
  // What another implementation moved has no mark.
  if (marks.length > 0 && !marks.includes(markOf(owner))) {
    throw failed(`${owner.ifname} in ${sandbox.path} is a device of another attachment`)
  }
}

function failed(message: string): TnetError {
  return new TnetError('CHECK_FAILED', message, 'DEL and ADD the container again')
}
