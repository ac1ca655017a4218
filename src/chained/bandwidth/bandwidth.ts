// Limits what an interface sends and receives, by the token bucket filter of the kernel. Any kind of link will do.
import { TnetError } from '../../errors.ts'
import type { Linkless, LinkedPort } from '../../drivers/driver.ts'
import type { Host } from '../../net/host.ts'
import type { Interface } from '../../net/result.ts'
import { chosenQdisc, type Limit, Traffic } from '../../net/traffic.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { Steps } from '../../steps.ts'
import { checkPlace } from './check.ts'
import { detach } from './detach.ts'
import { addIfb, findIfb } from './ifb.ts'
import { type BandwidthConfig, type BandwidthOptions, parseOptions } from './options.ts'
import { limitsAt, type Place, placeOf } from './place.ts'

export const bandwidth: Linkless<BandwidthConfig, BandwidthOptions> = {
  name: 'bandwidth',
  parse: parseOptions,
  /** What was made is found without them. */
  parseLeaving: () => ({ ingress: undefined, egress: undefined }),

  async attach({ options }, port, host, steps) {
    if (options.ingress === undefined && options.egress === undefined) return port.result
    const place = await placeOf(port.owner, await linkOf(port), { host, sandbox: port.sandbox })
    const { sent, received } = limitsAt(place, options)
    if (sent !== undefined) await limitSent(place, sent, steps)
    if (received === undefined) return port.result
    const ifb = await limitReceived(place, received, port, steps)
    return { ...port.result, interfaces: [...port.result.interfaces, ifb] }
  },

  detach: (_network, port, host) => detach(port, host),

  async check({ options }, port, host) {
    if (options.ingress === undefined && options.egress === undefined) return
    const place = await placeOf(port.owner, await linkOf(port), { host, sandbox: port.sandbox })
    await checkPlace(place, options, port.owner)
  },

  /** Loaded when asked for: it reads all of /proc. */
  gc: async ({ name }, valid, host) => (await import('./gc.ts')).gc(name, valid, host),

  async status(_network, host: Host) {
    const [missing] = await new Traffic(host).missing()
    if (missing === undefined) return
    throw new TnetError(
      'UNAVAILABLE',
      `this kernel has no ${missing}`,
      `load its module: modprobe ${missing}`,
    )
  },
}

async function linkOf({ owner: { ifname }, sandbox }: LinkedPort): Promise<Link> {
  const link = await sandbox.links.get(ifname)
  if (link !== undefined) return link
  throw new TnetError('NOT_FOUND', `${ifname}: there is no such interface in ${sandbox.path}`)
}

async function limitSent({ stack, link }: Place, limit: Limit, steps: Steps): Promise<void> {
  const { index, name = '' } = link
  const traffic = new Traffic(stack)
  const qdiscs = await traffic.qdiscs(index)
  const chosen = chosenQdisc(qdiscs)
  if (chosen !== undefined) {
    throw new TnetError(
      'EXISTS',
      `${name}: somebody has given it the qdisc ${chosen}`,
      `remove it: tc qdisc del dev ${name} root`,
    )
  }
  const isNew = !qdiscs.some(({ kind }) => kind === 'tbf')
  await steps.step(
    `limit what ${name} sends`,
    () => traffic.limit(index, limit),
    isNew ? () => traffic.unlimit(index) : undefined,
  )
}

async function limitReceived(
  { stack, link, sandbox }: Place,
  limit: Limit,
  { owner }: LinkedPort,
  steps: Steps,
): Promise<Interface> {
  const { index, mtu = 0, name = '' } = link
  const traffic = new Traffic(stack)
  const there = await findIfb(stack, owner, { reference: sandbox === undefined })
  const ifb =
    there ??
    (await steps.step(
      `add an ifb for what ${name} receives`,
      () => addIfb(stack, owner, mtu),
      made => stack.links.remove({ index: made.index }),
    ))
  await steps.step(`limit what ${ifb.name} sends`, () => traffic.limit(ifb.index, limit))
  const before = await traffic.redirection(index, ifb.index)
  if (before?.to !== ifb.index) {
    await steps.step(
      `redirect what ${name} receives`,
      async () => {
        if (before !== undefined) await traffic.undirect(index)
        await traffic.redirect({ from: index, to: ifb.index })
      },
      () => traffic.undirect(index, ifb.index),
    )
  }
  const told = { name: ifb.name ?? '', mac: ifb.address ?? '', mtu: ifb.mtu }
  return sandbox === undefined ? told : { ...told, sandbox }
}
