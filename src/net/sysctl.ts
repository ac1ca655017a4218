// Kernel parameters of one network namespace: files below /proc/sys/net.
import { absentIsFine, errnoCode } from '../errors.ts'
import { close, type NetnsFd, O_RDONLY, O_RDWR, O_WRONLY, open, read, write } from '../sys/syscalls.ts'

/** What hardly a value exceeds, and what no list of ports does. */
const [SHORT, LONG] = [256, 256 * 1024]
/** What the kernel says to the reader of a parameter that has no value yet: `net/ipv6/conf/eth0/stable_secret`. */
const UNSET = 'EIO'
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

  /** As `get`, or undefined where the parameter has no value to read: it can only be written, or was never set. */
  async getIfReadable(name: string): Promise<string | undefined> {
    return absentIsFine(['EACCES', UNSET], () => this.get(name))
  }

  /**
   * Writes only what differs, so that a read-only /proc/sys is no obstacle where the value is right. What cannot be read
   * is written.
   */
  async set(name: string, value: string): Promise<void> {
    try {
      this.#with(name, O_RDWR, fd => {
        if (valueIfSet(fd) !== value) writeValue(fd, value)
      })
    } catch (error) {
      if (!['EROFS', 'EACCES'].includes(errnoCode(error) ?? '')) throw error
      const found = await this.getIfReadable(name)
      if (found === value) return
      if (found !== undefined) throw error
      this.#with(name, O_WRONLY, fd => writeValue(fd, value))
    }
  }

  /** As `set`, but a parameter that the kernel does not have (IPv6 switched off) is left out. */
  async setIfPresent(name: string, value: string): Promise<void> {
    await absentIsFine(['ENOENT'], () => this.set(name, value))
  }

  /** As `setIfPresent`, for what is good to have: in a container /proc/sys is often read-only, and nobody can set it. */
  async setIfWritable(name: string, value: string): Promise<void> {
    await absentIsFine(['EROFS'], () => this.setIfPresent(name, value))
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

function valueIfSet(fd: number): string | undefined {
  try {
    return readValue(fd)
  } catch (error) {
    if (errnoCode(error) === UNSET) return undefined
    throw error
  }
}
