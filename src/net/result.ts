// What an attachment came to, as every door tells it in its own words.
import type { AssignedAddress, Route } from './assignment.ts'

/** A link as the runtime is told of it. `sandbox` is the path of its namespace; left out: the host's. */
export interface Interface {
  readonly name: string
  readonly mac: string
  readonly mtu?: number | undefined
  readonly sandbox?: string | undefined
  readonly socketPath?: string | undefined
  readonly pciID?: string | undefined
}

export interface Dns {
  readonly nameservers?: readonly string[] | undefined
  readonly domain?: string | undefined
  readonly search?: readonly string[] | undefined
  readonly options?: readonly string[] | undefined
}

export interface AttachResult {
  readonly interfaces: readonly Interface[]
  /** `interface` is an index of `interfaces`. */
  readonly ips: readonly (AssignedAddress & { readonly interface?: number | undefined })[]
  readonly routes: readonly Route[]
  readonly dns: Dns
}

export const NO_RESULT: AttachResult = { interfaces: [], ips: [], routes: [], dns: {} }
