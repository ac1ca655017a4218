// Does a packet arrive? Pings, and TCP and UDP questions between namespaces.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Netns } from './namespaces.ts'
import { attempt, type Ran } from './run.ts'
import { ownTool } from './tools.ts'

export type Transport = 'tcp' | 'udp' | 'sctp'

/** Undefined is the namespace of the test itself: the host of its sandboxes. */
export type Place = Netns | undefined

/** True where an echo request from `place` is answered in time. To see that none is, a short time is enough. */
export async function ping(place: Place, address: string, milliseconds = 3000): Promise<boolean> {
  const { code, stderr } = await probe(place, ['ping', address, String(milliseconds)])
  if (code === 2) throw new Error(`ping ${address}: ${stderr}`)
  return code === 0
}

/** Connects from `place` to a server made by `serve`: the address that the server saw, or undefined. `from` is a port. */
export async function ask(
  place: Place,
  to: Transport,
  address: string,
  port: number,
  milliseconds = 3000,
  from?: number,
): Promise<string | undefined> {
  const { code, stdout, stderr } = await probe(place, [
    'ask',
    to,
    address,
    String(port),
    String(milliseconds),
    ...(from === undefined ? [] : [String(from)]),
  ])
  if (code === 2) throw new Error(`ask ${to} ${address} ${port}: ${stderr}`)
  return code === 0 ? stdout.trim() : undefined
}

/** A server in `place` that tells each client its address; `using` ends it. '::' serves IPv4 too. */
export async function serve(
  place: Place,
  by: Transport,
  port: number,
  address = '::',
): Promise<AsyncDisposable> {
  const [file, args] = enter(place, ownTool('probe'), ['serve', by, address, String(port)])
  const server = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(server, 'exit')
  const ready = once(server.stdout, 'data')
  await Promise.race([
    ready,
    ended.then(() => Promise.reject(new Error(`serve ${by} ${port}: it ended at once`))),
  ])
  return {
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL')
      await ended
    },
  }
}

/** How many bits a second a TCP stream from one place carries to `address` in another, measured for `milliseconds`. */
export async function throughput(
  from: Place,
  to: Place,
  address: string,
  { port = 5001, milliseconds = 2500 } = {},
): Promise<number> {
  const [file, args] = enter(to, ownTool('probe'), ['sink', '::', String(port)])
  const sink = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  sink.stdout.setEncoding('utf8').on('data', (more: string) => (text += more))
  const ended = once(sink, 'close')
  try {
    await once(sink.stdout, 'data')
    const poured = await probe(from, ['pour', address, String(port), String(milliseconds)])
    if (poured.code !== 0) throw new Error(`pour to ${address}: ${poured.stderr}`)
    await ended
  } finally {
    sink.kill('SIGKILL')
  }
  return Number(text.replace('ready', '').trim())
}

async function probe(place: Place, args: string[]): Promise<Ran> {
  return attempt(...enter(place, ownTool('probe'), args))
}

function enter(place: Place, file: string, args: string[]): [file: string, args: string[]] {
  return place === undefined ? [file, args] : ['nsenter', [`--net=${place.path}`, file, ...args]]
}
