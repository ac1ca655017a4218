// From the keys of the tuning plugin to what is to be set.
import { unwanted } from '../../errors.ts'
import type { LinkSettings } from '../../net/link-settings.ts'
import { parseMac } from '../../net/mac.ts'
import { sysctlPath } from './sysctl-key.ts'

export interface TuningConfig {
  readonly sysctl?: Readonly<Record<string, unknown>>
  readonly mac?: string
  readonly mtu?: number
  readonly promisc?: boolean
  readonly allmulti?: boolean
  readonly txQLen?: number
  readonly ethtool?: Readonly<Record<string, unknown>>
  readonly dataDir?: string
}

export interface Parameter {
  /** As it was written: what the allowlist is about. */
  readonly key: string
  /** Below /proc/sys, with IFNAME in place of the interface. */
  readonly path: string
  /** Undefined: it stays as it is. */
  readonly value: string | undefined
}

export interface TuningOptions {
  readonly parameters: readonly Parameter[]
  /** What the link is to have; left out: as it is. */
  readonly link: LinkSettings
  /** Features of the link, on or off, by any of the names that ethtool takes. */
  readonly features: Readonly<Record<string, boolean>>
  readonly dataDir: string
}

const DATA_DIR = '/run/cni/tuning'

/** Throws BAD_CONFIG. */
export function parseOptions(config: TuningConfig): TuningOptions {
  const { sysctl = {}, mac, mtu = 0, promisc = false, allmulti, txQLen, ethtool = {} } = config
  return {
    parameters: Object.entries(sysctl).map(([key, value]) => parameter(key, value)),
    link: {
      ...(mac === undefined ? {} : { mac: parseMac(mac, 'mac') }),
      ...(mtu === 0 ? {} : { mtu }),
      ...(promisc ? { promisc } : {}),
      ...(allmulti === undefined ? {} : { allmulti }),
      ...(txQLen === undefined ? {} : { txQLen }),
    },
    features: parseFeatures(ethtool),
    dataDir: dataDirOf(config),
  }
}

/** DEL needs no more to find what to restore. */
export function parseLeaving(config: TuningConfig): TuningOptions {
  return { parameters: [], link: {}, features: {}, dataDir: dataDirOf(config) }
}

function dataDirOf({ dataDir = DATA_DIR }: TuningConfig): string {
  return dataDir.startsWith('/') ? dataDir : DATA_DIR
}

/** An empty text changes nothing, as with the reference, which writes no byte; a newline alone is an empty value. */
function parameter(key: string, value: unknown): Parameter {
  const path = sysctlPath(key)
  if (value === '' || value === null) return { key, path, value: undefined }
  if (typeof value !== 'string' || /\n[^\n]|\0/.test(value))
    throw unwanted(`sysctl["${key}"]`, 'a text of one line', value)
  return { key, path, value: value.replaceAll('\n', '') }
}

/** What else there is of ethtool is refused: not to do silently what was asked for would be worse. */
function parseFeatures({ features, ...others }: Readonly<Record<string, unknown>>) {
  const [strange] = Object.keys(others)
  if (strange !== undefined) throw unwanted('ethtool', 'features alone', strange)
  if (typeof (features ?? {}) !== 'object' || Array.isArray(features))
    throw unwanted('ethtool.features', 'an object such as {"tso": false}', features)
  return Object.fromEntries(Object.entries(features ?? {}).map(([name, value]) => [name, onOff(name, value)]))
}

function onOff(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw unwanted(`ethtool.features["${name}"]`, 'true or false', value)
  return value
}
