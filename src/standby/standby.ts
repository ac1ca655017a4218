// Keeps processes standing by for calls of plugins, and a fresh one in the place of each that ends.
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { chmodSync, renameSync, rmSync } from 'node:fs'
import { TnetError } from '../errors.ts'
import { bound, listen, receiveTimeout, shutdown } from '../sys/local-socket.ts'
import { lock } from '../sys/lock.ts'
import { ownFolder } from '../sys/own-folder.ts'
import { close } from '../sys/syscalls.ts'
import { FOLDER, SOCKET } from './protocol.ts'

/** What a process that stands by is called as. */
export const WORKER = 'tnet-standby'

/** Launchers that wait for a process; those that find no room make their calls themselves. */
const BACKLOG = 64
/** How often a process that waits looks whether its parent is still there. */
const LOOK_ROUND = 5
/** Before a process that ended at once is replaced: what stops it will not be gone sooner. */
const PAUSE = 1000

export interface StandbyOptions {
  /** The executable that the processes run. */
  readonly runtime: string
  readonly workers: number
  readonly log: (line: string) => void
  /** Ends it; calls that are under way are finished. */
  readonly signal: AbortSignal
}

/** Runs until it is told to end. Throws EXISTS where another one runs, IO and PERMISSION for the folder. */
export async function standBy({ runtime, workers, log, signal }: StandbyOptions): Promise<void> {
  ownFolder(FOLDER)
  using _one = await onlyOne()
  const socket = listening()
  try {
    signal.addEventListener('abort', () => retire(socket), { once: true })
    log(`${workers} processes stand by at ${SOCKET}`)
    await Promise.all(Array.from({ length: workers }, () => keep(runtime, socket, { log, signal })))
  } finally {
    close(socket)
  }
}

async function onlyOne(): Promise<Disposable> {
  try {
    return await lock(`${SOCKET}.lock`, { patience: 0 })
  } catch (error) {
    if (!(error instanceof TnetError) || error.code !== 'TRY_AGAIN') throw error
    throw new TnetError('EXISTS', `standby at ${SOCKET}: another one runs`, 'one is enough for all plugins', {
      cause: error,
    })
  }
}

/** It gets its name when it is ready, in place of one that was left behind. */
function listening(): number {
  const unnamed = `${SOCKET}.next`
  rmSync(unnamed, { force: true })
  const socket = bound(unnamed)
  try {
    chmodSync(unnamed, 0o600)
    listen(socket, BACKLOG)
    receiveTimeout(socket, LOOK_ROUND)
    renameSync(unnamed, SOCKET)
    return socket
  } catch (error) {
    close(socket)
    throw error
  }
}

type Keeping = Pick<StandbyOptions, 'log' | 'signal'>

async function keep(runtime: string, socket: number, { log, signal }: Keeping): Promise<void> {
  while (!signal.aborted) {
    const born = performance.now()
    const ended = await endOf(spawn(runtime, [String(process.pid)], options(socket)))
    if (signal.aborted) return
    if (ended !== 0) log(`a process that stood by has ended: ${ended}`)
    if (performance.now() - born < PAUSE) await new Promise(resume => setTimeout(resume, PAUSE))
  }
}

/** Nobody finds it any more, and those who wait on it return. */
function retire(socket: number): void {
  rmSync(SOCKET, { force: true })
  shutdown(socket)
}

/** Without an environment: each call brings its own. What a terminal or a service manager tells all of a group is for us alone. */
function options(socket: number): SpawnOptions {
  return { argv0: WORKER, detached: true, env: {}, cwd: '/', stdio: ['ignore', 'ignore', 'inherit', socket] }
}

/** Its exit status, the signal, or why it could not be started: while tnet is installed anew, say. */
function endOf(child: ChildProcess): Promise<number | string> {
  return new Promise(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('exit', (status, signal) => resolve(status ?? signal ?? 'unknown'))
  })
}
