// Whom a firewall of the host lets through, and from where it may be reached: what every kind of firewall is asked for.
import type { Attached, Owner } from './owner.ts'

export type IngressPolicy = 'same-bridge' | 'isolated'

/** The bridge that a container is a port of. */
export interface Isolation {
  /** `same-bridge`: nothing from other such bridges reaches it; `isolated`: nor from its own one. */
  readonly policy: IngressPolicy
  readonly bridge: string
  /** The host's end. */
  readonly port: string
}

export interface Admission {
  readonly owner: Owner
  /** Addresses of the container, with the lengths of their prefixes. */
  readonly addresses: readonly string[]
  readonly isolation: Isolation | undefined
}

/** A kind of firewall. Each method may be repeated; each change is made as a whole. */
export interface Gate {
  /** Takes the place of what stands for these addresses, and of what the owner had. */
  admit(admission: Admission): Promise<void>
  /** Removes what is the owner's; and of what nobody's name is on, what is for these addresses. */
  dismiss(owner: Owner, addresses: readonly string[]): Promise<void>
  /** Throws CHECK_FAILED. */
  check(admission: Admission): Promise<void>
  /** Removes what on this network belongs to none of `valid`. */
  gc(network: string, valid: readonly Attached[]): Promise<void>
  /** Tells what people have to know; throws UNAVAILABLE where it cannot be used. */
}
