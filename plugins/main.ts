// The one executable: the name that it is called by says which program it is. Each loads only what it needs.
import type { Plugin } from '../src/cni/plugin.ts'
import { nameOf, parentOf } from '../src/sys/path.ts'
import { readInput, writeOutput } from '../src/sys/stdio.ts'

const PLUGINS: Readonly<Record<string, () => Promise<Plugin>>> = {
  bandwidth: async () => (await import('./bandwidth.ts')).plugin,
  bridge: async () => (await import('./bridge.ts')).plugin,
  container: async () => (await import('./container.ts')).plugin,
  dummy: async () => (await import('./dummy.ts')).plugin,
  firewall: async () => (await import('./firewall.ts')).plugin,
  'host-device': async () => (await import('./host-device.ts')).plugin,
  'host-local': async () => (await import('./host-local.ts')).plugin,
  host: async () => (await import('./host.ts')).plugin,
  ipvlan: async () => (await import('./ipvlan.ts')).plugin,
  loopback: async () => (await import('./loopback.ts')).plugin,
  macvlan: async () => (await import('./macvlan.ts')).plugin,
  none: async () => (await import('./none.ts')).plugin,
  portmap: async () => (await import('./portmap.ts')).plugin,
  ptp: async () => (await import('./ptp.ts')).plugin,
  sbr: async () => (await import('./sbr.ts')).plugin,
  static: async () => (await import('./static.ts')).plugin,
  tap: async () => (await import('./tap.ts')).plugin,
  'tnet-ipam': async () => (await import('./tnet-ipam.ts')).plugin,
  tuning: async () => (await import('./tuning.ts')).plugin,
  vlan: async () => (await import('./vlan.ts')).plugin,
  vrf: async () => (await import('./vrf.ts')).plugin,
}

/** The exit status of wrong usage. */
const USAGE = 2

type Variables = Readonly<Record<string, string | undefined>>

async function main(name: string): Promise<number> {
  if (name === 'tnet') return commandLine()
  if (name === 'tnet-standby') return standBy()
  return call(name, process.env)
}

async function call(name: string, env: Variables): Promise<number> {
  const load = Object.hasOwn(PLUGINS, name) ? PLUGINS[name] : undefined
  if (load !== undefined) return serve(load, env)
  const names = ['tnet', ...Object.keys(PLUGINS)].join(', ')
  await writeOutput(2, `tnet: called as ${JSON.stringify(name)}: want one of ${names}\n`)
  return USAGE
}

async function serve(load: () => Promise<Plugin>, env: Variables): Promise<number> {
  const { door } = await import('../src/cni/door.ts')
  const stdout = (text: string) => writeOutput(1, text)
  const stderr = (text: string) => void writeOutput(2, text).catch(() => {})
  return door(await load(), { env, stdin: readInput, stdout, stderr, ownFolder: parentOf(process.execPath) })
}

/** One of the processes that `tnet standby` keeps: its argument is the process that does. */
async function standBy(): Promise<number> {
  const { work } = await import('../src/standby/worker.ts')
  await work(Number(process.argv[2]), ({ name, env }) => call(nameOf(name), env))
  return 0
}

async function commandLine(): Promise<number> {
  const cwd = workingDirectory()
  // When it is loaded, yargs looks for a package.json upwards from here: nobody else's is to be read.
  process.chdir('/')
  const { main: cli } = await import('../src/cli/main.ts')
  process.chdir(cwd)
  return cli(process.argv.slice(2), {
    env: process.env,
    cwd,
    // A stream that is not used must not be opened: opening changes what a program inherits.
    get stdin() {
      return process.stdin
    },
    get stdout() {
      return process.stdout
    },
    get stderr() {
      return process.stderr
    },
  })
}

/** The root where the working directory has been removed, or must not be seen. */
function workingDirectory(): string {
  try {
    return process.cwd()
  } catch {
    return '/'
  }
}

process.exit(await main(nameOf(process.argv0)))
