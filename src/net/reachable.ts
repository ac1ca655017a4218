// Every namespace of this host and its containers that this process may enter, one after the other.
import { errnoCode, TnetError } from '../errors.ts'
import { type KnownNamespace, ownNamespaces } from './namespaces.ts'
import { type Netns, openNetns } from './netns.ts'
import { Sandbox } from './sandbox.ts'

/** All but its own. What ends while it is looked at is left out. Throws what `deed` throws. */
export async function reachableSandboxes(deed: (sandbox: Sandbox) => Promise<void>): Promise<void> {
  for (const namespace of await ownNamespaces()) {
    const netns = namespace.own ? undefined : openKnown(namespace)
    if (netns === undefined) continue
    using sandbox = new Sandbox(netns)
    await deed(sandbox)
  }
}

/** Opens a namespace that was found a moment ago; undefined where it has ended since. */
export function openKnown({ id, mounts, pids }: KnownNamespace): Netns | undefined {
  for (const path of [...mounts, ...pids.map(pid => `/proc/${pid}/ns/net`)]) {
    const netns = openIfThere(path)
    if (netns?.id === id) return netns
    netns?.[Symbol.dispose]() // the process, and with it the path, is another's by now
  }
  return undefined
}

/** A mount may stand in a folder that is not for this process to enter. */
function openIfThere(path: string): Netns | undefined {
  try {
    return openNetns(path)
  } catch (error) {
    const isGone = error instanceof TnetError && error.code === 'BAD_NETNS'
    if (isGone || errnoCode(error) === 'EACCES') return undefined
    throw error
  }
}
