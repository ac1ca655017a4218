// Whether another process could do all that this one does, and would see the same: only then may it be served.
import { SystemError, close, open, O_RDONLY, read, readlink } from '../sys/syscalls.ts'
import { scratch } from '../sys/scratch.ts'

/** Namespaces and the root: what paths and interface names mean, and whose rights count. */
const LINKS = ['ns/net', 'ns/mnt', 'ns/user', 'root']
/** Lines of /proc/PID/status. */
const RIGHTS = /^(Umask|Uid|Gid|CapEff|NoNewPrivs|Seccomp|Seccomp_filters):.*$/gm
const ROOM = 4096

/** Where the process stands, as a text to compare; undefined where it has ended, or is not for us to see. */
export function standing(pid: number | 'self'): string | undefined {
  try {
    const links = LINKS.map(link => linkOf(`/proc/${pid}/${link}`))
    return [...links, ...(status(pid).match(RIGHTS) ?? [])].join('\n')
  } catch (error) {
    if (error instanceof SystemError) return undefined
    throw error
  }
}

/** A kernel may be built without a kind of namespace. */
function linkOf(path: string): string {
  try {
    return readlink(path)
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENOENT') return 'none'
    throw error
  }
}

function status(pid: number | 'self'): string {
  const fd = open(`/proc/${pid}/status`, O_RDONLY, 0)
  try {
    const into = scratch(ROOM)
    return new TextDecoder().decode(into.subarray(0, read(fd, into)))
  } finally {
    close(fd)
  }
}
