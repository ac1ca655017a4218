// Versions of the protocol: which are known, which verb needs which, and what VERSION answers.
import { TnetError } from '../errors.ts'
import type { Command } from './environment.ts'

/** All versions, oldest first. A configuration names one of them exactly. */
export const VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const

export type Version = (typeof VERSIONS)[number]

/** The version of a configuration that does not say. */
const UNSAID: Version = '0.1.0'

/** Since when there is a verb. */
const SINCE: Readonly<Partial<Record<Command, Version>>> = { CHECK: '0.4.0', GC: '1.1.0', STATUS: '1.1.0' }

/**
 * The version `said` in a configuration, where `supported` has it and it has the verb. Throws TnetError
 * INCOMPATIBLE_VERSION with the words that runtimes know.
 */
export function negotiate(said: string, supported: readonly Version[], command: Command): Version {
  const version = supported.find(known => known === (said === '' ? UNSAID : said))
  if (version === undefined) {
    const list = supported.map(known => JSON.stringify(known)).join(' ')
    const details = `config is ${JSON.stringify(said === '' ? UNSAID : said)}, plugin supports [${list}]`
    throw new TnetError('INCOMPATIBLE_VERSION', 'incompatible CNI versions', details)
  }
  const since = SINCE[command]
  if (since !== undefined && !atLeast(version, since)) {
    throw new TnetError('INCOMPATIBLE_VERSION', `config version does not allow ${command}`)
  }
  return version
}

export function atLeast(version: Version, than: Version): boolean {
  return VERSIONS.indexOf(version) >= VERSIONS.indexOf(than)
}

/** What VERSION prints: one line, the newest version as the current one. */
export function versionAnswer(supported: readonly Version[]): string {
  return `${JSON.stringify({ cniVersion: supported.at(-1), supportedVersions: supported })}\n`
}
