// How this machine can give a test namespaces of its own: as root directly, otherwise in a user namespace.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Arguments of unshare(1), to be followed by a program with its own; or what is missing on this machine. */
export type Isolation = { readonly unshare: readonly string[] } | { readonly missing: string }

/** The programs that tests read the kernel with, and where Debian has them. */
const PROGRAMS = {
  unshare: 'util-linux',
  nsenter: 'util-linux',
  mount: 'util-linux',
  ip: 'iproute2',
  nft: 'nftables',
  cc: 'gcc',
}

/** Processes too: GC looks for links in the namespaces of all that it sees, and another test's are none of its business. */
const NAMESPACES = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
/** The first process is the one that waits for those whose parents have ended: a shell does, Node does not. */
const FIRST_PROCESS = ['sh', '-c', '"$@"; exit $?', 'sh']

/** `programs` are those that must be there, with the Debian package of each. */
export function isolation(programs: Readonly<Record<string, string>> = PROGRAMS): Isolation {
  const absent = Object.entries(programs).filter(([program]) => which(program) === undefined)
  if (absent.length > 0) {
    return {
      missing: absent
        .map(([program, found]) => `the program ${program} (Debian package ${found})`)
        .join(', '),
    }
  }
  const direct = [...NAMESPACES, ...FIRST_PROCESS]
  const mapped = ['--user', '--map-root-user', ...direct]
  const ways = process.getuid?.() === 0 ? [direct, mapped] : [mapped]
  const refusals: string[] = []
  for (const unshare of ways) {
    const probe = spawnSync('unshare', [...unshare, 'mount', '-t', 'tmpfs', 'tnet', '/run'], {
      encoding: 'utf8',
    })
    if (probe.status === 0) return { unshare }
    refusals.push(`unshare ${unshare.join(' ')}: ${probe.stderr.trim()}`)
  }
  return { missing: `permission to make network and mount namespaces (${refusals.join('; ')})${remedies()}` }
}

/** The full path of a program, as execve(2) wants it. /sbin is not in every user's PATH. */
export function which(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin', '/bin']
  return folders.map(folder => join(folder, program)).find(path => existsSync(path))
}

function remedies(): string {
  const wanted: [file: string, refuses: string, remedy: string][] = [
    ['/proc/sys/kernel/unprivileged_userns_clone', '0', 'sysctl kernel.unprivileged_userns_clone=1'],
    [
      '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
      '1',
      'sysctl kernel.apparmor_restrict_unprivileged_userns=0',
    ],
    ['/proc/sys/user/max_user_namespaces', '0', 'sysctl user.max_user_namespaces=10000'],
  ]
  const found = wanted.filter(
    ([file, refuses]) => existsSync(file) && readFileSync(file, 'utf8').trim() === refuses,
  )
  if (found.length === 0) return ': run as root, or where CAP_SYS_ADMIN or user namespaces are allowed'
  return `: run as root, or first ${found.map(([, , remedy]) => remedy).join(', ')}`
}
