// Calls CNI plugins as a runtime does: environment, configuration on standard input, one JSON document back.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Netns } from './namespaces.ts'
import { attempt, type Ran } from './run.ts'

export type Verb = 'ADD' | 'DEL' | 'CHECK' | 'GC' | 'STATUS' | 'VERSION'

/** A CNI plugin directory under test. */
export interface Subject {
  readonly name: 'tnet' | 'reference'
  readonly dir: string
}

const FOLDERS: readonly Subject[] = [
  {
    name: 'tnet',
    dir: resolve(process.env['TNET_TEST_PLUGINS'] ?? resolve(import.meta.dirname, '../../dist/bin')),
  },
  { name: 'reference', dir: resolve(process.env['TNET_TEST_REFERENCE'] ?? '/usr/lib/cni') },
]

/**
 * Our plugin directory, and the reference's as a cross-check where this machine has it. TNET_TEST_SUBJECT chooses
 * one of them.
 */
export function subjects(): Subject[] {
  const chosen = process.env['TNET_TEST_SUBJECT']
  const wanted = FOLDERS.filter(({ name }) => chosen === undefined || chosen === name)
  return wanted.filter(({ name, dir }) => name === 'tnet' || existsSync(`${dir}/bridge`))
}

export interface Call {
  readonly verb: Verb | (string & {})
  /** An object is sent as JSON, a string as it is. */
  readonly config: object | string
  readonly containerId?: string | undefined
  /** A path; the empty string is sent too. */
  readonly netns?: string | undefined
  readonly ifname?: string | undefined
  readonly args?: string | undefined
  /** More environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  readonly cwd?: string | undefined
  /** The namespace that the plugin runs in; that of the test itself where it is absent. */
  readonly host?: Netns | undefined
  readonly timeout?: number | undefined
}

export interface Answer extends Ran {
  /** Standard output as JSON; undefined where it is empty or is not one JSON document. */
  readonly json: Record<string, unknown> | undefined
}

/** Runs the executable `dir/type`. The environment is what a runtime sets, and nothing of the caller's. */
export async function call(dir: string, type: string, request: Call): Promise<Answer> {
  const { config, cwd, timeout, host } = request
  const input = typeof config === 'string' ? config : JSON.stringify(config)
  const env = callEnvironment(dir, request)
  const run = host?.attempt ?? attempt
  const answer = await run(`${dir}/${type}`, [], { env, input, cwd, timeout })
  return { ...answer, json: parse(answer.stdout) }
}

export function callEnvironment(dir: string, request: Call): Record<string, string> {
  const { verb, containerId = 'c1', netns, ifname = 'eth0', args, env = {} } = request
  const all: Record<string, string | undefined> = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    CNI_COMMAND: verb,
    CNI_PATH: dir,
    CNI_CONTAINERID: containerId,
    CNI_NETNS: netns,
    CNI_IFNAME: ifname,
    CNI_ARGS: args,
    ...env,
  }
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
}
