// A process that stands by: started and loaded, it serves one call of a plugin after the other.
//
// It takes the place of the process that the launcher would have executed, as far as a runtime can tell: the same
// streams, environment and directory; it dies where the launcher is killed; and it serves nobody who could not have
// done the same without it.
import { errnoCode, TnetError } from '../errors.ts'
import { closeLeft } from '../sys/late.ts'
import {
  accept,
  dieWithWriter,
  duplicate,
  isOpen,
  type Message,
  outliveWriter,
  peerOf,
  receive,
  receiveTimeout,
  replaceDescriptor,
} from '../sys/local-socket.ts'
import { close, O_RDWR, open, read, stat, write } from '../sys/syscalls.ts'
import { done, type HandedCall, parseCall, READY, REFUSED } from './protocol.ts'
import { standing } from './standing.ts'

/** The socket that its parent hands it. */
const LISTENING = 3
/** A fresh process takes over after so many calls: what a library may keep for ever has an end. */
const MOST_CALLS = 1000
/** A launcher that connects has its message ready. */
const MESSAGE_TIMEOUT = 1
const STREAMS = [0, 1, 2] as const
/** They are followed by the working directory, and by a pipe that the launcher holds the other end of. */
const HANDED = STREAMS.length + 2
/** What a launcher that has gone is answered: nobody hears it. */
const GONE = 1
/** More than a call has open at a time. */
const DESCRIPTORS = 64

/** Makes the call, and answers with its exit status. It may read and write the standard streams. */
export type Serve = (call: HandedCall) => Promise<number>

/** Serves until the socket is shut down, the parent is gone, or a fresh process is due. */
export async function work(parent: number, serve: Serve): Promise<void> {
  const own = standing('self')
  if (own === undefined)
    throw new TnetError('UNSUPPORTED', 'standby: /proc does not tell where this process stands')
  const runtime = stat('/proc/self/exe')
  const nothing = open('/dev/null', O_RDWR, 0)
  const stderr = duplicate(2)
  const idle = () => {
    for (const stream of STREAMS) replaceDescriptor(nothing, stream)
    process.chdir('/')
  }
  idle()
  const before = openDescriptors()
  try {
    for (let calls = 0; calls < MOST_CALLS; calls++) {
      const connection = await nextConnection(parent)
      if (connection === undefined) return
      try {
        const taken = standing(peerOf(connection).pid) === own ? asked(connection, runtime) : undefined
        if (taken === undefined) write(connection, REFUSED)
        else write(connection, done(await served(taken, serve, idle)))
      } catch (error) {
        // The launcher has given up, and with it the call.
        if (!['EPIPE', 'ECONNRESET'].includes(errnoCode(error) ?? '')) throw error
        idle()
      } finally {
        close(connection)
      }
      closeLeft()
      // What a call left to be done is its own affair, and a descriptor that it left open would be open in all that follow.
      await new Promise(resume => setImmediate(resume))
      if (openDescriptors() !== before) return
    }
  } catch (error) {
    replaceDescriptor(stderr, 2)
    throw error
  }
}

/** Undefined once nobody asks any more. */
async function nextConnection(parent: number): Promise<number | undefined> {
  while (process.ppid === parent) {
    try {
      return accept(LISTENING)
    } catch (error) {
      const code = errnoCode(error)
      if (code === 'EINVAL') return undefined
      if (code !== 'EAGAIN' && code !== 'EINTR' && code !== 'ECONNABORTED') throw error
    }
  }
  return undefined
}

interface Taken {
  readonly call: HandedCall
  /** A pipe that ends with the launcher. */
  readonly life: number
}

/** The call of the launcher, once it was told to hand it over; undefined for what is none. */
function asked(connection: number, runtime: HandedCall['runtime']): Taken | undefined {
  receiveTimeout(connection, MESSAGE_TIMEOUT)
  write(connection, READY)
  try {
    return take(receive(connection), runtime)
  } catch (error) {
    if (!['EAGAIN', 'EMSGSIZE'].includes(errnoCode(error) ?? '')) throw error
    return undefined
  }
}

/** The call of a launcher that belongs to this runtime, its streams in the place of ours. */
function take({ bytes, descriptors }: Message, own: HandedCall['runtime']): Taken | undefined {
  try {
    const call = parseCall(bytes)
    const [folder = -1, life = -1] = descriptors.slice(STREAMS.length)
    if (call === undefined || descriptors.length !== HANDED) return undefined
    // Installed anew since this process started, or somewhere else: the launcher's own is the right one.
    if (call.runtime.dev !== own.dev || call.runtime.ino !== own.ino) return undefined
    if (!entered(folder)) return undefined
    for (const stream of STREAMS) replaceDescriptor(descriptors[stream] ?? -1, stream)
    return { call, life: duplicate(life) }
  } finally {
    descriptors.forEach(close)
  }
}

/** A directory may be one that nobody can enter any more. */
function entered(folder: number): boolean {
  try {
    process.chdir(`/proc/self/fd/${folder}`)
    return true
  } catch (error) {
    if (errnoCode(error) === undefined) throw error
    return false
  }
}

/** Answers the exit status. From before the call to after it this process dies with the launcher. */
async function served({ call, life }: Taken, serve: Serve, idle: () => void): Promise<number> {
  try {
    dieWithWriter(life)
    return hasEnded(life) ? GONE : await serve(call)
  } finally {
    outliveWriter(life)
    close(life)
    idle() // before the answer: whoever reads the streams waits for their end
  }
}

/** Whether the launcher was gone before the kernel was told to kill. */
function hasEnded(life: number): boolean {
  try {
    return read(life, new Uint8Array(1)) === 0
  } catch (error) {
    if (errnoCode(error) === 'EAGAIN') return false
    throw error
  }
}

/** Which of the lowest descriptors are open, as bits. */
function openDescriptors(): bigint {
  let open = 0n
  for (let fd = 0; fd < DESCRIPTORS; fd++) if (isOpen(fd)) open |= 1n << BigInt(fd)
  return open
}
