// Puts a sandbox on a network: links, addresses, routes, and what the host needs for them. All or nothing.
import type { Driver, Network } from '../drivers/driver.ts'
import { TnetError } from '../errors.ts'
import type { Assignment, Ipam } from '../ipam/ipam.ts'
import { configureLink } from '../net/configure.ts'
import type { Host } from '../net/host.ts'
import type { Owner } from '../net/owner.ts'
import type { AttachResult } from '../net/result.ts'
import type { Sandbox } from '../net/sandbox.ts'
import type { Steps } from '../steps.ts'

export interface Attachment<C, O> {
  readonly driver: Driver<C, O>
  readonly network: Network<O>
  readonly owner: Owner
  readonly host: Host
  /** Undefined: a network of links alone, without addresses. */
  readonly ipam?: Ipam | undefined
}

export interface AttachRequest<C, O> extends Attachment<C, O> {
  readonly sandbox: Sandbox
  readonly mac?: string | undefined
  /** Addresses that the sandbox must get. */
  readonly requested?: readonly string[] | undefined
}

const NOTHING: Assignment = { ips: [], routes: [], dns: {} }

/**
 * The caller owns `steps`, and commits them once the result has been told. Throws what the driver and
 * the address management throw.
 */
export async function attach<C, O>(request: AttachRequest<C, O>, steps: Steps): Promise<AttachResult> {
  const { driver, network, owner, host, sandbox, mac } = request
  const links = await driver.attach(network, { owner, sandbox, mac }, host, steps)
  const assignment = await allocate(request, steps)
  const { ips: addresses, routes, dns } = driver.assign?.(network.options, assignment) ?? assignment
  const plan = driver.plan?.(network.options) ?? { duplicateAddressDetection: false, down: false }
  const { index } = links
  if (index !== undefined && !plan.down) {
    await steps.step(`configure ${owner.ifname} in ${sandbox.path}`, () =>
      configureLink(sandbox, { ifname: owner.ifname, index, addresses, routes, ...plan }),
    )
  }
  const more = (await links.connect?.(addresses, steps)) ?? []
  await links.ready?.()
  const position = index === undefined ? {} : { interface: links.interfaces.length - 1 }
  return {
    interfaces: [...links.interfaces, ...more],
    ips: addresses.map(address => ({ ...address, ...position })),
    routes,
    dns,
  }
}

async function allocate<C, O>(
  { ipam, owner, requested }: AttachRequest<C, O>,
  steps: Steps,
): Promise<Assignment> {
  if (ipam === undefined) return NOTHING
  const assignment = await steps.step(
    'allocate addresses',
    () => ipam.allocate(owner, requested),
    () => ipam.release(owner),
  )
  if (assignment.ips.length > 0) return assignment
  throw new TnetError(
    'BAD_CONFIG',
    'allocate addresses: the IPAM plugin gave none',
    'leave out "ipam" for a network without addresses',
  )
}
