// Locks between processes: flock(2) on a file, held until it is disposed of or the process ends.
import { errnoCode, TnetError } from '../errors.ts'
import { close, flock, LOCK_EX, LOCK_NB, LOCK_SH, O_CREAT, O_NOFOLLOW, O_RDWR, open } from './syscalls.ts'

/** A holder works for milliseconds; one that is stopped must not stop everybody else for ever. */
const PATIENCE = 30_000
const FIRST_PAUSE = 1
const LONGEST_PAUSE = 16

/**
 * Takes the lock on the file `path`, which is made where it is missing; `shared`: beside others who share it. Whoever
 * may open the file can keep everybody waiting. Throws TRY_AGAIN where another process holds it for too long, and ELOOP
 * where `path` is a symbolic link.
 */
export async function lock(
  path: string,
  { mode = 0o600, patience = PATIENCE, shared = false } = {},
): Promise<Disposable> {
  const fd = open(path, O_CREAT | O_RDWR | O_NOFOLLOW, mode)
  try {
    await takeLock(fd, path, patience, shared ? LOCK_SH : LOCK_EX)
  } catch (error) {
    close(fd)
    throw error
  }
  return { [Symbol.dispose]: () => close(fd) }
}

/**
 * Takes the lock of an open file or directory, which lasts until `fd` is closed. `path` is for the error: TRY_AGAIN
 * where another process holds it for `patience` milliseconds.
 */
export async function takeLock(fd: number, path: string, patience = PATIENCE, kind = LOCK_EX): Promise<void> {
  const deadline = performance.now() + patience
  for (let pause = FIRST_PAUSE; !tryLock(fd, kind); pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    if (performance.now() >= deadline) {
      throw new TnetError(
        'TRY_AGAIN',
        `lock ${path}: another process has held it for ${patience / 1000} s`,
        `see who: fuser ${path}`,
      )
    }
    await new Promise(resume => setTimeout(resume, pause))
  }
}

function tryLock(fd: number, kind: number): boolean {
  for (;;) {
    try {
      flock(fd, kind | LOCK_NB)
      return true
    } catch (error) {
      const code = errnoCode(error)
      if (code === 'EAGAIN' || code === 'EWOULDBLOCK') return false
      if (code !== 'EINTR') throw error
    }
  }
}
