// Sandboxes that people name: namespaces of our own, or any other by its path or by a process in it.
import { resolve } from 'node:path'
import { findNamespaces } from '../net/namespaces.ts'
import { createNamed, findNamed, listNamed, type NamedNetns, removeNamed } from '../net/netns-names.ts'
import { openNetns } from '../net/netns.ts'
import { openSandbox } from '../net/sandbox.ts'
import { TnetError } from '../errors.ts'

export interface Place {
  readonly runDir: string
  /** What relative paths start from. */
  readonly cwd: string
}

/** The path of the namespace that `reference` means: a name, a path with `/`, or `pid:N`. Throws NOT_FOUND, BAD_CONFIG. */
export function sandboxPath({ runDir, cwd }: Place, reference: string): string {
  if (reference.startsWith('pid:')) {
    const pid = reference.slice('pid:'.length)
    if (/^[1-9][0-9]{0,9}$/.test(pid)) return `/proc/${pid}/ns/net`
    throw new TnetError(
      'BAD_CONFIG',
      `sandbox ${JSON.stringify(reference)}: want pid: and a process number, such as pid:1234`,
    )
  }
  return reference.includes('/') ? resolve(cwd, reference) : findNamed(runDir, reference).path
}

/** Makes a namespace with lo up. Throws EXISTS, BAD_CONFIG. */
export async function createSandbox(runDir: string, name: string): Promise<NamedNetns> {
  const made = await createNamed(runDir, name)
  try {
    using sandbox = openSandbox(made.path)
    await sandbox.links.up({ name: 'lo' })
    return made
  } catch (error) {
    await removeNamed(runDir, name)
    throw error
  }
}

export interface ListedSandbox extends NamedNetns {
  /** The id of its namespace. */
  readonly id: string
  readonly pids: readonly number[]
}

export async function listSandboxes(runDir: string): Promise<ListedSandbox[]> {
  const { known } = await findNamespaces()
  const pids = new Map(known.map(namespace => [namespace.id, namespace.pids]))
  return listNamed(runDir).map(named => {
    using netns = openNetns(named.path)
    return { ...named, id: netns.id, pids: pids.get(netns.id) ?? [] }
  })
}
