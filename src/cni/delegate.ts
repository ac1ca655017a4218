// An IPAM plugin of somebody else, executed as the specification says, in the shape of an Ipam.
import { TnetError } from '../errors.ts'
import type { Assignment, Ipam } from '../ipam/ipam.ts'
import { callerEnvironment } from '../sys/environment.ts'
import type { Log } from '../steps.ts'
import type { Command, Variables } from './environment.ts'
import { RelayedError } from './error.ts'
import { execute, type Ended } from './execute.ts'
import { isObject, type JsonObject, parseJson } from './json.ts'
import { readResult } from './result.ts'
import { atLeast, type Version } from './version.ts'

export interface Delegate {
  /** The executable. */
  readonly path: string
  /** What this plugin got on standard input: the other one gets the same. */
  readonly stdin: Uint8Array
  /** What this plugin got as its environment; only CNI_COMMAND changes. */
  readonly env: Variables
  readonly version: Version
  readonly log: Log
}

/** Each of its functions is one execution. Throws RelayedError with the code and the words of the plugin. */
export function delegatedIpam(delegate: Delegate): Ipam {
  const since110 = async (command: Command) => {
    if (atLeast(delegate.version, '1.1.0')) await run(delegate, command)
  }
  return {
    allocate: () => allocate(delegate),
    release: async () => void (await run(delegate, 'DEL')),
    check: async () => {
      if (atLeast(delegate.version, '0.4.0')) await run(delegate, 'CHECK')
    },
    gc: () => since110('GC'),
    status: () => since110('STATUS'),
  }
}

/** What a failed ADD has made is the plugin's to remove: only it knows. */
async function allocate(delegate: Delegate): Promise<Assignment> {
  try {
    const { ips, routes, dns } = readAnswer(await run(delegate, 'ADD'), delegate.path)
    // An index of interfaces means nothing here: those of the network plugin are not in this answer.
    return { ips: ips.map(({ address, gateway }) => ({ address, gateway })), routes, dns }
  } catch (error) {
    await run(delegate, 'DEL').catch((reason: unknown) =>
      delegate.log(`DEL after a failed ADD: ${String(reason)}`),
    )
    throw error
  }
}

function readAnswer(stdout: string, path: string): ReturnType<typeof readResult> {
  const raw = parsed(stdout)
  if (raw === null) return { interfaces: [], ips: [], routes: [], dns: {} }
  if (raw === undefined)
    throw new TnetError('INTERNAL', `${path}: its answer to ADD is no JSON object: ${excerpt(stdout)}`)
  return readResult(raw, `result of ${path}`)
}

async function run(delegate: Delegate, command: Command): Promise<string> {
  const { path, stdin, log } = delegate
  log(`execute ${path} ${command}`)
  const env = { ...callerEnvironment(delegate.env), CNI_COMMAND: command }
  const ended = await execute({ path, env, stdin })
  if (ended.status === 0) return ended.stdout
  throw failure(path, command, ended)
}

function failure(path: string, command: Command, { status, signal, stdout, stderr }: Ended): TnetError {
  const answer = parsed(stdout)
  const code = answer?.['code']
  if (typeof code === 'number' && Number.isSafeInteger(code) && code > 0) {
    return new RelayedError(
      code,
      text(answer?.['msg']) || `${path} ${command} failed`,
      text(answer?.['details']),
    )
  }
  const how = signal === null ? `exit status ${status}` : `ended by ${signal}`
  const said = stdout.trim() === '' ? 'it printed no error' : `it printed ${excerpt(stdout)}`
  const last = stderr.trimEnd()
  const details = last === '' ? 'it wrote nothing to standard error' : `on standard error: ${ending(last)}`
  return new TnetError('INTERNAL', `${path} ${command}: ${how}, ${said}`, details)
}

/** Null is an empty answer; undefined is none. */
function parsed(stdout: string): JsonObject | null | undefined {
  try {
    const value = parseJson(stdout)
    return value === null || isObject(value) ? value : undefined
  } catch {
    // Not JSON: the caller shows what it is.
    return undefined
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

const EXCERPT = 200

function excerpt(output: string): string {
  return JSON.stringify(output.length > EXCERPT ? `${output.slice(0, EXCERPT)}...` : output)
}

function ending(output: string): string {
  return JSON.stringify(output.length > EXCERPT ? `...${output.slice(-EXCERPT)}` : output)
}
