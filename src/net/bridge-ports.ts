// Ports of bridges and their VLANs.
import { AF_BRIDGE } from '../netlink/route/family.ts'
import {
  deleteBridgeLink,
  getBridgeLink,
  newBridgeLink,
  setBridgeLink,
  vlanInfos,
  type VlanRange,
  vlanRanges,
} from '../netlink/route/bridge-vlan.ts'
import { type NetlinkSocket, type Request, request } from '../netlink/socket.ts'

export type { VlanRange }

export interface BridgePort {
  readonly index: number
  readonly name: string
  readonly bridge: number
  readonly vlans: readonly VlanRange[]
}

export class BridgePorts {
  readonly #socket: () => NetlinkSocket

  constructor(socket: () => NetlinkSocket) {
    this.#socket = socket
  }

  /** The ports of the bridge with this index, with their VLANs. */
  async list(bridge: number): Promise<BridgePort[]> {
    const links = await this.#socket().dump(
      getBridgeLink,
      { family: AF_BRIDGE, extendedMask: new Set(['brvlan_compressed'] as const) },
      newBridgeLink,
    )
    return links
      .filter(link => link.master === bridge && link.index !== bridge)
      .map(({ index, name = '', afSpec }) => ({
        index,
        name,
        bridge,
        vlans: vlanRanges(afSpec?.vlans ?? []),
      }))
  }

  /** Adds VLANs to a port, or to the bridge itself (`self`). */
  async addVlans(index: number, ranges: readonly VlanRange[], { self = false } = {}): Promise<void> {
    await this.#socket().batch(ranges.map(range => request(setBridgeLink, vlanFields(index, range, self))))
  }

  /** Removes VLANs from a port; those that it has not are removed already. */
  async removeVlans(index: number, ranges: readonly VlanRange[], { self = false } = {}): Promise<void> {
    const requests: Request[] = ranges.map(range => request(deleteBridgeLink, vlanFields(index, range, self)))
    for (const error of await this.#socket().attempt(requests)) {
      if (error !== undefined && error.code !== 'ENOENT') throw error
    }
  }
}

function vlanFields(index: number, range: VlanRange, self: boolean) {
  const flags = self ? { flags: new Set(['self'] as const) } : {}
  return { family: AF_BRIDGE, index, afSpec: { ...flags, vlans: vlanInfos([range]) } }
}
