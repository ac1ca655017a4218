// Finds the device that is meant, and says where it is when it is not on the host.
import { TnetError } from '../../errors.ts'
import { driverOfPci, isDevice, linksAt, linksOfAuxiliary, linksOfPci } from '../../net/device-files.ts'
import { markedOwner, marksOf, originalName } from '../../net/device-mark.ts'
import type { Host } from '../../net/host.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { Selector, Way } from './options.ts'

/** Their devices are driven by a program, by way of the kernel's userspace I/O, and have no link. */
const OF_PROGRAMS: readonly string[] = ['vfio-pci', 'uio_pci_generic', 'igb_uio']

interface Row {
  /** Tells the link that is meant from the others of the host. */
  readonly match: (value: string) => (link: Link) => boolean
  /** Whether a device that is in a sandbox may be it. */
  readonly isMoved?: (link: Link, value: string) => boolean
  /** Whether there is a device, whoever has its link. */
  readonly isDevice?: (value: string) => boolean
}

const ROWS: Readonly<Record<Way, Row>> = {
  device: {
    match: value => link => link.name === value || link.alternativeNames?.names?.includes(value) === true,
    isMoved: (link, value) => originalName(link) === value,
  },
  hwaddr: {
    match: value => link => link.address === value,
    isMoved: ({ address }, value) => address === value,
  },
  kernelpath: { match: value => firstOf(linksAt(value)), isDevice: isDevice.at },
  pciBusID: { match: value => firstOf(linksOfPci(value)), isMoved: isAt, isDevice: isDevice.pci },
  auxiliary: {
    match: value => firstOf(linksOfAuxiliary(value)),
    isMoved: isAt,
    isDevice: isDevice.auxiliary,
  },
}

function firstOf([first]: readonly string[]): (link: Link) => boolean {
  return ({ name }) => first !== undefined && name === first
}

function isAt({ parentDevice }: Link, value: string): boolean {
  return parentDevice === value
}

/** The driver by which a program drives the device; undefined where the kernel does. */
export function programsDriver({ by, value }: Selector): string | undefined {
  const driver = by === 'pciBusID' ? driverOfPci(value) : undefined
  return driver !== undefined && OF_PROGRAMS.includes(driver) ? driver : undefined
}

/** Tells the device from the other links of the host, also where a death has left it under another name. */
export function meant({ by, value }: Selector): (link: Link) => boolean {
  const isIt = ROWS[by].match(value)
  return link => isIt(link) || ROWS[by].isMoved?.(link, value) === true
}

/** Whether a link that a sandbox has may be the device. */
export function mayBe({ by, value }: Selector, link: Link): boolean {
  return ROWS[by].isMoved?.(link, value) ?? true
}

/** The device, on the host. Throws NOT_FOUND; IN_USE where a sandbox has it; BAD_CONFIG where it cannot be moved or told. */
export async function findDevice(selector: Selector, host: Host): Promise<Link> {
  const { by, value } = selector
  const found = (await host.links.list()).filter(ROWS[by].match(value))
  // Of links with one hardware address, those that have a kind stand on the one that has none.
  const real = found.filter(({ linkInfo }) => linkInfo?.kind === undefined)
  const [link, another] = found.length > 1 && real.length > 0 ? real : found
  if (link === undefined) throw await absent(selector)
  if (another !== undefined) {
    throw new TnetError(
      'BAD_CONFIG',
      `${by} ${value}: want one link, both ${link.name} and ${another.name} have it`,
      'say which one by its name, in "device"',
    )
  }
  if (!link.flags.has('loopback')) return link
  throw new TnetError(
    'BAD_CONFIG',
    `${by} ${value}: ${link.name} cannot be moved, each namespace has its own`,
  )
}

async function absent({ by, value }: Selector): Promise<TnetError> {
  const { isMoved, isDevice } = ROWS[by]
  const place = isMoved === undefined ? undefined : await placeOf(link => isMoved(link, value))
  if (place !== undefined) {
    return new TnetError(
      'IN_USE',
      `${by} ${value}: it is ${place} already`,
      'a device is in one sandbox at a time: DEL that attachment first',
    )
  }
  if (isDevice?.(value) !== true)
    return new TnetError('NOT_FOUND', `${by} ${value}: the host has no such link`)
  return new TnetError(
    'IN_USE',
    `${by} ${value}: the device has no link on the host`,
    'a sandbox has it, or no driver of the kernel is bound to it',
  )
}

/** Where a device is that somebody has moved: `in /run/netns/web as eth0, attached for container c1`. */
async function placeOf(isIt: (link: Link) => boolean): Promise<string | undefined> {
  // Which namespaces there are is a question of failures alone: a call that succeeds does without its code.
  const { inReachable } = await import('../../net/reachable-links.ts')
  let place: string | undefined
  await inReachable(async (stack, { path, own }) => {
    if (own || place !== undefined) return
    const link = (await stack.links.list()).find(each => originalName(each) !== undefined && isIt(each))
    if (link === undefined) return
    const [mark = ''] = marksOf(link)
    const owner = markedOwner(mark)
    const whose = owner === undefined ? '' : `, attached for container ${owner.containerId}`
    place = `in ${path} as ${link.name}${whose}`
  })
  return place
}
