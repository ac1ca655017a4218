// The SELinux context of the sockets that this thread makes.
import { errnoCode, TnetError, unwanted } from '../errors.ts'
import { ifPresent } from '../sys/files.ts'
import { close, O_WRONLY, open, stat, write } from '../sys/syscalls.ts'

const SELINUX = '/sys/fs/selinux'
const LABEL = '/proc/thread-self/attr/sockcreate'
/** What the kernel takes for: as the policy has it. */
const NONE = '\n'

/** Throws UNSUPPORTED where sockets cannot have a context. */
export function checkSelinux(context: string | undefined): void {
  if (context === undefined || ifPresent(() => stat(SELINUX)) !== undefined) return
  throw new TnetError(
    'UNSUPPORTED',
    `selinuxContext ${JSON.stringify(context)}: this system has no SELinux`,
    'leave it out',
  )
}

/** Makes a call whose socket gets the context. Throws UNSUPPORTED, and BAD_CONFIG for one that the policy lacks. */
export function withSocketLabel(context: string | undefined, call: () => void): void {
  if (context === undefined) return call()
  checkSelinux(context)
  try {
    label(context)
  } catch (error) {
    if (errnoCode(error) !== 'EINVAL') throw error
    throw unwanted('selinuxContext', 'a context that the policy of this system has', context)
  }
  try {
    call()
  } finally {
    label(NONE)
  }
}

function label(context: string): void {
  const fd = open(LABEL, O_WRONLY, 0)
  try {
    write(fd, new TextEncoder().encode(context))
  } finally {
    close(fd)
  }
}
