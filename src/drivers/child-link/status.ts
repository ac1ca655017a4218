// Whether a network of links inside sandboxes can take one more.
import { asTnetError, errnoCode, TnetError } from '../../errors.ts'
import type { Host } from '../../net/host.ts'
import type { Network } from '../driver.ts'
import { findMaster } from './master.ts'
import type { ChildOptions } from './options.ts'
import { vlanOf } from './vlan-master.ts'

/** Of a group: no link can have it. */
const NO_ADDRESS = '01:00:00:00:00:00'

/** Throws UNAVAILABLE where the kernel lacks the kind, or the master is missing, down, or smaller than the mtu. */
export async function status({ options }: Network<ChildOptions>, host: Host): Promise<void> {
  if (!(await isKnown(options, host))) {
    throw new TnetError(
      'UNAVAILABLE',
      `${options.kind}: this kernel has no such links`,
      `load the module ${options.kind === 'vlan' ? '8021q' : options.kind}, or use a kernel that has it`,
    )
  }
  // What is in a sandbox, nobody knows before there is one.
  if (options.on === 'nothing' || options.inSandbox) return
  try {
    const vlan = vlanOf(options)
    const isThere = vlan === undefined || (await host.links.get(vlan.name)) !== undefined
    // One that is still to be made cannot be set up on a link that is down.
    await findMaster(isThere ? options : { ...options, master: vlan.lower, needsUp: true }, host)
  } catch (error) {
    const { code, message, details } = asTnetError(error)
    throw code === 'KERNEL' ? error : new TnetError('UNAVAILABLE', message, details, { cause: error })
  }
}

/** Asks for one that the kernel, if it knows the kind, has to refuse for another reason than that. */
async function isKnown({ kind }: ChildOptions, host: Host): Promise<boolean> {
  try {
    await host.links.add({ name: 'tnet-status', address: NO_ADDRESS, linkInfo: { kind, data: {} } })
  } catch (error) {
    return errnoCode(error) !== 'EOPNOTSUPP'
  }
  await host.links.remove({ name: 'tnet-status' })
  return true
}
