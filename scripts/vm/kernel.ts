// Debian's stock kernel and a static busybox to boot it with: fetched by apt and unpacked into the user's cache, where
// they are found the next time. Nothing is installed, nothing here needs root.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { which } from '../../test/harness/isolation.ts'

export interface Kernel {
  /** As uname -r tells it. */
  readonly version: string
  readonly image: string
  /** The folder that has lib/modules. */
  readonly base: string
  readonly busybox: string
}

const META_PACKAGE = 'linux-image-amd64'

/** The one in the cache; a newer one is fetched when that folder is gone. */
export function debianKernel(env: NodeJS.ProcessEnv): Kernel {
  const cache = join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tnet')
  const base = join(cache, 'debian-kernel')
  if (!existsSync(base)) fetch(cache, base)
  const [version] = readdirSync(join(base, 'lib/modules'))
  if (version === undefined) throw new Error(`${base}: no kernel in it: remove the folder`)
  return { version, base, image: join(base, `boot/vmlinuz-${version}`), busybox: join(base, 'bin/busybox') }
}

function fetch(cache: string, base: string): void {
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'fetch-'))
  try {
    if (process.getuid?.() === 0) execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit' })
    for (const name of [imagePackage(), 'busybox-static']) unpack(name, folder)
    const [version = ''] = readdirSync(join(folder, 'lib/modules'))
    execFileSync(which('depmod') ?? 'depmod', ['-b', folder, version])
    renameSync(folder, base)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The package that the current kernel of this release is in. */
function imagePackage(): string {
  const depends = execFileSync('apt-cache', ['depends', META_PACKAGE], { encoding: 'utf8' })
  const found = /Depends: (linux-image-\d\S*)/.exec(depends)?.[1]
  if (found === undefined) throw new Error(`apt knows no ${META_PACKAGE}: apt-get update as root`)
  return found
}

function unpack(name: string, folder: string): void {
  process.stdout.write(`apt-get download ${name}\n`)
  // apt cannot give up its privileges in a folder that is ours alone, and says so.
  execFileSync('apt-get', ['download', '-qq', '-o', 'APT::Sandbox::User=root', name], {
    cwd: folder,
    stdio: 'inherit',
  })
  const files = readdirSync(folder).filter(file => file.endsWith('.deb'))
  for (const file of files) {
    execFileSync('dpkg', ['-x', file, '.'], { cwd: folder })
    rmSync(join(folder, file))
  }
}
