// The leases of one network, as the reference keeps them: a file for each address, `last_reserved_ip.<set>`, `lock`.
// A process killed between any two system calls leaves what the next one, whoever it is, puts right: the index is then
// not sealed, so that all leases are read again, and a file that was never finished is removed. Holding the lock means
// that nobody is in the middle of writing one.
import { errnoCode, type TnetError, together, unwanted } from '../../errors.ts'
import { type Address, formatAddress } from '../../net/ip.ts'
import type { Attached } from '../../net/owner.ts'
import {
  fileError,
  ifPresent,
  letGo,
  makeDirectories,
  makeDirectory,
  openLock,
  requireDirectory,
} from '../../sys/files.ts'
import { followed } from '../../sys/followed.ts'
import { takeLock } from '../../sys/lock.ts'
import { Cursors } from './cursors.ts'
import { holdersOf, type LeaseHolder, leaseText, sameHolder } from './lease.ts'
import { isLeaseName, LeaseFiles } from './lease-files.ts'
import { OwnerIndex } from './owner-index.ts'

const DIRECTORY_MODE = 0o755
const LOCK_MODE = 0o750
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS'])

export interface Place {
  readonly dataDir: string
  readonly network: string
  /** How long to wait for the lock, in milliseconds. */
  readonly patience: number
}

/** What an interface of a container has: in its own name, or else in the container's, from an old version. */
export interface Held {
  readonly holder: LeaseHolder
  readonly addresses: readonly string[]
}

export class LeaseDirectory implements Disposable {
  readonly files: LeaseFiles
  readonly cursors: Cursors
  readonly #lock: number
  readonly #index: OwnerIndex
  /** Why there is no index; leases are then found by reading them. */
  #indexError: unknown

  private constructor(path: string, lock: number, index: OwnerIndex) {
    this.files = new LeaseFiles(path)
    this.cursors = new Cursors(path)
    this.#lock = lock
    this.#index = index
  }

  /** Locks the directory. Undefined where there is none, unless `create`. Throws TRY_AGAIN, IO, PERMISSION. */
  static async open(place: Place, create: true): Promise<LeaseDirectory>
  static async open(place: Place, create: false): Promise<LeaseDirectory | undefined>
  static async open(
    { network, patience, ...place }: Place,
    create: boolean,
  ): Promise<LeaseDirectory | undefined> {
    const { dataDir, path } = leasePlace(place.dataDir, network)
    const lockPath = `${path}/lock`
    const lock = openOrMake(dataDir, path, lockPath, create)
    if (lock === undefined) return undefined
    const directory = new LeaseDirectory(path, lock, new OwnerIndex(dataDir, network, path))
    try {
      await takeLock(lock, lockPath, patience)
      directory.#ready()
      return directory
    } catch (error) {
      directory[Symbol.dispose]()
      throw fileError('open', path, error)
    }
  }

  [Symbol.dispose](): void {
    this.cursors[Symbol.dispose]()
    letGo(this.#lock)
  }

  /** Who has the address; undefined: it is free. Throws IO. */
  holder(address: Address): Partial<Attached> | undefined {
    const found = this.files.read(formatAddress(address))
    if (found === 'absent' || found === 'unfinished') return undefined
    if (found === 'foreign') return {}
    const { containerId, ifname } = found
    return ifname === undefined ? { containerId } : { containerId, ifname }
  }

  held(owner: Attached): Held {
    return this.#find(owner)
  }

  /** Makes all the leases, or none. The addresses are free; `held` is what the owner has. Throws IO, PERMISSION. */
  lease(
    owner: Attached,
    held: Held,
    choices: readonly { readonly set: number; readonly address: Address }[],
  ): void {
    if (this.#indexError !== undefined)
      throw fileError('index the leases in', this.files.path, this.#indexError)
    const made: string[] = []
    try {
      for (const { address } of choices) {
        const name = formatAddress(address)
        this.files.create(name, leaseText(owner))
        made.push(name)
      }
      const [holder] = holdersOf(owner)
      this.#index.note(holder, sameHolder(held.holder, holder) ? [...held.addresses, ...made] : made)
      for (const { set, address } of choices) this.cursors.set(set, address)
      this.#index.seal()
    } catch (error) {
      this.files.remove(made)
      throw fileError('lease an address in', this.files.path, error)
    }
  }

  /** Gives back all that an interface of a container has; nothing is success. Throws IO, PERMISSION. */
  release(owner: Attached): void {
    const { holder, addresses, unreadable } = this.#find(owner)
    const errors = [...unreadable, ...this.files.remove(addresses)]
    if (errors.length > 0) throw together(errors)
    if (addresses.length === 0) return
    this.#ifIndexed(() => {
      this.#index.forget(holder)
      this.#index.seal()
    })
  }

  /** Gives back every lease whose holder `isValid` refuses. Reads them all, and makes the index anew. Throws IO. */
  retain(isValid: (holder: LeaseHolder) => boolean): void {
    const { leases, unreadable } = this.files.scan()
    const invalid = [...leases].filter(([, holder]) => !isValid(holder)).map(([name]) => name)
    const errors = [...unreadable, ...this.files.remove(invalid)]
    if (errors.length > 0) throw together(errors)
    for (const name of invalid) leases.delete(name)
    this.#ifIndexed(() => this.#index.rebuild(leases))
  }

  #ready(): void {
    const status = requireDirectory(this.files.path)
    if (this.#ifIndexed(() => this.#index.covers(status)) ?? this.#indexError !== undefined) return
    const { leases, unreadable } = this.files.scan()
    this.#indexError = unreadable[0]
    this.#ifIndexed(() => this.#index.rebuild(leases))
  }

  /** The index is a convenience: what it cannot do never stops a lease from being found or given back. */
  #ifIndexed<T>(deed: () => T): T | undefined {
    if (this.#indexError !== undefined) return undefined
    try {
      return deed()
    } catch (error) {
      if (errnoCode(error) === undefined) throw error
      this.#indexError = error
      return undefined
    }
  }

  #find(owner: Attached): Held & { readonly unreadable: readonly TnetError[] } {
    const [exact, legacy] = holdersOf(owner)
    for (const holder of [exact, legacy]) {
      const addresses = this.#ifIndexed(() => this.#index.addresses(holder))
      // One that is wrong may be so in what it does not say, too.
      const isTrue = addresses?.every(name => this.#has(name, holder))
      if (addresses === undefined || isTrue !== true) return this.#findByReading(exact, legacy)
      if (addresses.length > 0) return { holder, addresses, unreadable: [] }
    }
    return { holder: exact, addresses: [], unreadable: [] }
  }

  /** And puts the index right. */
  #findByReading(
    exact: LeaseHolder,
    legacy: LeaseHolder,
  ): Held & { readonly unreadable: readonly TnetError[] } {
    const { leases, unreadable } = this.files.scan()
    if (unreadable.length === 0) this.#ifIndexed(() => this.#index.rebuild(leases))
    const of = (wanted: LeaseHolder): string[] =>
      [...leases].filter(([, holder]) => sameHolder(holder, wanted)).map(([name]) => name)
    const addresses = of(exact)
    if (addresses.length > 0) return { holder: exact, addresses, unreadable }
    return { holder: legacy, addresses: of(legacy), unreadable }
  }

  /** Whether the lease is what the index says. One that a power cut emptied was the holder's, and is removed. */
  #has(name: string, holder: LeaseHolder): boolean {
    const found = isLeaseName(name) ? this.files.read(name) : 'foreign'
    if (found === 'unfinished') this.files.remove([name])
    return typeof found === 'object' && sameHolder(found, holder)
  }
}

/**
 * Where the leases are, which links of an administrator may have moved. Throws BAD_CONFIG for a name that would lead out of
 * `dataDir`, or to what we keep there ourselves; IO for links of others.
 */
export function leasePlace(dataDir: string, network: string): { dataDir: string; path: string } {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(network)) {
    throw unwanted('name', 'letters, digits, "_", "." and "-"', network)
  }
  const place = `${dataDir}/${network}`
  try {
    const real = followed(dataDir)
    return { dataDir: real, path: followed(`${real}/${network}`) }
  } catch (error) {
    throw fileError('open', place, error)
  }
}

function holdsNothing(path: string): boolean {
  return new LeaseFiles(path).names().size === 0
}

function openOrMake(dataDir: string, path: string, lockPath: string, create: boolean): number | undefined {
  try {
    const lock = ifPresent(() => openLock(lockPath))
    if (lock !== undefined) return lock
    if (create) {
      makeDirectories(dataDir, DIRECTORY_MODE)
      makeDirectory(path, DIRECTORY_MODE)
    } else if (ifPresent(() => requireDirectory(path)) === undefined) {
      return undefined
    }
    return openLock(lockPath, LOCK_MODE)
  } catch (error) {
    // Where no file can be made any more, there is nothing to give back either.
    if (!create && FULL.has(errnoCode(error) ?? '') && holdsNothing(path)) return undefined
    throw fileError('lock', lockPath, error)
  }
}
