// The options of a bridge network: Docker's names for them, and shorter ones.
import { TnetError, unwanted } from '../../errors.ts'
import { checkedInterface } from '../../net/names.ts'

export interface NetworkOptions {
  /** The bridge's name; left out: br- and the beginning of the network's id. */
  readonly bridge?: string | undefined
  /** Traffic that leaves the network gets the host's address. */
  readonly masquerade: boolean
  /** Sandboxes on the network reach each other. */
  readonly icc: boolean
  readonly mtu?: number | undefined
}

/** Docker's name of each option. */
const NAMES: Readonly<Record<keyof NetworkOptions, string>> = {
  bridge: 'com.docker.network.bridge.name',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  icc: 'com.docker.network.bridge.enable_icc',
  mtu: 'com.docker.network.driver.mtu',
}

/** What every IPv4 and every IPv6 link must carry, RFC 791 and RFC 8200; and the longest packet. */
const LEAST_MTU = { 4: 68, 6: 1280 } as const
const MOST_MTU = 65535

/** `given` by either name. Throws TnetError BAD_CONFIG. */
export function parseOptions(
  given: Readonly<Record<string, string>>,
  families: ReadonlySet<4 | 6>,
): NetworkOptions {
  const values = new Map<string, string>()
  for (const [key, value] of Object.entries(given)) {
    const short = Object.entries(NAMES).find(([own, docker]) => key === own || key === docker)?.[0]
    if (short === undefined) throw unknown(key)
    if (values.has(short))
      throw new TnetError('BAD_CONFIG', `option ${key}: it is given twice, also as ${alias(short, key)}`)
    values.set(short, value)
  }
  const bridge = values.get('bridge')
  return {
    bridge: bridge === undefined ? undefined : checkedInterface('option bridge', bridge),
    masquerade: yesNo('masquerade', values.get('masquerade')),
    icc: yesNo('icc', values.get('icc')),
    mtu: mtu(values.get('mtu'), families.has(6) ? 6 : 4),
  }
}

function alias(short: string, key: string): string {
  return key === short ? (NAMES[short as keyof NetworkOptions] ?? '') : short
}

function unknown(key: string): TnetError {
  const all = Object.entries(NAMES).map(([own, docker]) => `${own} (${docker})`)
  return new TnetError(
    'BAD_CONFIG',
    `option ${JSON.stringify(key)}: networks of tnet have no such option`,
    `there are ${all.join(', ')}`,
  )
}

/** Go's strconv.ParseBool, which Docker reads them with, and yes and no. */
function yesNo(key: string, value = 'true'): boolean {
  if (['1', 't', 'true', 'yes'].includes(value.toLowerCase())) return true
  if (['0', 'f', 'false', 'no'].includes(value.toLowerCase())) return false
  throw unwanted(`option ${key}`, 'true or false', value)
}

function mtu(value: string | undefined, family: 4 | 6): number | undefined {
  if (value === undefined) return undefined
  const number = /^[0-9]{1,5}$/.test(value) ? Number(value) : NaN
  if (number >= LEAST_MTU[family] && number <= MOST_MTU) return number
  throw unwanted('option mtu', `a number of bytes from ${LEAST_MTU[family]} to ${MOST_MTU}`, value)
}
