// Where the traffic of an interface can be held up: at the host's end of a veth pair, which the container cannot reach,
// or else at the link in the sandbox.
import type { Limit } from '../../net/traffic.ts'
import { hostEnd } from '../../net/sandbox-link.ts'
import type { Host } from '../../net/host.ts'
import type { Sandbox } from '../../net/sandbox.ts'
import type { Owner } from '../../net/owner.ts'
import type { Stack } from '../../net/stack.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { BandwidthOptions } from './options.ts'

export interface Place {
  readonly stack: Stack
  readonly link: Link
  /** The path of the sandbox that the link is in; left out: it is on the host, where it sends what the container receives. */
  readonly sandbox?: string
}

export async function placeOf(
  owner: Owner,
  inside: Link,
  { host, sandbox }: { readonly host: Host; readonly sandbox: Sandbox },
): Promise<Place> {
  const outside = await hostEnd(owner, inside, host)
  return outside === undefined
    ? { stack: sandbox, link: inside, sandbox: sandbox.path }
    : { stack: host, link: outside }
}

/** What the link may send and receive there. */
export function limitsAt(
  { link, sandbox }: Place,
  { ingress, egress }: BandwidthOptions,
): { sent: Limit | undefined; received: Limit | undefined } {
  const [sent, received] = sandbox === undefined ? [ingress, egress] : [egress, ingress]
  return { sent: sent && passing(sent, link), received: received && passing(received, link) }
}

/** An Ethernet header with a VLAN tag. */
const HEADER = 18

/** A burst that is smaller than a packet would let none pass, ever. */
function passing({ rate, burst }: Limit, { mtu = 0 }: Link): Limit {
  return { rate, burst: Math.max(burst, mtu + HEADER) }
}
