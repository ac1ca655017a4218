// What an interface had before it was tuned, in a file: written before anything is changed, read by DEL.
import { digest } from '../../net/digest.ts'
import type { LinkSettings } from '../../net/link-settings.ts'
import type { Owner } from '../../net/owner.ts'
import {
  createText,
  entries,
  fileError,
  ifPresent,
  makeDirectories,
  readText,
  removeFile,
} from '../../sys/files.ts'

/** The reference's keys, and ours, which it does not read. */
export interface Backup extends LinkSettings {
  /** Paths below /proc/sys. */
  readonly sysctl?: Readonly<Record<string, string>>
  /** What the kernel was asked for before, by its own names. */
  readonly features?: Readonly<Record<string, boolean>>
  readonly network?: string
  readonly containerId?: string
  readonly ifname?: string
  /** Device and inode of the namespace: nothing is restored in another. */
  readonly sandbox?: string
}

const LIMIT = 1 << 20

export function backupName({ containerId, ifname }: Pick<Owner, 'containerId' | 'ifname'>): string {
  return `${containerId}_${ifname}.json`
}

/** Undefined where there is none, or one that cannot be read. */
export function readBackup(dataDir: string, owner: Owner): Backup | undefined {
  return read(`${dataDir}/${backupName(owner)}`)
}

function read(path: string): Backup | undefined {
  const text = ifPresent(() => readText(path, LIMIT))
  try {
    const value: unknown = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined // a torn file: that is all there is to know
  }
}

/**
 * Replaces what a container of the same name left; there is never a part of one under the name. Throws IO, PERMISSION.
 */
export function writeBackup(dataDir: string, owner: Owner, backup: Backup): void {
  const path = `${dataDir}/${backupName(owner)}`
  const begun = `${path}${mark(owner.network)}`
  try {
    makeDirectories(dataDir, 0o700)
    removeFile(begun)
    createText(begun, JSON.stringify(backup, null, 1), 0o600)
    process.getBuiltinModule('node:fs').renameSync(begun, path)
  } catch (error) {
    throw fileError('create backup', path, error)
  }
}

/** What is begun says by its name which network it is of. */
function mark(network: string): string {
  return `.${digest(network)}`
}

export function removeBackup(dataDir: string, owner: Owner): void {
  const path = `${dataDir}/${backupName(owner)}`
  removeFile(path)
  removeFile(`${path}${mark(owner.network)}`)
}

/** Removes what ADDs of the network that were killed have begun. */
export function removeBegun(dataDir: string, network: string, kept: ReadonlySet<string>): void {
  const end = mark(network)
  for (const { name } of entries(dataDir)) {
    if (name.endsWith(`.json${end}`) && !kept.has(name.slice(0, -end.length)))
      removeFile(`${dataDir}/${name}`)
  }
}

/** The network's backups that `kept` does not name. Those of the reference do not say which network they are of. */
export function staleBackups(dataDir: string, network: string, kept: ReadonlySet<string>): Backup[] {
  return entries(dataDir)
    .filter(entry => entry.isFile() && entry.name.endsWith('.json') && !kept.has(entry.name))
    .flatMap(({ name }) => read(`${dataDir}/${name}`) ?? [])
    .filter(backup => backup.network === network)
}
