// Copies a plugin directory file by file: each is written beside its place and renamed into it.
import { constants, existsSync } from 'node:fs'
import {
  copyFile,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises'
import { join } from 'node:path'
import { absentIsFine, TnetError } from '../errors.ts'
import { fileError } from '../sys/files.ts'

/** What an interrupted copy leaves; no runtime looks for a plugin of such a name. */
const UNFINISHED = '.tnet-install-'

/**
 * Copies the files and links of `from` into `to`, which is made where it is missing. A program that runs from `to`
 * keeps the file that it started from. Answers the names. Throws TnetError BAD_CONFIG, IO and PERMISSION.
 */
export async function installDirectory(from: string, to: string): Promise<string[]> {
  await makeTarget(to)
  if ((await realpath(from)) === (await realpath(to))) {
    throw new TnetError(
      'BAD_CONFIG',
      `install into ${to}: this is where it is installed already`,
      'give another --bin-dir',
    )
  }
  await discardUnfinished(to)
  const names = await entries(from)
  const placed = new Map<number, string>()
  for (const { name, inode, target } of names) {
    const first = placed.get(inode)
    await place(join(to, name), async unfinished => {
      if (target !== undefined) await symlink(target, unfinished)
      else if (first !== undefined) await link(join(to, first), unfinished)
      else await copyWhole(join(from, name), unfinished)
    })
    if (target === undefined) placed.set(inode, name)
  }
  await flush(to)
  return names.map(({ name }) => name).sort()
}

async function makeTarget(to: string): Promise<void> {
  try {
    const there = await absentIsFine(['ENOENT'], () => stat(to))
    if (there?.isDirectory() === false)
      throw new TnetError('BAD_CONFIG', `install into ${to}: it is a file, want a directory`)
    await mkdir(to, { recursive: true, mode: 0o755 })
  } catch (error) {
    throw fileError('install into', to, error)
  }
}

interface Entry {
  readonly name: string
  readonly inode: number
  /** What a symbolic link says. */
  readonly target: string | undefined
}

/**
 * What there is to copy. The addon and the runtime come before the names that start them: links last, then what has
 * several names.
 */
async function entries(from: string): Promise<Entry[]> {
  const found = await Promise.all(
    (await readdir(from)).map(async name => {
      const stat = await lstat(join(from, name))
      const target = stat.isSymbolicLink() ? await readlink(join(from, name)) : undefined
      return {
        name,
        inode: stat.ino,
        names: stat.nlink,
        target,
        copied: stat.isFile() || target !== undefined,
      }
    }),
  )
  const rank = (each: { target: string | undefined; names: number; name: string }) =>
    each.target !== undefined ? 3 : each.names > 1 ? 2 : each.name === 'tnet' ? 1 : 0
  return found
    .filter(each => each.copied && !each.name.startsWith(UNFINISHED))
    .sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
}

async function place(path: string, make: (unfinished: string) => Promise<void>): Promise<void> {
  const unfinished = join(path, '..', `${UNFINISHED}${process.pid}`)
  try {
    await make(unfinished)
    await rename(unfinished, path)
    // Two names of one file: rename does nothing, and says that it did.
    await rm(unfinished, { force: true })
  } catch (error) {
    await absentIsFine(['EROFS', 'EACCES', 'EPERM'], () => rm(unfinished, { force: true }))
    throw fileError('install', path, error)
  }
}

/** A copy that is on the disk before it gets its name: a power cut must not leave an empty plugin. */
async function copyWhole(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL)
  await flush(to)
}

async function flush(path: string): Promise<void> {
  await using file = await open(path, constants.O_RDONLY)
  await file.sync()
}

async function discardUnfinished(folder: string): Promise<void> {
  const left = (await readdir(folder)).filter(name => name.startsWith(UNFINISHED))
  const abandoned = left.filter(name => !existsSync(`/proc/${name.slice(UNFINISHED.length)}`))
  for (const name of abandoned) await rm(join(folder, name), { force: true })
}
