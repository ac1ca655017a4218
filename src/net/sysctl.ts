// Kernel parameters of one network namespace: files below /proc/sys/net.
import { absentIsFine, errnoCode } from '../errors.ts'
import { close, type NetnsFd, O_RDONLY, O_RDWR, open, read, write } from '../sys/syscalls.ts'

/** What hardly a value exceeds, and what no list of ports does. */
const [SHORT, LONG] = [256, 256 * 1024]
const text = { encoder: new TextEncoder(), decoder: new TextDecoder() }

export class Sysctl {
  readonly #netns: NetnsFd

  constructor(netns?: NetnsFd) {
    this.#netns = netns
  }

  /** The value of `net/ipv4/ip_forward`, without its newline. Throws ENOENT where the kernel has no such parameter. */
  async get(name: string): Promise<string> {
    return this.#with(name, O_RDONLY, readValue)
  }

  /** As `get`, or undefined where the kernel has no such parameter (IPv6 switched off, the link gone). */
  async getIfPresent(name: string): Promise<string | undefined> {
    return absentIsFine(['ENOENT'], () => this.get(name))
  }

  /** Writes only what differs, so that a read-only /proc/sys is no obstacle where the value is right. */
  async set(name: string, value: string): Promise<void> {
    try {
      this.#with(name, O_RDWR, fd => {
        if (readValue(fd) !== value) writeValue(fd, value)
      })
    } catch (error) {
      const readOnly = ['EROFS', 'EACCES'].includes(errnoCode(error) ?? '')
      if (!readOnly || (await this.get(name)) !== value) throw error
    }
  }

  /** As `set`, but a parameter that the kernel does not have (IPv6 switched off) is left out. */
  async setIfPresent(name: string, value: string): Promise<void> {
    await absentIsFine(['ENOENT'], () => this.set(name, value))
  }

  #with<T>(name: string, flags: number, deed: (fd: number) => T): T {
    const fd = open(`/proc/sys/${name}`, flags, 0, this.#netns)
    try {
      return deed(fd)
    } finally {
      close(fd)
    }
  }
}

/**
 * From the beginning, wherever reading has led: elsewhere the kernel takes a number, and ignores it. A long list it takes
 * in parts, and an empty one by its newline.
 */
function writeValue(fd: number, value: string): void {
  const bytes = text.encoder.encode(`${value}\n`)
  let count = 1
  for (let taken = 0; taken < bytes.length && count > 0; taken += count)
    count = write(fd, bytes.subarray(taken), taken)
}

/** In one read: at another place than the beginning the kernel has nothing to say. */
function readValue(fd: number): string {
  const short = new Uint8Array(SHORT)
  const length = read(fd, short)
  if (length < SHORT) return text.decoder.decode(short.subarray(0, length)).trimEnd()
  const long = new Uint8Array(LONG)
  return text.decoder.decode(long.subarray(0, read(fd, long, 0))).trimEnd()
}
