// The vocabulary of an attachment: what a link in a sandbox is given.

/** An address of a container. */
export interface AssignedAddress {
  /** CIDR, with the prefix length of the subnet: `10.1.2.3/24`. */
  readonly address: string
  readonly gateway?: string | undefined
}

export interface Route {
  /** CIDR. */
  readonly dst: string
  readonly gw?: string | undefined
  readonly mtu?: number | undefined
  readonly advmss?: number | undefined
  readonly priority?: number | undefined
  readonly table?: number | undefined
  /** RT_SCOPE_*: 0 universe, 253 link. */
  readonly scope?: number | undefined
}
