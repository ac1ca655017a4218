// The driver host-device as its plugin has it: a device plugin's choice reaches it by the runtime.
import type { Driver } from '../drivers/driver.ts'
import { hostDevice as driver } from '../drivers/host-device/host-device.ts'
import type { HostDeviceConfig, HostDeviceOptions } from '../drivers/host-device/options.ts'

interface Config extends Omit<HostDeviceConfig, 'deviceId'> {
  readonly runtimeConfig?: { readonly deviceID?: string | undefined } | undefined
}

export const hostDevice: Driver<Config, HostDeviceOptions> = {
  ...driver,
  parse: config => driver.parse(withDeviceId(config)),
  parseLeaving: config => driver.parseLeaving(withDeviceId(config)),
}

function withDeviceId({ runtimeConfig, ...config }: Config): HostDeviceConfig {
  return { ...config, deviceId: runtimeConfig?.deviceID }
}
