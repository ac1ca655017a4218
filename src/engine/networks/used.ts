// What subnets this machine uses already: its routes, its nameservers, the networks that tnet keeps.
import { readFileSync } from 'node:fs'
import { errnoCode } from '../../errors.ts'
import type { Host } from '../../net/host.ts'
import { addressOf, cidr, type Cidr, formatSubnet, parseAddress, width } from '../../net/ip.ts'
import type { Used } from './pools.ts'

/** Wider routes are default routes in pieces, as a VPN sets them: 0.0.0.0/1 and 128.0.0.0/1. */
const WIDEST = 8

/** Routes and addresses, but for default routes, those that every link has, and those of the link `except`. */
export async function usedByRoutes(host: Host, except?: string): Promise<Used[]> {
  const names = new Map((await host.links.list()).map(({ index, name }) => [index, name]))
  return (await host.routes.list()).flatMap(({ destination, destinationLength, outputIndex, type }) => {
    if (destination === undefined || destinationLength < WIDEST) return []
    if (type !== 'unicast' && type !== 'local') return []
    const subnet = cidr(parseAddress(destination, 'route'), destinationLength)
    if (isEverywhere(subnet)) return []
    const link = outputIndex === undefined ? undefined : (names.get(outputIndex) ?? String(outputIndex))
    if (link !== undefined && link === except) return []
    const dev = link === undefined ? '' : ` dev ${link}`
    const what = type === 'local' ? `address ${destination}` : `route ${formatSubnet(subnet)}`
    return [{ subnet, what: `the ${what}${dev} of this host` }]
  })
}

/** Link-local and multicast prefixes of IPv6: each link has its own, whatever their numbers. */
function isEverywhere({ family, network }: Cidr): boolean {
  if (family === 4) return false
  return network.bits >> 118n === 0x3fan || network.bits >> 120n === 0xffn
}

/** What /etc/resolv.conf names: a network that took such an address would cut the host off from its nameserver. */
export function usedByNameservers(path = '/etc/resolv.conf'): Used[] {
  return [...text(path).matchAll(/^\s*nameserver\s+([^\s%]+)/gm)].flatMap(([, server = '']) => {
    const address = addressOf(server)
    if (address === undefined) return []
    return [{ subnet: cidr(address, width(address.family)), what: `the nameserver ${server} of this host` }]
  })
}

/** What tells this machine from others. */
export function machineId(): string {
  return (
    text('/etc/machine-id').trim() ||
    text('/var/lib/dbus/machine-id').trim() ||
    text('/proc/sys/kernel/hostname').trim()
  )
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(errnoCode(error) ?? '')) return ''
    throw error
  }
}
