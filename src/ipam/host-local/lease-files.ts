// The lease files of one network: named by the address in canonical text, each holding whose it is.
import { errnoCode, type TnetError } from '../../errors.ts'
import { addressOf, formatAddress } from '../../net/ip.ts'
import { createText, entries, fileError, readText, removeFile } from '../../sys/files.ts'
import { type LeaseHolder, parseLease } from './lease.ts'

const MODE = 0o600

/** A lease, or what else stands under its name: a file that was never finished, or something that is no file. */
export type Found = LeaseHolder | 'absent' | 'unfinished' | 'foreign'

export class LeaseFiles {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** All addresses that have a file; of an absent directory none. Throws IO, PERMISSION. */
  names(): Set<string> {
    try {
      return new Set(
        entries(this.path)
          .map(entry => entry.name)
          .filter(isLeaseName),
      )
    } catch (error) {
      throw fileError('list', this.path, error)
    }
  }

  /** Throws IO, PERMISSION. */
  read(name: string): Found {
    const path = `${this.path}/${name}`
    try {
      return parseLease(readText(path)) ?? 'unfinished'
    } catch (error) {
      const errno = errnoCode(error) ?? ''
      if (errno === 'ENOENT') return 'absent'
      if (['ELOOP', 'EISDIR', 'ENXIO', 'ESPIPE'].includes(errno)) return 'foreign'
      throw fileError('read lease', path, error)
    }
  }

  /** Makes a lease in the place of nothing, or of one that was never finished. Throws IO, PERMISSION. */
  create(name: string, text: string): void {
    const path = `${this.path}/${name}`
    try {
      createText(path, text, MODE)
    } catch (error) {
      if (errnoCode(error) !== 'EEXIST' || this.read(name) !== 'unfinished') {
        throw fileError('create lease', path, error)
      }
      removeFile(path)
      createText(path, text, MODE)
    }
  }

  /** Removes what is there of `names`, and answers with what went wrong. */
  remove(names: Iterable<string>): TnetError[] {
    const errors: TnetError[] = []
    for (const name of names) {
      const path = `${this.path}/${name}`
      try {
        removeFile(path)
      } catch (error) {
        errors.push(fileError('remove lease', path, error))
      }
    }
    return errors
  }

  /** Reads every lease, and removes what was never finished. What cannot be read is in `unreadable`. */
  scan(): { leases: Map<string, LeaseHolder>; unreadable: TnetError[]; removed: number } {
    const leases = new Map<string, LeaseHolder>()
    const unreadable: TnetError[] = []
    const unfinished: string[] = []
    for (const name of this.names()) {
      try {
        const found = this.read(name)
        if (typeof found === 'object') leases.set(name, found)
        if (found === 'unfinished') unfinished.push(name)
      } catch (error) {
        unreadable.push(fileError('read lease', `${this.path}/${name}`, error))
      }
    }
    return { leases, unreadable, removed: unfinished.length - this.remove(unfinished).length }
  }
}

/** `lock`, `last_reserved_ip.0` and whatever else lies there are no leases. */
export function isLeaseName(name: string): boolean {
  const address = addressOf(name)
  return address !== undefined && formatAddress(address) === name
}
