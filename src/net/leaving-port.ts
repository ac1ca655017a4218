// A port that is about to go, and what tells its link from another container's: a path may lead to that one's by now.
import { formatCidr, parseCidr } from './ip.ts'
import type { Owner } from './owner.ts'
import type { Sandbox } from './sandbox.ts'

/** Its sandbox may be gone; what ADD told of it may be unknown. */
export interface LeavingPort {
  readonly owner: Owner
  readonly sandbox: Sandbox | undefined
  /** With their subnets. */
  readonly addresses: readonly string[] | undefined
  /** Of the link in the sandbox. */
  readonly mac?: string | undefined
}

/** Whether the link has any of the addresses `told`, with its prefix, or none at all but the kernel's own. */
export async function addressesAre(
  told: readonly string[],
  sandbox: Sandbox,
  index: number,
): Promise<'told' | 'others' | 'none'> {
  const has = (await sandbox.addresses.list(index)).filter(({ scope }) => scope !== 'link')
  if (has.length === 0) return 'none'
  const wanted = new Set(told.map(cidr => formatCidr(parseCidr(cidr, 'address'))))
  return has.some(({ cidr }) => wanted.has(cidr)) ? 'told' : 'others'
}
