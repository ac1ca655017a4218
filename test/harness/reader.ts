// Somebody who reads a page and does what it says, on a machine of their own: network, mounts and processes.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Answer, Verb } from './plugins.ts'
import { attempt, type Ran, type RunOptions } from './run.ts'

/** Where a runtime looks for plugins. */
const CNI_BIN = '/opt/cni/bin'
/** The reader's own folder: configurations are saved there by the names of their networks. */
const HOME = '/run/reader'

/** /run, /var/lib/cni, /var/lib/tnet and /opt are empty; $1, the built plugins, is dist/bin of the reader's folder. */
const MACHINE = `
  for folder in /run /var/lib/cni /var/lib/tnet /opt; do mount -t tmpfs -o mode=755 tnet $folder; done
  mkdir -p ${HOME}/dist && ln -s "$1" ${HOME}/dist/bin
  ip link set lo up
  echo ready
  exec sleep infinity`

export interface Reader extends AsyncDisposable {
  /** Runs a block of commands in a shell that keeps its variables from block to block. */
  shell(commands: string): Promise<Ran>
  /** Puts the built plugins to where a runtime finds them. */
  install(): Promise<void>
  save(name: string, text: string): void
  /** Calls the plugin of a network configuration, as a runtime does. */
  call(verb: Verb, config: Readonly<Record<string, unknown>>, netns: string): Promise<Answer>
  run(file: string, ...args: string[]): Promise<string>
}

/** `plugins` is the directory of the built plugins, `others` one for what is not there. */
export async function reader(plugins: string, others: string): Promise<Reader> {
  const machine = spawn(
    'unshare',
    '--net --mount --pid --fork --kill-child --mount-proc sh -e -c'.split(' ').concat(MACHINE, 'sh', plugins),
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const ended = once(machine, 'exit')
  await Promise.race([
    once(machine.stdout, 'data'),
    ended.then(() => Promise.reject(new Error('no machine'))),
  ])
  const inside = (file: string, args: readonly string[], options?: RunOptions) =>
    attempt('nsenter', [...entrance(machine), file, ...args], options)
  const run = async (file: string, ...args: string[]) => {
    const { code, stdout, stderr } = await inside(file, args)
    if (code !== 0) throw new Error(`${file} ${args.join(' ')}: ${stderr}${stdout}`)
    return stdout
  }
  const path = [CNI_BIN, 'dist/bin', process.env['PATH'], '/usr/sbin', '/sbin'].join(':')
  return {
    run,
    shell: commands =>
      inside('bash', ['--norc', '-eu', '-o', 'pipefail', '-c', script(commands)], { env: { PATH: path } }),
    install: async () => void (await run('sh', '-c', `mkdir -p /opt/cni && ln -s "${plugins}" ${CNI_BIN}`)),
    save: (name, text) => writeFileSync(join(`/proc/${machine.pid}/root`, HOME, name), text),
    async call(verb, config, netns) {
      const env = {
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
        CNI_COMMAND: verb,
        CNI_PATH: `${CNI_BIN}:${others}`,
        CNI_CONTAINERID: 'documented',
        CNI_NETNS: netns,
        CNI_IFNAME: 'eth0',
      }
      const find = `for each in ${CNI_BIN} ${others}; do [ ! -x $each/$0 ] || exec $each/$0; done; exit 127`
      const ran = await inside('sh', ['-c', find, String(config['type'])], {
        env,
        input: JSON.stringify(config),
      })
      return { ...ran, json: ran.code === 0 && ran.stdout !== '' ? JSON.parse(ran.stdout) : undefined }
    },
    async [Symbol.asyncDispose]() {
      machine.kill('SIGKILL')
      await ended
    },
  }
}

/** By the namespaces of the process that made them; those of its child are its own, but that of processes. */
function entrance({ pid }: ChildProcess): string[] {
  const ns = `/proc/${pid}/ns`
  return [`--net=${ns}/net`, `--mount=${ns}/mnt`, `--pid=${ns}/pid_for_children`]
}

/** The commands, with the variables that the block before has exported. */
function script(commands: string): string {
  const kept = `${HOME}/.environment`
  return `cd ${HOME}\n[ ! -e ${kept} ] || . ${kept}\n${commands}\nexport -p > ${kept}\n`
}
