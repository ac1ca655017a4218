// containerd on a plugin directory, in the namespaces of the test: for ctr, and for CRI as a kubelet calls it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { ownCgroups } from './cgroups.ts'
import { IMAGE, imageArchive } from './image.ts'
import { run, until } from './run.ts'

const FOLDER = '/run/for-containerd'
const SOCKET = '/run/containerd/containerd.sock'
/** Where it reads lists of plugins. */
export const LISTS = '/etc/cni/net.d'

/** An OCI runtime that leaves the cgroups of the machine alone. */
const RUNTIME = join(FOLDER, 'crun')

const CONFIG = `version = 2
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${IMAGE}"
disable_cgroup = true
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "${RUNTIME}"
`

export interface Containerd extends AsyncDisposable {
  /** Runs ctr in the namespace of CRI's images. */
  ctr(...args: string[]): Promise<string>
  /** Calls CRI; rejects with the runtime's words. */
  cri(method: string, request: object): Promise<Record<string, any>>
  log(): string
}

/** `list` is written to where runtimes look for it; /opt/cni/bin leads to `plugins`. */
export async function containerd(plugins: string, list: object): Promise<Containerd> {
  mkdirSync(join(FOLDER, 'image'), { recursive: true })
  await ownCgroups()
  await defaultPlaces(plugins, list)
  writeFileSync(RUNTIME, '#!/bin/sh\nexec crun --cgroup-manager=disabled "$@"\n', { mode: 0o755 })
  writeFileSync(join(FOLDER, 'config.toml'), CONFIG)
  const daemon = spawn('containerd', ['--config', join(FOLDER, 'config.toml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  daemon.stderr.pipe(createWriteStream(join(FOLDER, 'log')))
  const ended = once(daemon, 'exit')
  await until('containerd answers', async () => existsSync(SOCKET))
  const ctr = (...args: string[]) => run('ctr', ['--namespace', 'k8s.io', ...args], { timeout: 60_000 })
  await ctr('image', 'import', '--snapshotter', 'native', await imageArchive(join(FOLDER, 'image')))
  const client = criClient()
  return {
    ctr,
    cri: (method, request) =>
      new Promise((resolve, reject) =>
        client[method]?.(request, (error: Error | null, answer: Record<string, any>) =>
          error === null ? resolve(answer) : reject(error),
        ),
      ),
    log: () => readFileSync(join(FOLDER, 'log'), 'utf8'),
    async [Symbol.asyncDispose]() {
      client.close()
      daemon.kill('SIGTERM')
      await ended
    },
  }
}

/** The arguments of ctr that start a container as CRI does here. */
export const RUN = ['run', '--runc-binary', RUNTIME, '--snapshotter', 'native', '--cni'] as const

/** Changes to /etc and /opt stay in this mount namespace. */
async function defaultPlaces(plugins: string, list: object): Promise<void> {
  const [upper, work] = [join(FOLDER, 'etc'), join(FOLDER, 'work')]
  mkdirSync(upper)
  mkdirSync(work)
  const layers = `lowerdir=/etc,upperdir=${upper},workdir=${work}`
  await run('mount', ['-t', 'overlay', '-o', layers, 'overlay', '/etc'])
  rmSync('/etc/cni', { recursive: true, force: true })
  mkdirSync(LISTS, { recursive: true })
  writeFileSync(join(LISTS, '10-pods.conflist'), JSON.stringify(list))
  await run('mount', ['-t', 'tmpfs', 'tnet', '/opt'])
  mkdirSync('/opt/cni')
  symlinkSync(plugins, '/opt/cni/bin')
}

function criClient() {
  const definition = loadSync(join(import.meta.dirname, 'cri.proto'), { keepCase: true, defaults: true })
  const { runtime } = loadPackageDefinition(definition) as unknown as {
    runtime: { v1: { RuntimeService: ServiceClientConstructor } }
  }
  return new runtime.v1.RuntimeService(`unix://${SOCKET}`, credentials.createInsecure())
}
