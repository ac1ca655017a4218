// The ranges of a network that tnet keeps.
import { unwanted } from '../../errors.ts'
import { compare, contains, formatAddress, parseAddress, parseSubnet } from '../../net/ip.ts'
import type { NetworkRecord, SubnetRecord } from '../../store/schema.ts'
import { hosts, type Pools, pools, type Range } from '../ranges.ts'

/**
 * A set for each family: a container gets one address of each, from the first of its subnets with room. Throws
 * BAD_CONFIG for a record that is none.
 */
export function networkPools({ name, ipam: { subnets } }: NetworkRecord): Pools {
  const ranges = subnets.map((record, i) => subnetRange(record, `network ${name}: ipam.subnets[${i}]`))
  const sets = [4, 6].map(family => ranges.filter(range => range.subnet.family === family))
  const { reserved, ...rest } = pools(sets.filter(set => set.length > 0))
  const all = new Map(reserved)
  for (const [i, { aux }] of subnets.entries()) {
    for (const [host, text] of Object.entries(aux ?? {})) {
      const address = parseAddress(text, `network ${name}: ipam.subnets[${i}].aux.${host}`)
      all.set(formatAddress(address), `the auxiliary address ${host}`)
    }
  }
  return { ...rest, reserved: all }
}

/** Without --ip-range the whole subnet; with it, what is outside is had by asking for it. */
function subnetRange({ subnet: text, gateway, ipRange }: SubnetRecord, key: string): Range {
  const subnet = parseSubnet(text, `${key}.subnet`)
  const { first, last } = hosts(subnet)
  const whole = {
    subnet,
    start: first,
    end: last,
    gateway: gateway === undefined ? undefined : parseAddress(gateway, `${key}.gateway`),
  }
  if (ipRange === undefined) return whole
  const inner = parseSubnet(ipRange, `${key}.ipRange`)
  if (!contains(subnet, inner.network) || !contains(subnet, inner.last)) {
    throw unwanted(`${key}.ipRange`, `a part of ${text}`, ipRange)
  }
  const start = compare(inner.network, first) < 0 ? first : inner.network
  const end = compare(inner.last, last) > 0 ? last : inner.last
  return { ...whole, start, end, onRequest: { start: first, end: last } }
}
