// What the command line is given by the process that it runs in, and how it writes to it.
import type { Folders, MachineOptions } from '../engine/networks/machine.ts'
import { netlinkTrace } from '../net/trace.ts'
import { fileError } from '../sys/files.ts'
import { type Style, styled, visible } from './text.ts'

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
  readonly cwd: string
}

/** What each command gets besides its arguments. */
export interface Context {
  readonly io: Io
  /** Where sandboxes and locks live (TNET_RUN_DIR), and networks, endpoints and leases (TNET_STATE_DIR). */
  readonly folders: Folders
  /** What TNET_DEBUG asks for: `steps`, `netlink`, `stack`, separated by commas. */
  readonly debug: ReadonlySet<string>
  /** Steps and netlink messages go to standard error where they are asked for. */
  debugging(): Promise<Pick<MachineOptions, 'log' | 'trace'>>
  /** Writes to standard output, and waits until it is written. */
  print(text: string): Promise<void>
  /** Writes to standard error. */
  warn(text: string): Promise<void>
  /** Colours a text where standard output is a terminal. */
  paint(style: Style, text: string): string
}

/** What TNET_DEBUG knows. */
const DEBUG_WORDS = ['steps', 'netlink', 'stack'] as const

/** The words of TNET_DEBUG that nobody knows, and what there is. */
export function unknownDebug({ env }: Io): string | undefined {
  const known: readonly string[] = [...DEBUG_WORDS, '']
  const unknown = (env['TNET_DEBUG'] ?? '').split(',').filter(word => !known.includes(word))
  if (unknown.length === 0) return undefined
  return `TNET_DEBUG: want some of ${DEBUG_WORDS.join(', ')}, got ${unknown.map(word => JSON.stringify(word)).join(', ')}`
}

export function context(io: Io): Context {
  const debug = new Set((io.env['TNET_DEBUG'] ?? '').split(','))
  const tell = (text: string) => void write(io.stderr, text, 'standard error').catch(() => {})
  return {
    io,
    folders: {
      runDir: io.env['TNET_RUN_DIR'] || '/run/tnet',
      stateDir: io.env['TNET_STATE_DIR'] || '/var/lib/tnet',
    },
    debug,
    debugging: async () => ({
      ...(debug.has('steps') ? { log: line => tell(`tnet: ${visible(line)}\n`) } : {}),
      ...(debug.has('netlink') ? { trace: await netlinkTrace(tell) } : {}),
    }),
    print: text => write(io.stdout, text, 'standard output'),
    warn: text => write(io.stderr, text, 'standard error'),
    paint: (style, text) => (coloured(io) ? styled(style, text) : text),
  }
}

/** https://no-color.org: any value that is not empty. */
function coloured({ env, stdout }: Io): boolean {
  return stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
}

/** A reader that has gone, as `head` goes, is no failure of ours. */
function write(stream: NodeJS.WritableStream, text: string, name: string): Promise<void> {
  if (text === '') return Promise.resolve()
  return new Promise((resolve, reject) => {
    const settle = (error?: Error | null) => {
      stream.removeListener('error', settle)
      if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') reject(fileError('write', name, error))
      else resolve()
    }
    stream.on('error', settle)
    stream.write(text, error => {
      // The stream tells of an error a second time, and ends the process where nobody listens.
      if (error) setImmediate(settle, error)
      else settle()
    })
  })
}
