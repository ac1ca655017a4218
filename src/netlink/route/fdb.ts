// Entries of forwarding databases: neighbours of the family AF_BRIDGE, of a bridge's port or of a vxlan.
import { AF_BRIDGE } from './family.ts'
import type { NeighbourRequest } from './neighbour.ts'

export interface FdbEntry {
  /** The index of the port or vxlan. */
  readonly index: number
  readonly mac: string
  /**
   * `master`: in the database of the bridge which the link is a port of; `self`: in the link's own, as for vxlan, or
   * for the bridge's own address.
   */
  readonly database: 'master' | 'self'
  /** Left out on a bridge without VLAN filtering. */
  readonly vlan?: number | undefined
  /** The remote end of a vxlan's tunnel. */
  readonly destination?: string | undefined
  /** `permanent`: the MAC is this machine's own; `static`: reached by the link; `dynamic`: as if learned, ages. */
  readonly kind?: 'permanent' | 'static' | 'dynamic' | undefined
}

/** Bridges look at `noarp` and `permanent`; a vxlan wants `permanent` or `reachable`. */
const STATES = {
  permanent: ['noarp', 'permanent'],
  static: ['noarp', 'reachable'],
  dynamic: ['reachable'],
} as const

/** The value of an RTM_NEWNEIGH or RTM_DELNEIGH request for one entry; static, unless `kind` says otherwise. */
export function fdbEntry({
  index,
  mac,
  database,
  vlan,
  destination,
  kind = 'static',
}: FdbEntry): NeighbourRequest {
  return {
    family: AF_BRIDGE,
    index,
    state: new Set(STATES[kind]),
    flags: new Set([database]),
    linkAddress: mac,
    vlan,
    destination,
  }
}

/** The value of an RTM_GETNEIGH dump of the entries of the bridge `master`, of the port `index`, or of all. */
export function fdbQuery({
  master,
  index,
}: { master?: number | undefined; index?: number | undefined } = {}): NeighbourRequest {
  return { family: AF_BRIDGE, master, ...(index === undefined ? {} : { index }) }
}
