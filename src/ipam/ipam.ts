// What the engine asks of address management, whoever keeps the leases.

import type { AssignedAddress, Route } from '../net/assignment.ts'
import type { Attached, Owner } from '../net/owner.ts'
import type { Dns } from '../net/result.ts'

export type { AssignedAddress, Attached, Dns, Owner, Route }

export interface Assignment {
  readonly ips: readonly AssignedAddress[]
  readonly routes: readonly Route[]
  readonly dns: Dns
}

export interface Ipam {
  /**
   * Leases the addresses of `owner`. `requested` are addresses (no prefix) that it must get, each.
   * Throws TnetError EXHAUSTED, TAKEN, EXISTS (it holds a lease already), BAD_CONFIG; then nothing is leased.
   */
  allocate(owner: Owner, requested?: readonly string[]): Promise<Assignment>
  /** Gives back all that `owner` holds; holding nothing is success. */
  release(owner: Owner): Promise<void>
  /** Throws CHECK_FAILED where `owner` holds no lease. */
  check(owner: Owner): Promise<void>
  /** Gives back what on `network` is held by none of `valid`. */
  gc(network: string, valid: readonly Attached[]): Promise<void>
  /** Throws EXHAUSTED, with the count of free addresses, where the next allocate would fail. */
  status(network: string): Promise<void>
}
