// Who has which leases, without reading them all: one symbolic link for each holder, `<container id>:<ifname>` ->
// `10.0.0.2,fd00::2`, in <dataDir>/.tnet/<network>/. A link is made in one system call and never half.
//
// The index is a hint: what it says is checked against the lease, and where that is another's the index is made anew.
// That it is complete is seen from the modification times of the two directories: as the last acts of each change we
// date the index, each time differently, and the leases with a date computed from it. After a change by the reference, a
// kill at any point, or a restored backup, the two do not fit, and the index is made anew from the leases.
import { errnoCode } from '../../errors.ts'
import {
  entries,
  ifPresent,
  makeDirectory,
  makeLink,
  readLink,
  removeFile,
  setDate,
  uninterrupted,
} from '../../sys/files.ts'
import { isDirectory, lstat, type Status } from '../../sys/syscalls.ts'
import type { LeaseHolder } from './lease.ts'

const NAME_MAX = 255
const PATH_MAX = 4096
/** The target where a holder has more addresses than a link can say. */
const MANY = '*'

/** Our dates lie between 2001-09-09 and 2010, in whole seconds: no clock that files are dated by says so. */
const EPOCH = 1_000_000_000
const SPAN = 268_435_399
const SECOND = 1_000_000_000n

export class OwnerIndex {
  readonly #leases: string
  readonly #parent: string
  readonly #path: string
  /** The index's directory as it was last seen or dated. */
  #seen: Pick<Status, 'ino' | 'mtimeNs'> | undefined

  /** `leases` is the lease directory. Nothing is read or made yet. */
  constructor(dataDir: string, network: string, leases: string) {
    this.#leases = leases
    this.#parent = `${dataDir}/.tnet`
    this.#path = `${this.#parent}/${network}`
  }

  /** Whether the index covers every lease of the directory, whose status is `leases`. */
  covers(leases: Status): boolean {
    const index = ifPresent(() => lstat(this.#path))
    if (index === undefined || !isDirectory(index)) return false
    this.#seen = index
    const date = Number(index.mtimeNs / SECOND)
    return isOurs(index.mtimeNs) && leases.mtimeNs === BigInt(leasesDate(index.ino, date)) * SECOND
  }

  /** Says that the index is complete: the last act of a change. Without it, it is made anew next time. */
  seal(): void {
    const { ino, mtimeNs } = this.#seen ?? uninterrupted(() => lstat(this.#path))
    const date = dateAfter(mtimeNs)
    setDate(this.#path, date)
    setDate(this.#leases, leasesDate(ino, date))
    this.#seen = { ino, mtimeNs: BigInt(date) * SECOND }
  }

  /** The addresses noted for `holder`; undefined where the index cannot say, or something else stands there. */
  addresses(holder: LeaseHolder): readonly string[] | undefined {
    const name = linkName(holder)
    if (name === undefined) return undefined
    const target = linkAt(`${this.#path}/${name}`)
    if (target === undefined) return []
    return target === MANY ? undefined : target.split(',')
  }

  /** Notes all that `holder` has, in place of what was noted. */
  note(holder: LeaseHolder, addresses: readonly string[]): void {
    const name = linkName(holder)
    if (name === undefined) return
    const path = `${this.#path}/${name}`
    try {
      makeLink(linkTarget(addresses), path)
    } catch (error) {
      if (errnoCode(error) !== 'EEXIST') throw error
      if (removeEntry(path)) makeLink(linkTarget(addresses), path)
    }
  }

  /** Forgets what `holder` has. */
  forget(holder: LeaseHolder): void {
    const name = linkName(holder)
    if (name !== undefined) removeEntry(`${this.#path}/${name}`)
  }

  /** Makes the index anew from all leases. Throws where the file system refuses it. */
  rebuild(leases: ReadonlyMap<string, LeaseHolder>): void {
    makeDirectory(this.#parent, 0o700)
    makeDirectory(this.#path, 0o700)
    const wanted = new Map<string, string[]>()
    for (const [address, holder] of leases) {
      const name = linkName(holder)
      if (name === undefined) continue
      const addresses = wanted.get(name)
      if (addresses === undefined) wanted.set(name, [address])
      else addresses.push(address)
    }
    for (const entry of entries(this.#path)) {
      const addresses = wanted.get(entry.name)
      const path = `${this.#path}/${entry.name}`
      const right = entry.isSymbolicLink() && addresses && readLink(path) === linkTarget(addresses)
      if (right || !removeEntry(path)) wanted.delete(entry.name)
    }
    for (const [name, addresses] of wanted) makeLink(linkTarget(addresses), `${this.#path}/${name}`)
    this.seal()
  }
}

/** What the link says; MANY where something else is in its place. */
function linkAt(path: string): string | undefined {
  try {
    return readLink(path)
  } catch (error) {
    if (errnoCode(error) !== 'EINVAL') throw error
    return MANY
  }
}

/** False for a directory, which is none of ours: its holder's leases are found by reading them. */
function removeEntry(path: string): boolean {
  try {
    removeFile(path)
    return true
  } catch (error) {
    if (errnoCode(error) !== 'EISDIR') throw error
    return false
  }
}

/** Undefined for a holder whose name is none for a file, or may be another's: such leases are found by reading them. */
function linkName({ containerId, ifname }: LeaseHolder): string | undefined {
  const name = `${containerId}:${ifname ?? ''}`
  return /[/\0]/.test(name) || containerId.includes(':') || Buffer.byteLength(name) > NAME_MAX
    ? undefined
    : name
}

function linkTarget(addresses: readonly string[]): string {
  const target = addresses.join(',')
  return target.length < PATH_MAX ? target : MANY
}

function isOurs(mtimeNs: bigint): boolean {
  const seconds = Number(mtimeNs / SECOND)
  return mtimeNs % SECOND === 0n && seconds >= EPOCH && seconds < EPOCH + SPAN
}

/** The next date of the index, in seconds; after somebody else's, a new row of dates that begins anywhere. */
function dateAfter(mtimeNs: bigint): number {
  if (!isOurs(mtimeNs)) return EPOCH + Number(mtimeNs % BigInt(SPAN))
  return EPOCH + ((Number(mtimeNs / SECOND) - EPOCH + 1) % SPAN)
}

/** The date of the leases whose index is the directory `ino`, dated `date`: a copy has another number. */
function leasesDate(ino: bigint, date: number): number {
  return EPOCH + ((date + Number(ino % BigInt(SPAN))) % SPAN)
}
