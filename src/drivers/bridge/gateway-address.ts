// The gateway's address on its link: given, and taken back where the attachment fails.
import { errnoCode, TnetError } from '../../errors.ts'
import type { LinkAddress } from '../../net/addresses.ts'
import type { Host } from '../../net/host.ts'
import { type Cidr, equal, overlap, parseCidr } from '../../net/ip.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { Steps } from '../../steps.ts'
import { whileUnused } from './link.ts'

export interface GatewayAddress {
  readonly bridge: Link
  /** The link that gets the address: the bridge, or that of a VLAN. */
  readonly carrier: Link
  /** CIDR. */
  readonly wanted: string
  /** CIDR. Addresses that the carrier is to have as well: they are never in the way. */
  readonly beside?: readonly string[]
  /** Other addresses go where they are in the way. */
  readonly force: boolean
  /** The port that the address is for. */
  readonly own?: string
}

/** Throws BAD_CONFIG where another address is in the way. */
export async function giveAddress(
  { bridge, carrier, wanted, beside = [], force, own }: GatewayAddress,
  host: Host,
  steps: Steps,
): Promise<void> {
  const { index, name } = carrier
  const { has, inTheWay } = standing(await host.addresses.list(index), parseCidr(wanted, 'gateway'), beside)
  const [first] = inTheWay
  if (has && first === undefined) return
  if (first !== undefined && !force) {
    throw new TnetError(
      'BAD_CONFIG',
      `give ${name} the address ${wanted}: it has ${first.cidr}`,
      `remove ${first.cidr} from ${name}, set "forceAddress": true, or use another bridge`,
    )
  }
  if (first !== undefined) {
    await steps.attempt(
      `take ${inTheWay.map(({ cidr }) => cidr).join(', ')} from ${name}`,
      () => host.addresses.take(inTheWay),
      () => host.addresses.giveBack(inTheWay),
    )
  }
  let isOurs = !has
  await steps.attempt(
    `give ${name} the address ${wanted}`,
    async () => {
      try {
        await host.addresses.add(index, wanted)
      } catch (error) {
        if (errnoCode(error) !== 'EEXIST') throw error
        isOurs = false // another process was first
      }
    },
    async () => {
      const take = () => host.addresses.remove(index, wanted)
      if (isOurs) await (inTheWay.length > 0 ? take() : whileUnused(bridge, host, take, own))
    },
  )
}

/** A link serves one subnet of IPv4, and in IPv6 several that do not overlap. What comes after the wanted one is left alone. */
function standing(
  all: readonly LinkAddress[],
  wanted: Cidr,
  beside: readonly string[],
): { readonly has: boolean; readonly inTheWay: readonly LinkAddress[] } {
  const inTheWay: LinkAddress[] = []
  for (const each of all) {
    const has = parseCidr(each.cidr, 'address')
    if (has.family !== wanted.family || each.scope === 'link') continue
    if (equal(has.address, wanted.address) && has.prefix === wanted.prefix) return { has: true, inTheWay }
    if (beside.includes(each.cidr)) continue
    if (has.family === 4 || overlap(has, wanted)) inTheWay.push(each)
  }
  return { has: false, inTheWay }
}
