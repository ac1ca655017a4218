// Whether both limits are as the configuration has them, and what is received really passes through its limit.
import { TnetError } from '../../errors.ts'
import type { Owner } from '../../net/owner.ts'
import { hasLimit, type Limit, Traffic } from '../../net/traffic.ts'
import { findIfb } from './ifb.ts'
import type { BandwidthOptions } from './options.ts'
import { limitsAt, type Place } from './place.ts'

/** Throws CHECK_FAILED. */
export async function checkPlace(place: Place, options: BandwidthOptions, owner: Owner): Promise<void> {
  const { stack, link, sandbox } = place
  const { index, name = '' } = link
  const traffic = new Traffic(stack)
  const { sent, received } = limitsAt(place, options)
  const { ingress, egress } = options
  const [plainSent, plainReceived] = sandbox === undefined ? [ingress, egress] : [egress, ingress]
  const isLimited = async (at: number, ...wanted: (Limit | undefined)[]) => {
    const qdiscs = await traffic.qdiscs(at)
    return wanted.some(each => each !== undefined && hasLimit(qdiscs, each))
  }
  // The reference takes a burst as it is, however small.
  if (sent !== undefined && !(await isLimited(index, sent, plainSent))) {
    throw failed(`${name}: what it sends is not limited as configured`)
  }
  if (received === undefined) return
  const ifb = await findIfb(stack, owner, { reference: sandbox === undefined })
  if (ifb === undefined) throw failed(`${name}: the ifb for what it receives is gone`)
  if (!ifb.flags.has('up')) throw failed(`${ifb.name} is down`)
  const redirection = await traffic.redirection(index, ifb.index)
  if (redirection?.to !== ifb.index) throw failed(`${name}: what it receives does not pass ${ifb.name}`)
  if (!(await isLimited(ifb.index, received, plainReceived))) {
    throw failed(`${ifb.name}: what it sends is not limited as configured`)
  }
}

function failed(message: string): TnetError {
  return new TnetError('CHECK_FAILED', message, 'DEL and ADD the container again')
}
