// Subnets for networks that name none: the first pool that nothing on this machine uses.
import { createHash } from 'node:crypto'
import { TnetError } from '../../errors.ts'
import { type Address, type Cidr, cidr, overlap, parseSubnet, plus } from '../../net/ip.ts'

/** What a subnet must stay clear of, and what to call it: `route 10.0.0.0/8 dev eth0`. */
export interface Used {
  readonly subnet: Cidr
  readonly what: string
}

/** Docker's, less the first: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/16 in pieces of /20. */
export const IPV4_POOLS: readonly Cidr[] = [
  ...pieces(parseSubnet('172.16.0.0/12', 'pool'), 16).slice(1),
  ...pieces(parseSubnet('192.168.0.0/16', 'pool'), 20),
]

/** Of the 65,536 subnets of the machine's own prefix, as many as anybody tries before giving up. */
const IPV6_POOLS = 4096

/** Throws TnetError EXHAUSTED. */
export function freeIPv4Pool(used: readonly Used[]): Cidr {
  return firstFree(
    IPV4_POOLS,
    used,
    'IPv4',
    `all ${IPV4_POOLS.length} pools of 172.17.0.0 to 172.31.255.255 and 192.168.0.0/16`,
  )
}

/** Throws TnetError EXHAUSTED. `machine` is what tells this machine from others: /etc/machine-id. */
export function freeIPv6Pool(machine: string, used: readonly Used[]): Cidr {
  const prefix = uniqueLocalPrefix(machine)
  const pools = Array.from({ length: IPV6_POOLS }, (_, index) => cidr(plus(prefix, BigInt(index) << 64n), 64))
  return firstFree(pools, used, 'IPv6', `${IPV6_POOLS} subnets of the prefix of this machine`)
}

function firstFree(pools: readonly Cidr[], used: readonly Used[], family: string, all: string): Cidr {
  const free = pools.find(pool => !used.some(({ subnet }) => overlap(subnet, pool)))
  if (free !== undefined) return free
  throw new TnetError('EXHAUSTED', `choose an ${family} subnet: ${all} are in use`, 'name one with --subnet')
}

/** A /48 of RFC 4193: fd00::/8, and 40 bits that differ from machine to machine. */
function uniqueLocalPrefix(machine: string): Address {
  const digest = createHash('sha256').update(machine).digest('hex').slice(-10)
  return { family: 6, bits: (0xfdn << 120n) | (BigInt(`0x${digest}`) << 80n) }
}

function pieces(whole: Cidr, prefix: number): Cidr[] {
  const size = 1n << BigInt(32 - prefix)
  const count = 1 << (prefix - whole.prefix)
  return Array.from({ length: count }, (_, index) => cidr(plus(whole.network, BigInt(index) * size), prefix))
}
