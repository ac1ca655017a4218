// Holds what ADD made for a sandbox beside the host against what is there.
import { TnetError } from '../../errors.ts'
import type { AssignedAddress } from '../../net/assignment.ts'
import { forwards } from '../../net/forwarding.ts'
import type { Host } from '../../net/host.ts'
import { formatSubnet, parseCidr, width } from '../../net/ip.ts'
import { ownerTag } from '../../net/owner.ts'
import type { Sandbox } from '../../net/sandbox.ts'
import type { Stack } from '../../net/stack.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { Network, Port } from '../driver.ts'
import { familiesOf } from '../routing.ts'
import { checkPair } from '../veth-pair.ts'
import { hostRoutes, type PtpOptions } from './ptp.ts'

type Checked = Port & { readonly addresses: readonly AssignedAddress[] }

/** Throws CHECK_FAILED naming the first thing that is missing or changed. */
export async function check({ options }: Network<PtpOptions>, port: Checked, host: Host): Promise<void> {
  const { owner, sandbox, addresses } = port
  const { inside, outside } = await checkPair(owner, sandbox, host)
  if (options.mtu !== undefined && outside.mtu !== options.mtu) {
    throw failed(`${outside.name} has the mtu ${outside.mtu}, want ${options.mtu}`)
  }
  await checkHost(outside, addresses, host)
  await checkSandbox(inside, addresses, sandbox)
  // What another implementation made has its rules elsewhere.
  if (options.masquerade && outside.alias === ownerTag(owner)) {
    await (await host.firewall()).checkMasquerade(owner, addresses)
  }
}

async function checkHost(outside: Link, addresses: readonly AssignedAddress[], host: Host): Promise<void> {
  const has = new Set((await host.addresses.list(outside.index)).map(({ cidr }) => cidr))
  const routes = await destinations(outside, host)
  for (const { gateway, dst } of hostRoutes(addresses)) {
    if (!has.has(gateway)) throw failed(`${outside.name} lacks the gateway address ${gateway}`)
    if (!routes.has(dst)) throw failed(`the route to ${dst} by ${outside.name} is gone`)
  }
  for (const family of familiesOf(addresses)) {
    if (!(await forwards(family, host))) throw failed(`the host does not forward IPv${family}`)
  }
}

async function checkSandbox(
  inside: Link,
  addresses: readonly AssignedAddress[],
  sandbox: Sandbox,
): Promise<void> {
  const routes = await destinations(inside, sandbox)
  for (const { address, gateway } of addresses) {
    const subnet = parseCidr(address, 'address')
    const length = width(subnet.family)
    const wanted = [`${gateway}/${length}`, ...(subnet.prefix === length ? [] : [formatSubnet(subnet)])]
    const missing = wanted.find(dst => !routes.has(dst))
    if (missing !== undefined) throw failed(`the route to ${missing} is gone from ${sandbox.path}`)
  }
}

async function destinations({ index }: Link, { routes }: Stack): Promise<Set<string>> {
  return new Set((await routes.by(index)).map(({ dst }) => dst))
}

function failed(message: string): TnetError {
  return new TnetError('CHECK_FAILED', message, 'DEL and ADD the container again')
}
