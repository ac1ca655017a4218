// Stops code at one of its system calls on files: dead from there on, as after SIGKILL, or with an errno in place of the
// call.
import fs from 'node:fs'
import { constants } from 'node:os'
import { addon } from '../../src/sys/addon.ts'
import { SystemError } from '../../src/sys/syscalls.ts'

/** Of the addon, which answers with -errno. */
const CALLS = [
  'open',
  'read',
  'write',
  'close',
  'ftruncate',
  'mkdir',
  'unlink',
  'symlink',
  'readlink',
  'stat',
  'lutimes',
] as const

export type Fault =
  /** No call from the n-th on happens, but that the kernel closes what is open. */
  | { readonly kill: number }
  /** As kill; a write that it falls on is half done. */
  | { readonly tear: number }
  /** The n-th call fails. */
  | { readonly fail: number; readonly errno: keyof typeof constants.errno }
  /** Nothing happens; the calls are counted. */
  | { readonly count: true }

export interface Faults extends Disposable {
  /** The calls made so far, by name. */
  readonly calls: readonly string[]
  /** Whether the fault has come about. */
  readonly hit: boolean
}

type Call = (...args: unknown[]) => unknown

/** Until it is disposed of. One at a time. */
export function faults(fault: Fault): Faults {
  const { readdirSync } = fs
  const originals = Object.fromEntries(CALLS.map(name => [name, addon()[name]]))
  const calls: string[] = []
  const state = { hit: false }
  const faulty = (name: string, call: Call, refuse: (errno: number) => unknown): Call => {
    return (...args) => {
      calls.push(name)
      const point =
        'kill' in fault ? fault.kill : 'tear' in fault ? fault.tear : 'fail' in fault ? fault.fail : 0
      if ('fail' in fault) {
        if (calls.length !== point) return call(...args)
        state.hit = true
        // close(2) releases the fd whatever it returns.
        if (name === 'close') call(...args)
        return refuse(constants.errno[fault.errno])
      }
      if (point === 0 || calls.length < point) return call(...args)
      state.hit = true
      if (name === 'close') return call(...args)
      if ('tear' in fault && calls.length === point && name === 'write') writeHalf(call, args)
      throw new Error(`killed at ${name}`)
    }
  }
  for (const [name, original] of Object.entries(originals)) {
    Object.assign(addon(), { [name]: faulty(name, original as Call, errno => -errno) })
  }
  const refuse = (errno: number): never => {
    throw new SystemError('readdir', errno)
  }
  Object.assign(fs, { readdirSync: faulty('readdir', readdirSync as Call, refuse) })
  return {
    calls,
    get hit() {
      return state.hit
    },
    [Symbol.dispose]() {
      Object.assign(addon(), originals)
      Object.assign(fs, { readdirSync })
    },
  }
}

function writeHalf(write: Call, [fd, bytes]: unknown[]): void {
  if (bytes instanceof Uint8Array) write(fd, bytes.subarray(0, Math.floor(bytes.length / 2)), 0)
}
