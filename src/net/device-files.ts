// What the files of sysfs tell of devices: which links a device has, and which driver it is bound to.
import { entries, ifPresent, readLink } from '../sys/files.ts'
import { nameOf } from '../sys/path.ts'
import { stat } from '../sys/syscalls.ts'

const PCI = '/sys/bus/pci/devices'
const AUXILIARY = '/sys/bus/auxiliary/devices'

/** The links of the device at a path of /sys/devices, in order; none where there is no such device. */
export function linksAt(path: string): string[] {
  return names(`${path}/net`)
}

/** The links of a PCI device. What is behind virtio has them one level below. */
export function linksOfPci(address: string): string[] {
  const device = `${PCI}/${address}`
  const direct = linksAt(device)
  if (direct.length > 0) return direct
  const virtio = names(device).filter(name => name.startsWith('virtio'))
  return virtio.flatMap(name => linksAt(`${device}/${name}`))
}

export function linksOfAuxiliary(name: string): string[] {
  return linksAt(`${AUXILIARY}/${name}`)
}

/** Whether there is such a device, with or without links. */
export const isDevice = {
  at: (path: string) => isThere(path),
  pci: (address: string) => isThere(`${PCI}/${address}`),
  auxiliary: (name: string) => isThere(`${AUXILIARY}/${name}`),
} as const

/** The driver of a PCI device; undefined where it has none, or where there is no such device. */
export function driverOfPci(address: string): string | undefined {
  const link = readLink(`${PCI}/${address}/driver`)
  return link === undefined ? undefined : nameOf(link)
}

function isThere(path: string): boolean {
  return ifPresent(() => stat(path)) !== undefined
}

function names(folder: string): string[] {
  return entries(folder)
    .map(({ name }) => name)
    .sort()
}
