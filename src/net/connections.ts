// What the kernel remembers of connections: as long as packets come, an old one goes where it went at its first packet.
import {
  type Connection,
  deleteConnection,
  getConnection,
  newConnection,
} from '../netlink/conntrack/connection.ts'
import { type NetlinkSocket, request } from '../netlink/socket.ts'
import { errnoCode } from '../errors.ts'
import type { Addresses } from './addresses.ts'
import { type Address, type Family, formatAddress } from './ip.ts'
import type { Transport } from './mapping.ts'

/** Connections to a port of this machine. */
export interface HostPort {
  readonly family: Family
  readonly protocol: Transport
  readonly hostPort: number
  /** Undefined: of all its addresses. */
  readonly hostIp: Address | undefined
}

const FAMILIES = { 4: 'ip', 6: 'ip6' } as const
const BY_PROTOCOL = new Set(['number'] as const)
const BY_PORT = new Set(['number', 'destinationPort'] as const)

export class Connections {
  readonly #socket: NetlinkSocket
  readonly #addresses: Addresses

  constructor(socket: NetlinkSocket, addresses: Addresses) {
    this.#socket = socket
    this.#addresses = addresses
  }

  /**
   * Forgets the connections to these ports of this machine, and none that are in transit through it: the next packet
   * goes where it goes now. A kernel that does not tell of connections keeps them.
   */
  async forget(ports: readonly HostPort[]): Promise<void> {
    const groups = Map.groupBy(ports, ({ family, protocol }) => `${family} ${protocol}`)
    const found: Connection[] = []
    for (const group of groups.values()) found.push(...(await this.#list(group)))
    if (found.length === 0) return
    const local = new Set(await this.#addresses.all())
    const stale = found.filter(connection => ports.some(port => isTo(connection, port, local)))
    const errors = await this.#socket.attempt(
      stale.map(({ family, original, id, zone }) =>
        request(deleteConnection, { family, original, id, zone }),
      ),
    )
    for (const error of errors) if (error !== undefined && error.code !== 'ENOENT') throw error
  }

  /** Those of one family and protocol; of one port, where it is one. The kernel walks through all it has each time. */
  async #list(ports: readonly HostPort[]): Promise<Connection[]> {
    const [first, ...more] = ports
    if (first === undefined) return []
    const { family, protocol: number, hostPort } = first
    const protocol = more.length === 0 ? { number, destinationPort: hostPort } : { number }
    const filter = { original: more.length === 0 ? BY_PORT : BY_PROTOCOL }
    const value = { family: FAMILIES[family], original: { protocol }, filter }
    try {
      return await this.#socket.dump(getConnection, value, newConnection, { torn: true })
    } catch (error) {
      if (['EOPNOTSUPP', 'EINVAL'].includes(errnoCode(error) ?? '')) return []
      throw error
    }
  }
}

function isTo({ original }: Connection, port: HostPort, local: ReadonlySet<string>): boolean {
  const { ip, protocol } = original ?? {}
  const address = port.family === 4 ? ip?.ipDestination : ip?.ip6Destination
  if (address === undefined || protocol?.number !== port.protocol) return false
  if (protocol.destinationPort !== port.hostPort) return false
  if (port.hostIp !== undefined) return address === formatAddress(port.hostIp)
  return local.has(address) || address.startsWith('127.')
}
