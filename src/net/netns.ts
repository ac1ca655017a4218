// Network namespaces by path: opened once, told apart by device and inode.
import { errnoCode, TnetError } from '../errors.ts'
import { close, fileSystem, fstat, O_NONBLOCK, O_RDONLY, open, SystemError } from '../sys/syscalls.ts'

/** include/uapi/linux/magic.h */
export const NSFS_MAGIC = 0x6e736673
/** The namespace of this process. */
export const OWN_NETNS = '/proc/thread-self/ns/net'

export interface Netns extends Disposable {
  readonly path: string
  readonly fd: number
  /** Device and inode: equal for two paths of one namespace. */
  readonly id: string
}

/** Opens the namespace at `path`. Throws TnetError BAD_NETNS where nothing is there or it is no namespace. */
export function openNetns(path: string): Netns {
  const fd = openPath(path)
  try {
    if (fileSystem(fd) !== NSFS_MAGIC) throw badNetns(path, 'it is no namespace')
    const { dev, ino } = fstat(fd)
    return { path, fd, id: `${dev}:${ino}`, [Symbol.dispose]: () => close(fd) }
  } catch (error) {
    close(fd)
    throw error
  }
}

/** The namespace of this process. */
export function ownNetns(): Netns {
  return openNetns(OWN_NETNS)
}

function openPath(path: string): number {
  try {
    // Not to wait where somebody put a FIFO.
    return open(path, O_RDONLY | O_NONBLOCK, 0)
  } catch (error) {
    const code = errnoCode(error) ?? ''
    if (['ENOENT', 'ENOTDIR', 'ENXIO', 'ELOOP', 'ENAMETOOLONG'].includes(code))
      throw badNetns(path, 'it does not exist', error)
    // While the kernel takes a process down, it refuses what has gone already with the same words as what is not ours to see.
    if (['EACCES', 'ESRCH'].includes(code) && /^\/proc\/\d+\//.test(path))
      throw badNetns(path, 'its process has ended, or is not for this one to see', error)
    throw error
  }
}

export function badNetns(path: string, why: string, cause?: unknown): TnetError {
  return new TnetError(
    'BAD_NETNS',
    `network namespace ${JSON.stringify(path)}: ${why}`,
    'give the path of a network namespace, such as /run/netns/NAME or /proc/PID/ns/net',
    cause instanceof SystemError ? { cause } : undefined,
  )
}
