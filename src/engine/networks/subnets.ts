// The subnets of a network as somebody asks for them: each with its gateway, range and reserved addresses.
import { TnetError, unwanted } from '../../errors.ts'
import {
  type Address,
  type Cidr,
  contains,
  equal,
  formatAddress,
  formatSubnet,
  overlap,
  parseAddress,
  parseSubnet,
  plus,
  width,
} from '../../net/ip.ts'

export interface AskedSubnets {
  readonly subnets: readonly string[]
  readonly ranges: readonly string[]
  readonly gateways: readonly string[]
  readonly auxiliary: Readonly<Record<string, string>>
}

export interface Subnet {
  readonly subnet: Cidr
  /** Where the addresses of sandboxes come from; left out: all of the subnet. */
  readonly range?: Cidr | undefined
  readonly gateway?: Address | undefined
  /** Addresses that no sandbox gets, and what they are for. */
  readonly auxiliary: Readonly<Record<string, Address>>
}

/** One for each family at most. Throws TnetError BAD_CONFIG naming the option, its value and what was wanted. */
export function parseSubnets(asked: AskedSubnets): Subnet[] {
  const subnets = asked.subnets.map(text => roomy(parseSubnet(text, '--subnet'), text))
  refuseSecond(subnets)
  const ranges = placed('--ip-range', subnets, asked.ranges, text => parseSubnet(text, '--ip-range'))
  const gateways = placed('--gateway', subnets, asked.gateways, text => parseAddress(text, '--gateway'))
  const auxiliary = Object.entries(asked.auxiliary).map(([name, text]) => {
    const address = parseAddress(text, `--aux-address ${name}`)
    return { name, address, subnet: around(`--aux-address ${name}`, subnets, address, text) }
  })
  return subnets.map(subnet => {
    const gateway = gateways.get(subnet)
    const mine = auxiliary.filter(each => each.subnet === subnet)
    refuseUnusable(subnet, gateway, '--gateway')
    for (const { name, address } of mine) {
      refuseUnusable(subnet, address, `--aux-address ${name}`)
      if (gateway !== undefined && equal(address, gateway)) {
        throw unwanted(`--aux-address ${name}`, 'an address besides the gateway', formatAddress(address))
      }
    }
    return {
      subnet,
      range: ranges.get(subnet),
      gateway,
      auxiliary: Object.fromEntries(mine.map(({ name, address }) => [name, address])),
    }
  })
}

/** The gateway that was asked for, or the first address that is nothing else. */
export function gatewayOf({ subnet, gateway, auxiliary }: Subnet): Address {
  if (gateway !== undefined) return gateway
  const reserved = Object.values(auxiliary)
  let first = plus(subnet.network, 1n)
  while (reserved.some(address => equal(address, first))) first = plus(first, 1n)
  refuseUnusable(subnet, first, '--gateway')
  return first
}

/** Room for a gateway and a sandbox, besides what no host may have. */
function roomy(subnet: Cidr, text: string): Cidr {
  const longest = width(subnet.family) - 2
  if (subnet.prefix > longest)
    throw unwanted('--subnet', `a subnet with room for sandboxes, /${longest} or larger`, text)
  return subnet
}

function refuseSecond(subnets: readonly Cidr[]): void {
  for (const [index, subnet] of subnets.entries()) {
    const other = subnets.slice(0, index).find(({ family }) => family === subnet.family)
    if (other === undefined) continue
    const both = `${formatSubnet(other)} and ${formatSubnet(subnet)}`
    throw new TnetError(
      'BAD_CONFIG',
      `--subnet: a bridge network has one subnet of IPv${subnet.family}, got ${both}`,
    )
  }
}

/** Each value by the subnet that it lies in; one for each subnet. */
function placed<T extends Address | Cidr>(
  option: string,
  subnets: readonly Cidr[],
  texts: readonly string[],
  parse: (text: string) => T,
): Map<Cidr, T> {
  const found = new Map<Cidr, T>()
  for (const text of texts) {
    const value = parse(text)
    const subnet = around(option, subnets, value, text)
    if (found.has(subnet)) {
      throw new TnetError(
        'BAD_CONFIG',
        `${option}: want one for subnet ${formatSubnet(subnet)}, ${text} is a second`,
      )
    }
    found.set(subnet, value)
  }
  return found
}

function around(option: string, subnets: readonly Cidr[], value: Address | Cidr, text: string): Cidr {
  const [first, last] = 'network' in value ? [value.network, value.last] : [value, value]
  const subnet = subnets.find(each => contains(each, first) && contains(each, last))
  if (subnet !== undefined) return subnet
  if (subnets.length === 0)
    throw new TnetError('BAD_CONFIG', `${option} ${text}: it needs the --subnet that it lies in`)
  const larger = 'network' in value && subnets.some(each => overlap(each, value))
  const why = larger ? 'it is larger than its subnet' : ''
  throw unwanted(option, `part of ${subnets.map(formatSubnet).join(' or ')}`, text, why)
}

/** The first address names the subnet, or any router of it (RFC 4291); the last of IPv4 is the broadcast address. */
function refuseUnusable(subnet: Cidr, address: Address | undefined, option: string): void {
  if (address === undefined) return
  const role = equal(address, subnet.network)
    ? 'the address of the subnet itself'
    : subnet.family === 4 && equal(address, subnet.last)
      ? 'its broadcast address'
      : undefined
  if (role !== undefined)
    throw unwanted(
      option,
      `an address of a host in ${formatSubnet(subnet)}`,
      formatAddress(address),
      `it is ${role}`,
    )
}
