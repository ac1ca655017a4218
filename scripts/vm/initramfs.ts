// Packs what a kernel boots with: busybox, the script `init`, and the modules by which it reaches this machine's files.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { which } from '../../test/harness/isolation.ts'
import type { Kernel } from './kernel.ts'

/** The bus, its files, its ports, and a root whose changes stay in memory. */
const MODULES = ['virtio_pci', '9pnet_virtio', '9p', 'virtio_console', 'overlay']

/** `guest` is what `init` hands over to, a command line for sh. */
export function initramfs(kernel: Kernel, guest: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'tnet-initramfs-'))
  try {
    for (const name of ['bin', 'modules']) mkdirSync(join(folder, name))
    copyFileSync(kernel.busybox, join(folder, 'bin/busybox'))
    copyFileSync(join(import.meta.dirname, 'init'), join(folder, 'init'))
    chmodSync(join(folder, 'init'), 0o755)
    for (const [index, file] of modules(kernel).entries()) addModule(file, index, join(folder, 'modules'))
    writeFileSync(join(folder, 'base'), kernel.base)
    writeFileSync(join(folder, 'guest'), `${guest}\n`)
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    return execFileSync(kernel.busybox, ['cpio', '-o', '-H', 'newc'], {
      cwd: folder,
      input: files.join('\n'),
      maxBuffer: 2 ** 30,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Their files, each after those that it needs. */
function modules({ base, version }: Kernel): string[] {
  const needed = (name: string) =>
    execFileSync(which('modprobe') ?? 'modprobe', ['-d', base, '-S', version, '--show-depends', name], {
      encoding: 'utf8',
    })
  const lines = MODULES.flatMap(name => needed(name).split('\n'))
  const files = lines.flatMap(line => /^insmod (\S+)/.exec(line)?.[1] ?? [])
  return [...new Set(files)]
}

/** Named so that a shell's `*` has them in order. Later releases of Debian compress them. */
function addModule(file: string, index: number, folder: string): void {
  const path = join(folder, String(index).padStart(3, '0'))
  if (file.endsWith('.xz')) writeFileSync(path, execFileSync('xz', ['-dc', file], { maxBuffer: 2 ** 30 }))
  else copyFileSync(file, path)
}
