// The mtu of a link in a sandbox, held against what the runtime was told.
import { TnetError } from '../errors.ts'
import type { Interface } from '../net/result.ts'
import type { Link } from '../netlink/route/link.ts'

/**
 * Plugins behind in the list may have set another than the network asks for, and then tell of it. Before 1.1.0 nobody
 * tells, and any will do. Throws CHECK_FAILED.
 */
export function checkMtu({ name, mtu }: Link, interfaces: readonly Interface[]): void {
  const told = interfaces.find(each => each.name === name && each.sandbox)?.mtu
  if (!told || mtu === told) return
  throw new TnetError(
    'CHECK_FAILED',
    `${name} has the mtu ${mtu}, want ${told}`,
    'DEL and ADD the container again',
  )
}
