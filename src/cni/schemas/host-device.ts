// The configuration of the host-device plugin.
import { network } from './network.ts'
import { flag, maybe, object, path, type Schema } from './schema.ts'

export const hostDevice: Schema = object({
  ...network,
  device: maybe('the name of a link'),
  hwaddr: maybe('a hardware address, such as 02:42:ac:11:00:02', 64),
  kernelpath: path,
  pciBusID: maybe('a PCI address, such as 0000:00:1f.6', 64),
  enabledad: flag,
  runtimeConfig: {
    ...network['runtimeConfig'],
    properties: {
      ...network['runtimeConfig']?.properties,
      deviceID: maybe('a PCI address or the name of an auxiliary device'),
    },
  },
})
