// Which network namespaces there are: those that a process runs in, and those that a mount names.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errnoCode } from '../errors.ts'

export interface KnownNamespace {
  /** Device and inode, as `openNetns` gives them. */
  readonly id: string
  readonly inode: number
  /** Where it can be opened now. */
  readonly path: string
  /** The mounts of it that this process sees: `/run/netns/web`. */
  readonly mounts: readonly string[]
  /** The processes in it, lowest first. */
  readonly pids: readonly number[]
  /** Whether tnet itself runs in it. */
  readonly own: boolean
}

interface Found {
  id: string
  inode: number
  path: string
  mounts: string[]
  pids: number[]
  own: boolean
}

/** A namespace that is mounted where this process does not see it; its path may lead anywhere, so nobody opens it. */
export interface HiddenNamespace {
  readonly inode: number
  /** A process that sees the mount. */
  readonly pid: number
}

export interface Namespaces {
  /** That of tnet itself comes first. */
  readonly known: readonly KnownNamespace[]
  readonly hidden: readonly HiddenNamespace[]
  /** Processes of others, whose namespaces this process may not see. */
  readonly denied: readonly number[]
}

/**
 * All that this process may see. A namespace that only an open file or a socket keeps alive is not among them.
 * What disappears while it looks is left out.
 */
export async function findNamespaces(proc = '/proc'): Promise<Namespaces> {
  const all = new Map<string, Found>()
  const note = (path: string): Found | undefined => {
    const stat = readable(() => statSync(path))
    if (stat === undefined) return undefined
    const id = `${stat.dev}:${stat.ino}`
    const found = all.get(id) ?? { id, inode: stat.ino, path, mounts: [], pids: [], own: false }
    all.set(id, found)
    return found
  }
  const own = note(join(proc, 'self/ns/net'))
  if (own !== undefined) own.own = true
  for (const { path } of mounts(join(proc, 'self/mountinfo'))) note(path)?.mounts.push(path)

  const denied: number[] = []
  const elsewhere = new Map<number, HiddenNamespace>()
  const seen = new Set([mountNamespace(join(proc, 'self'))])
  for (const pid of processes(proc)) {
    const folder = join(proc, String(pid))
    const runsIn = note(join(folder, 'ns/net'))
    if (runsIn !== undefined) runsIn.pids.push(pid)
    else if (isDenied(join(folder, 'ns/net'))) denied.push(pid)
    const mountedIn = mountNamespace(folder)
    if (seen.has(mountedIn)) continue
    seen.add(mountedIn)
    for (const { inode } of mounts(join(folder, 'mountinfo'))) elsewhere.set(inode, { inode, pid })
  }
  const known = [...all.values()].sort((a, b) => Number(b.own) - Number(a.own) || (a.path < b.path ? -1 : 1))
  for (const { inode } of known) elsewhere.delete(inode)
  return { known, hidden: [...elsewhere.values()], denied }
}

/**
 * Those of this host and of its containers. A container may be a host itself (kind, Docker in Docker), whose containers run in process
 * namespaces of their own below its: what is in them is that host's affair, be it called as ours is.
 */
export async function ownNamespaces(proc = '/proc'): Promise<KnownNamespace[]> {
  const { known } = await findNamespaces(proc)
  const deepest = depthOf('self', proc) + 1
  return known.filter(
    ({ mounts, pids }) => mounts.length > 0 || pids.some(pid => depthOf(pid, proc) <= deepest),
  )
}

/** In how many process namespaces it is, from that of /proc down. What has ended says nothing about those beside it. */
function depthOf(pid: number | 'self', proc: string): number {
  const status = readable(() => readFileSync(join(proc, String(pid), 'status'), 'utf8'))
  if (status === undefined) return Infinity
  return /^NSpid:(.*)$/m.exec(status)?.[1]?.trim().split(/\s+/).length ?? 0
}

/** The name of the program that a process runs, at most 15 characters; empty where it has ended. */
export function commandOf(pid: number, proc = '/proc'): string {
  return readable(() => readFileSync(join(proc, String(pid), 'comm'), 'utf8'))?.trimEnd() ?? ''
}

/** The container that a process belongs to, by the name of its control group: Docker, Podman, containerd and CRI-O. */
export function containerOf(pid: number, proc = '/proc'): string | undefined {
  const groups = readable(() => readFileSync(join(proc, String(pid), 'cgroup'), 'utf8')) ?? ''
  return /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/.exec(groups)?.[0]
}

function processes(proc: string): number[] {
  return readdirSync(proc)
    .filter(name => /^[0-9]+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

function mountNamespace(folder: string): number | undefined {
  return readable(() => statSync(join(folder, 'ns/mnt')))?.ino
}

/** Network namespaces that are mounted: `36 35 0:4 net:[4026532008] /run/netns/web rw - nsfs nsfs rw`. */
function mounts(mountinfo: string): { inode: number; path: string }[] {
  const text = readable(() => readFileSync(mountinfo, 'utf8')) ?? ''
  return text.split('\n').flatMap(line => {
    const [, , , root = '', path = ''] = line.split(' ')
    const inode = /^net:\[([0-9]+)\]$/.exec(root)?.[1]
    return inode === undefined ? [] : [{ inode: Number(inode), path: unescaped(path) }]
  })
}

/** Spaces, tabs, newlines and backslashes are written in octal. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)))
}

/** A process that has ended, or is ending, is not denied. */
function isDenied(path: string): boolean {
  try {
    statSync(path)
    return false
  } catch (error) {
    return ['EACCES', 'EPERM'].includes(errnoCode(error) ?? '')
  }
}

/** Processes end and mounts go at any moment; others' are not for everybody to see. */
function readable<T>(deed: () => T): T | undefined {
  try {
    return deed()
  } catch (error) {
    if (UNREADABLE.has(errnoCode(error) ?? '')) return undefined
    throw error
  }
}

const UNREADABLE = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR', 'ELOOP', 'EINVAL'])
