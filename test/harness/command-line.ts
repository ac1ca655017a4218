// Calls tnet as a person does: in this process, from the sources, and as the executable where it is built.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { PassThrough } from 'node:stream'
import { main } from '../../src/cli/main.ts'
import { attempt, type Ran } from './run.ts'

export interface LineOptions {
  readonly input?: string | undefined
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Standard output says that it is a terminal; in this process only. */
  readonly terminal?: boolean
}

export interface CommandLine {
  readonly name: 'sources' | 'executable'
  run(args: readonly string[], options?: LineOptions): Promise<Ran>
  /** Runs a command that has to succeed; answers its standard output. */
  must(...args: string[]): Promise<string>
  /** The value in each line of standard output. */
  json(...args: string[]): Promise<Record<string, unknown>[]>
}

const EXECUTABLE = resolve(
  process.env['TNET_TEST_PLUGINS'] ?? resolve(import.meta.dirname, '../../dist/bin'),
  'tnet',
)

/** What a program that is started needs; nothing of a person's own. */
export const BARE_ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }

export const sources = commandLine('sources', runHere)
export const executable = commandLine('executable', (args, { input, env, cwd = '/' } = {}) =>
  attempt(EXECUTABLE, args, { input, env: { ...BARE_ENVIRONMENT, ...env }, cwd }),
)

/** Both, where the executable is built: `npm test` builds it first. */
export function commandLines(): readonly CommandLine[] {
  return existsSync(EXECUTABLE) ? [sources, executable] : [sources]
}

export { EXECUTABLE }

function commandLine(name: CommandLine['name'], run: CommandLine['run']): CommandLine {
  const must = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(args)
    if (code !== 0) throw new Error(`tnet ${args.join(' ')}: exit status ${code}: ${stderr}${stdout}`)
    return stdout
  }
  const json = async (...args: string[]) =>
    (await must(...args))
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Record<string, unknown>)
  return { name, run, must, json }
}

async function runHere(
  args: readonly string[],
  { input = '', env = {}, cwd = '/', terminal = false }: LineOptions = {},
): Promise<Ran> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  stdin.end(input)
  const texts = [text(stdout), text(stderr)] as const
  const out = Object.assign(stdout, { isTTY: terminal })
  const code = await main(args, { stdin, stdout: out, stderr, env: { ...BARE_ENVIRONMENT, ...env }, cwd })
  stdout.end()
  stderr.end()
  return { code, signal: null, stdout: await texts[0], stderr: await texts[1] }
}

async function text(stream: PassThrough): Promise<string> {
  let all = ''
  for await (const chunk of stream.setEncoding('utf8')) all += String(chunk)
  return all
}
