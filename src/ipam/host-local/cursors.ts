// Which address each range set gave last: the files `last_reserved_ip.<index of the set>`.
import { type Address, addressOf, formatAddress } from '../../net/ip.ts'
import { fileError, ifPresent, letGo, openFile, readStart, rewrite } from '../../sys/files.ts'

const MODE = 0o600

export class Cursors implements Disposable {
  readonly #path: string
  /** Read once, written once: the file stays open in between. */
  readonly #open = new Map<number, { fd: number; length: number }>()

  constructor(path: string) {
    this.#path = path
  }

  /** Undefined where the set has given none, or the file says nothing that is an address. Throws IO, PERMISSION. */
  last(set: number): Address | undefined {
    const path = this.#file(set)
    try {
      const fd = ifPresent(() => openFile(path))
      if (fd === undefined) return undefined
      const opened = { fd, length: 0 }
      this.#open.set(set, opened)
      const text = readStart(fd)
      opened.length = Buffer.byteLength(text)
      return addressOf(text)
    } catch (error) {
      throw fileError('read', path, error)
    }
  }

  /** Throws IO, PERMISSION. */
  set(set: number, address: Address): void {
    const path = this.#file(set)
    try {
      const opened = this.#open.get(set) ?? { fd: openFile(path, MODE), length: 0 }
      this.#open.set(set, opened)
      rewrite(opened.fd, formatAddress(address), opened.length)
    } catch (error) {
      throw fileError('write', path, error)
    }
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#open.values()) letGo(fd)
  }

  #file(set: number): string {
    return `${this.#path}/last_reserved_ip.${set}`
  }
}
