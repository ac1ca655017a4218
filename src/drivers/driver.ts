// What a network driver is. The engine calls it; it calls the verbs of src/net and knows no protocol.
import type { Assignment } from '../ipam/ipam.ts'
import type { AssignedAddress } from '../net/assignment.ts'
import type { Host } from '../net/host.ts'
import type { Attached, Owner } from '../net/owner.ts'
import type { LeavingPort } from '../net/leaving-port.ts'
import type { AttachResult, Interface } from '../net/result.ts'
import type { Sandbox } from '../net/sandbox.ts'
import type { Log, Steps } from '../steps.ts'

export interface Network<O> {
  readonly name: string
  /** What the driver's `parse` made of the configuration. */
  readonly options: O
}

/** One interface of one sandbox on one network, about to be made or looked at. */
export interface Port {
  readonly owner: Owner
  readonly sandbox: Sandbox
  readonly mac?: string | undefined
}

/** How the link in the sandbox is to be set up once it has addresses. */
export interface LinkPlan {
  /** IPv6 addresses are used only after duplicate address detection. */
  readonly duplicateAddressDetection: boolean
  /** The link stays down and gets no addresses. */
  readonly down: boolean
  /** Its other end is the gateway: everything goes there, its own subnet too. */
  readonly pointToPoint?: boolean
}

/** Links that a driver has made. */
export interface Links {
  /** As the runtime is told of them, the one in the sandbox last. */
  readonly interfaces: readonly Interface[]
  /** The index of the link in the sandbox; undefined where there is none: a program drives the device. */
  readonly index: number | undefined
  /** Makes what the host needs for the addresses: gateways, forwarding, masquerade. Answers with further interfaces. */
  connect?(addresses: readonly AssignedAddress[], steps: Steps): Promise<Interface[]>
  /** Waits until frames flow. */
  ready?(): Promise<void>
}

export interface Driver<C, O> {
  readonly name: string
  /** Typed options, or BAD_CONFIG naming key, value and what was wanted. Nothing downstream checks again. */
  parse(config: C): O
  /** As `parse`, for DEL and GC: what is wrong is left out, so that what an earlier configuration made can go. */
  parseLeaving(config: C): O
  /** Makes the links. Throws EXISTS where the sandbox has one of that name. */
  attach(network: Network<O>, port: Port, host: Host, steps: Steps): Promise<Links>
  /** What the addresses become on this network: gateways and default routes. */
  assign?(options: O, assignment: Assignment): Assignment
  plan?(options: O): LinkPlan
  /** Removes all that attach and connect made for the port; what is absent is success. */
  detach(network: Network<O>, port: LeavingPort, host: Host, warn: Log): Promise<void>
  /**
   * Throws CHECK_FAILED where something that attach or connect made is missing or changed. Answers `no link` where all is
   * as it should be, and the sandbox has none.
   */
  check?(
    network: Network<O>,
    port: Port & {
      readonly addresses: readonly AssignedAddress[]
      readonly interfaces: readonly Interface[]
    },
    host: Host,
  ): Promise<'no link' | void>
  /** Removes what on this network belongs to none of `valid`. */
  gc?(network: Network<O>, valid: readonly Attached[], host: Host, warn: Log): Promise<void>
  /** Throws UNAVAILABLE where the next attach would fail. */
  status?(network: Network<O>, host: Host, warn: Log): Promise<void>
}

/** A sandbox, and what was made for it so far: in CHECK all that was. */
export interface LinkedPort {
  readonly owner: Owner
  readonly sandbox: Sandbox
  readonly result: AttachResult
}

/** One that is about to go. Its sandbox may be gone or another container's, its result unknown. */
export interface LeavingLinkedPort {
  readonly owner: Owner
  readonly sandbox: Sandbox | undefined
  readonly result: AttachResult | undefined
}

/** What makes no link of its own: it adjusts those that are there, adds to what the host does for them, or only tells of them. */
export interface Linkless<C, O> {
  readonly name: string
  /** As a driver's. */
  parse(config: C): O
  parseLeaving(config: C): O
  /** Answers with the result as it is now. What it changes, it changes in steps. */
  attach(network: Network<O>, port: LinkedPort, host: Host, steps: Steps): Promise<AttachResult>
  /** Removes all that attach made for the port; what is absent is success. */
  detach(network: Network<O>, port: LeavingLinkedPort, host: Host): Promise<void>
  /** Throws CHECK_FAILED where something that attach made is missing or changed. */
  check(network: Network<O>, port: LinkedPort, host: Host): Promise<void>
  /** Removes what on this network belongs to none of `valid`. */
  gc?(network: Network<O>, valid: readonly Attached[], host: Host): Promise<void>
  /** Throws UNAVAILABLE where the next attach would fail; tells people what is not quite as they may think. */
  status?(network: Network<O>, host: Host, warn: Log): Promise<void>
}
