// What drivers have in common that use a namespace as it is: they tell of it, and publish no ports of it.
import { TnetError } from '../errors.ts'
import { parseCidr } from '../net/ip.ts'
import type { AttachResult } from '../net/result.ts'
import type { Stack } from '../net/stack.ts'
import type { Link } from '../netlink/route/link.ts'

/** What users write, and what their runtime asks for. */
export interface SharedConfig {
  /** How many ports are to be published. */
  readonly ports?: number | undefined
}

/** Throws BAD_CONFIG where ports are to be published: there is no address of its own to lead them to. */
export function refusePorts({ ports = 0 }: SharedConfig, mode: string): void {
  if (ports === 0) return
  throw new TnetError(
    'BAD_CONFIG',
    `conflicting options: port publishing and the ${mode} type network mode`,
    'publish no ports, or use a network of another type',
  )
}

/** Links of the namespace at `path`, with those of their addresses that it can be reached under. */
export async function toldOf(stack: Stack, path: string, links: readonly Link[]): Promise<AttachResult> {
  const interfaces = links.map(({ name = '', address = '', mtu }) => ({
    name,
    mac: address,
    mtu,
    sandbox: path,
  }))
  const found = await Promise.all(links.map(({ index }) => stack.addresses.list(index)))
  const ips = found.flatMap((addresses, position) =>
    addresses.filter(isReachable).map(({ cidr }) => ({ address: cidr, interface: position })),
  )
  return { interfaces, ips, routes: [], dns: {} }
}

function isReachable({ cidr, scope }: { readonly cidr: string; readonly scope: string | number }): boolean {
  const { family, address } = parseCidr(cidr, 'address')
  const isLoopback = family === 4 ? address.bits >> 24n === 127n : address.bits === 1n
  return !isLoopback && scope !== 'link'
}
