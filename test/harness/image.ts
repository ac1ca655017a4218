// A container image made of busybox-static, as an archive that every runtime loads: no registry is asked.
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run.ts'

export const IMAGE = 'docker.io/library/busybox:tnet'
const BUSYBOX = '/bin/busybox'
const APPLETS = ['sh', 'ip', 'ping', 'sleep', 'cat', 'ls', 'wget', 'httpd', 'nc', 'true']

/** Writes the archive below `folder`; answers its path. */
export async function imageArchive(folder: string): Promise<string> {
  const root = join(folder, 'root')
  const archive = join(folder, 'archive')
  for (const path of [join(root, 'bin'), join(root, 'etc'), join(root, 'tmp'), archive])
    mkdirSync(path, { recursive: true })
  copyFileSync(BUSYBOX, join(root, 'bin/busybox'))
  for (const applet of APPLETS) symlinkSync('busybox', join(root, 'bin', applet))
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n')
  await run('tar', [
    '--create',
    '--owner=0',
    '--group=0',
    '--file',
    join(archive, 'layer.tar'),
    '-C',
    root,
    '.',
  ])
  const layer = createHash('sha256')
    .update(readFileSync(join(archive, 'layer.tar')))
    .digest('hex')
  const config = JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Cmd: ['/bin/sleep', '1000000'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
    history: [{ created_by: 'busybox-static' }],
  })
  writeFileSync(join(archive, 'config.json'), config)
  const manifest = [{ Config: 'config.json', RepoTags: [IMAGE], Layers: ['layer.tar'] }]
  writeFileSync(join(archive, 'manifest.json'), JSON.stringify(manifest))
  const path = join(folder, 'busybox.tar')
  await run('tar', ['--create', '--file', path, '-C', archive, 'manifest.json', 'config.json', 'layer.tar'])
  return path
}
