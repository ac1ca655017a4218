// The CNI door, once for all plugins: one call in, one answer out. Nothing but the answer reaches standard output.
import { asTnetError, TnetError } from '../errors.ts'
import { netlinkTrace } from '../net/trace.ts'
import { VERSION } from '../version.ts'
import { environment, type Environment, type Variables } from './environment.ts'
import { errorText } from './error.ts'
import type { Plugin } from './plugin.ts'
import { printable } from './print.ts'
import { attachmentRequest, header, type Input, request, validAttachments } from './request.ts'
import { resultText } from './result.ts'
import { readConfig, type ReadInput } from './stdin.ts'
import { type Version, versionAnswer } from './version.ts'

export interface Io {
  readonly env: Variables
  readonly stdin: ReadInput
  /** Resolves once all is written. Where it rejects after a part was, the error has that part's size as `written`. */
  readonly stdout: (text: string) => Promise<void>
  readonly stderr: (text: string) => void
  /** The folder of our own executables, where there is one. */
  readonly ownFolder?: string | undefined
}

/** Answers one call of `plugin`. Returns the exit status; never throws. */
export async function door(plugin: Plugin, io: Io): Promise<number> {
  const answer = new AnswerOnce(io.stdout)
  try {
    const call = environment(io.env)
    if (call === undefined) io.stderr(about(plugin))
    else if (call.command === 'VERSION') await answer.print(versionAnswer(plugin.versions))
    else await serve(plugin, call, io, answer)
    return 0
  } catch (error) {
    return failed(error, io, answer)
  }
}

async function serve(plugin: Plugin, call: Environment, io: Io, answer: AnswerOnce): Promise<void> {
  const { stdin, raw } = await readConfig(io.stdin)
  const head = header(raw, plugin.versions, call.command)
  answer.version = head.version
  const debug = debugged(io)
  const warn = (line: string) => io.stderr(`tnet ${plugin.name}: ${printable(line)}\n`)
  const log = debug.includes('steps') ? warn : () => {}
  const trace = debug.includes('netlink') ? await netlinkTrace(io.stderr) : undefined
  const { env, ownFolder } = io
  const input: Input = { environment: call, env, stdin, raw, log, warn, ownFolder, trace }
  log(`${call.command} ${head.network} ${call.containerId} ${call.ifname}`.trimEnd())
  switch (call.command) {
    case 'ADD':
      return plugin.add(attachmentRequest(plugin, input, head), result =>
        answer.print(resultText(result, head.version)),
      )
    case 'DEL':
      return plugin.del(attachmentRequest(plugin, input, head))
    case 'CHECK':
      return plugin.check(attachmentRequest(plugin, input, head))
    case 'GC':
      return plugin.gc(request(plugin, input, head), validAttachments(raw))
    default:
      return plugin.status(request(plugin, input, head))
  }
}

/** What TNET_DEBUG asks for: steps, netlink, stack, separated by commas. */
function debugged({ env }: Io): string[] {
  return (env['TNET_DEBUG'] ?? '').split(',')
}

async function failed(error: unknown, io: Io, answer: AnswerOnce): Promise<number> {
  if (answer.printed) {
    // The caller has its result, and what it tells of stays.
    io.stderr(`tnet: after the result: ${printable(asTnetError(error).message)}\n`)
    return 0
  }
  if (debugged(io).includes('stack')) io.stderr(`${stack(error)}\n`)
  try {
    await answer.print(errorText(error, answer.version))
  } catch {
    io.stderr(`tnet: ${printable(asTnetError(error).message)}\n`)
  }
  return 1
}

/** With its causes, of which a few explain all that can be explained. */
function stack(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return String(error)
  const own = error.stack ?? error.message
  return error.cause === undefined || depth === 8 ? own : `${own}\ncause: ${stack(error.cause, depth + 1)}`
}

function about({ name, versions }: Plugin): string {
  return `CNI ${name} plugin tnet ${VERSION}\nCNI protocol versions supported: ${versions.join(', ')}\n`
}

/** Standard output, which takes one document: after one that was written half, none at all. */
class AnswerOnce {
  /** The version of the request, once it is known. */
  version: Version | undefined
  printed = false
  #begun = false
  readonly #stdout: Io['stdout']

  constructor(stdout: Io['stdout']) {
    this.#stdout = stdout
  }

  async print(text: string): Promise<void> {
    if (this.#begun) throw new TnetError('IO', 'standard output: something was printed already')
    this.#begun = true
    try {
      await this.#stdout(text)
    } catch (error) {
      this.#begun = error instanceof Error && 'written' in error && error.written !== 0
      throw new TnetError('IO', `write the answer: ${asTnetError(error).message}`, '', { cause: error })
    }
    this.printed = true
  }
}
