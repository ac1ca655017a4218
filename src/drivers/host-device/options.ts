// Which device is meant. There are several ways to say it, each a row.
import { TnetError, unwanted } from '../../errors.ts'
import { cleaned } from '../../sys/path.ts'

/** As users write it; `deviceId` is what the runtime was given by a device plugin. */
export interface HostDeviceConfig {
  readonly device?: string | undefined
  readonly hwaddr?: string | undefined
  readonly kernelpath?: string | undefined
  readonly pciBusID?: string | undefined
  readonly deviceId?: string | undefined
  readonly enabledad?: boolean | undefined
}

export type Way = 'device' | 'hwaddr' | 'kernelpath' | 'pciBusID' | 'auxiliary'

export interface Selector {
  readonly by: Way
  readonly value: string
}

export interface HostDeviceOptions {
  /** Undefined: it is known only when a device plugin has chosen one. */
  readonly selector: Selector | undefined
  readonly duplicateAddressDetection: boolean
}

/** ALTIFNAMSIZ without its NUL */
const NAME = 127
/** MAX_ADDR_LEN is 32; Ethernet has 6 octets, EUI-64 8, InfiniBand 20. */
const HARDWARE =
  /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}(([:-][0-9a-f]{2}){2}){0,1}$|^[0-9a-f]{2}([:-][0-9a-f]{2}){19}$/i
const PCI = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/i
const AUXILIARY = /^[\w-]+\.[\w-]+\.[0-9]+$/
const DEVICES = '/sys/devices/'

const ROWS: Readonly<Record<Exclude<Way, 'auxiliary'>, (value: string) => string>> = {
  device(value) {
    const isName = Buffer.byteLength(value) <= NAME && !/[/\s\p{C}]/u.test(value)
    if (!isName) throw unwanted('device', 'the name of a link', value)
    if (value === 'lo')
      throw unwanted('device', 'a link that can be moved', value, 'each namespace has its own')
    return value
  },
  hwaddr(value) {
    if (HARDWARE.test(value)) return value.replaceAll('-', ':').toLowerCase()
    throw unwanted('hwaddr', 'a hardware address, such as 02:42:ac:11:00:02', value)
  },
  kernelpath(value) {
    if (value.startsWith(DEVICES) && !value.split('/').includes('..')) return cleaned(value)
    throw unwanted('kernelpath', `an absolute path below ${DEVICES} without ".."`, value)
  },
  pciBusID(value) {
    if (PCI.test(value)) return value.toLowerCase()
    throw unwanted('pciBusID', 'a PCI address with its domain, such as 0000:00:1f.6', value)
  },
}

/** Throws BAD_CONFIG. */
export function parse(config: HostDeviceConfig): HostDeviceOptions {
  return { selector: selectorOf(config), duplicateAddressDetection: config.enabledad ?? true }
}

/** What the runtime says goes before what the configuration says. */
function selectorOf(config: HostDeviceConfig): Selector | undefined {
  const { deviceId } = config
  if (deviceId !== undefined) return ofRuntime(deviceId)
  const given = Object.entries(ROWS).flatMap(([way, check]) => {
    const value = config[way as keyof typeof ROWS]
    return value === undefined ? [] : [{ by: way as Way, value: check(value) }]
  })
  if (given.length > 1) throw unwanted(WAYS, 'one of them', given.map(({ by }) => by).join(' and '))
  return given[0]
}

/** As `parse`, without what is wrong. */
export function parseLeaving(config: HostDeviceConfig): HostDeviceOptions {
  try {
    return parse(config)
  } catch (error) {
    if (!(error instanceof TnetError) || error.code !== 'BAD_CONFIG') throw error
    return parse({})
  }
}

/** Throws BAD_CONFIG where nobody has said which device is meant. */
export function chosen({ selector }: HostDeviceOptions): Selector {
  if (selector !== undefined) return selector
  throw unwanted(WAYS, 'one of them, or a deviceID of the runtime', undefined)
}

const WAYS = Object.keys(ROWS).join(', ')

function ofRuntime(value: string): Selector {
  if (PCI.test(value)) return { by: 'pciBusID', value: value.toLowerCase() }
  if (AUXILIARY.test(value)) return { by: 'auxiliary', value }
  throw unwanted(
    'runtimeConfig.deviceID',
    'a PCI address, such as 0000:00:1f.6, or the name of an auxiliary device, such as mlx5_core.sf.2',
    value,
  )
}
