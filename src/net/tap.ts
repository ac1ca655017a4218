// Links whose other end is a program: made by ioctl on /dev/net/tun, from include/uapi/linux/if_tun.h.
import { errnoCode, TnetError } from '../errors.ts'
import type { Link, LinkRequest } from '../netlink/route/link.ts'
import { close, ioctl, type NetnsFd, O_NONBLOCK, O_RDWR, open } from '../sys/syscalls.ts'
import { type Owner, ownerTag } from './owner.ts'
import type { Sandbox } from './sandbox.ts'
import { withSocketLabel } from './socket-label.ts'

const DEVICE = '/dev/net/tun'
const TUNSETIFF = 0x400454ca
const TUNSETPERSIST = 0x400454cb
const TUNSETOWNER = 0x400454cc
const TUNSETGROUP = 0x400454ce

const IFF_TAP = 0x2
const IFF_MULTI_QUEUE = 0x100
const IFF_NO_PI = 0x1000
const IFF_VNET_HDR = 0x4000
/** Refuses to join a device that there is already. */
const IFF_TUN_EXCL = 0x8000

/** sizeof(struct ifreq), and where its union begins. */
const IFREQ = 40
const IFNAMSIZ = 16

export interface TapSpec {
  readonly owner: Owner
  readonly multiQueue: boolean
  readonly mtu?: number | undefined
  readonly mac?: string | undefined
  /** The index of the bridge in the sandbox. */
  readonly master?: number | undefined
  /** Who may open it besides root: a user and a group by their numbers. */
  readonly user?: number | undefined
  readonly group?: number | undefined
  readonly selinuxContext?: string | undefined
}

/**
 * Makes a tap device that stays, down, for programs to open. Until it says whose it is, it lives and dies with the fd
 * that made it, and with this process. Throws EXISTS, and UNAVAILABLE where there are no such devices.
 */
export async function addTap(sandbox: Sandbox, spec: TapSpec): Promise<Link> {
  const { owner, user, group, mtu, mac, master, selinuxContext } = spec
  const fd = openTun(sandbox.netns)
  try {
    withSocketLabel(selinuxContext, () => attachQueue(fd, spec, sandbox))
    const link: LinkRequest = {
      name: owner.ifname,
      alias: ownerTag(owner),
      ...(mtu === undefined ? {} : { mtu }),
      ...(mac === undefined ? {} : { address: mac }),
      ...(master === undefined ? {} : { master }),
    }
    await sandbox.links.set(link)
    if (user !== undefined) ioctl(fd, TUNSETOWNER, user)
    if (group !== undefined) ioctl(fd, TUNSETGROUP, group)
    const made = await sandbox.links.existing(owner.ifname)
    ioctl(fd, TUNSETPERSIST, 1)
    return made
  } finally {
    close(fd)
  }
}

/** Throws UNAVAILABLE where no tap device can be made. */
export function checkTun(): void {
  close(openTun(undefined))
}

/** What it makes is in the namespace that it was opened in. */
function openTun(netns: NetnsFd): number {
  try {
    return open(DEVICE, O_RDWR | O_NONBLOCK, 0, netns)
  } catch (error) {
    if (!['ENOENT', 'ENODEV', 'ENXIO'].includes(errnoCode(error) ?? '')) throw error
    throw new TnetError('UNAVAILABLE', `${DEVICE}: it is not there`, 'load the module tun', { cause: error })
  }
}

/**
 * Programs are given the header of virtio, which lets the kernel leave checksums and segmentation to them, but not that
 * of packet information.
 */
function attachQueue(fd: number, { owner: { ifname }, multiQueue }: TapSpec, { path }: Sandbox): void {
  const flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL | (multiQueue ? IFF_MULTI_QUEUE : 0)
  try {
    ioctl(fd, TUNSETIFF, interfaceRequest(ifname, flags))
  } catch (error) {
    if (!['EBUSY', 'EEXIST'].includes(errnoCode(error) ?? '')) throw error
    throw new TnetError(
      'EXISTS',
      `${ifname} exists already in ${path}`,
      'DEL the attachment that it belongs to, or ask for another interface name',
      { cause: error },
    )
  }
}

/** struct ifreq { char ifr_name[IFNAMSIZ]; union { short ifr_flags; ... } } */
function interfaceRequest(name: string, flags: number): Uint8Array {
  const bytes = new Uint8Array(IFREQ)
  new TextEncoder().encodeInto(name, bytes.subarray(0, IFNAMSIZ - 1))
  new Uint16Array(bytes.buffer, IFNAMSIZ, 1)[0] = flags
  return bytes
}
