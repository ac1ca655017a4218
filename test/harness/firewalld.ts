// A firewalld of the test's own, on a message bus of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Netns } from './namespaces.ts'
import { attempt, run } from './run.ts'

export interface OwnFirewalld extends AsyncDisposable {
  /** What DBUS_SYSTEM_BUS_ADDRESS is set to. */
  readonly bus: string
  /** firewall-cmd: its standard output. */
  command(...words: string[]): Promise<string>
  stop(): Promise<void>
}

const SOCKET = '/run/test-bus'
const CONFIG = '/run/test-bus.conf'
const POLICY = '<allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>'

/** A bus without firewalld. */
export async function ownBus(): Promise<{ readonly bus: string } & AsyncDisposable> {
  writeFileSync(
    CONFIG,
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
      "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
    <busconfig><type>system</type><listen>unix:path=${SOCKET}</listen><auth>EXTERNAL</auth>
    <policy context="default">${POLICY}</policy></busconfig>`,
  )
  const arguments_ = [`--config-file=${CONFIG}`, '--nofork', '--nopidfile', '--print-address']
  const daemon = spawn('dbus-daemon', arguments_, { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(daemon.stdout, 'data')
  return { bus: `unix:path=${SOCKET}`, [Symbol.asyncDispose]: () => end(daemon) }
}

/** firewalld with the configuration that comes with it, in `place` or the namespace of the test itself. */
export async function ownFirewalld(bus: string, place?: Netns): Promise<OwnFirewalld> {
  await run('mount', ['-t', 'tmpfs', 'tnet', '/etc/firewalld'])
  const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: bus }
  const program = ['firewalld', '--nofork', '--nopid', '--log-target=console']
  const [file = '', ...args] = place === undefined ? program : ['nsenter', `--net=${place.path}`, ...program]
  const daemon = spawn(file, args, { env, stdio: 'ignore' })
  const command = (...words: string[]) => attempt('firewall-cmd', words, { env })
  while ((await command('--state')).stdout.trim() !== 'running') {
    if (daemon.exitCode !== null) throw new Error(`firewalld ended with ${daemon.exitCode}`)
    await sleep(100)
  }
  const stop = async () => {
    await end(daemon)
    await attempt('umount', ['/etc/firewalld'])
  }
  return {
    bus,
    async command(...words) {
      const { code, stdout, stderr } = await command(...words)
      if (code !== 0) throw new Error(`firewall-cmd ${words.join(' ')}: ${stderr}`)
      return stdout.trim()
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return
  const ended = once(daemon, 'exit')
  daemon.kill('SIGTERM')
  await ended
}
