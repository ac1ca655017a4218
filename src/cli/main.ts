// The command line: words to commands, failures to one line and an exit status.
import yargs, { type Argv } from 'yargs'
import { asTnetError, CODES } from '../errors.ts'
import { called, type Command } from './command.ts'
import { completion } from './commands/completion.ts'
import { debug } from './commands/debug.ts'
import { install } from './commands/install.ts'
import { network } from './commands/network.ts'
import { sandbox } from './commands/sandbox.ts'
import { standby } from './commands/standby.ts'
import { version, VERSION } from './commands/version.ts'
import { COMPLETE, completions } from './completions.ts'
import { type Context, context, type Io, unknownDebug } from './io.ts'
import { failure, visible } from './text.ts'
import { spelledOut, UsageError } from './words.ts'

const COMMANDS: readonly Command[] = [network, sandbox, debug, install, standby, completion, version]

const USAGE_STATUS = 2

/**
 * Runs one command. Answers its exit status: 0 done, 1 failed, 2 wrong usage or configuration; `tnet debug` has its
 * own meaning. Never throws for what a user can do wrong.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const own = context(io)
  let status = 0
  try {
    const unknown = argv[0] === COMPLETE ? undefined : unknownDebug(io)
    if (unknown !== undefined) await own.warn(`tnet: ${visible(unknown)}\n`)
    await run(argv, own, answer => (status = answer))
    return status
  } catch (error) {
    await own.warn(explained(error, argv))
    if (own.debug.has('stack') && error instanceof Error) await own.warn(`${error.stack}\n`)
    return status || (isUsage(error) ? USAGE_STATUS : CODES[asTnetError(error).code][2])
  }
}

async function run(argv: readonly string[], own: Context, done: (status: number) => void): Promise<void> {
  if (argv[0] === COMPLETE) return own.print(await completions(COMMANDS, argv.slice(1), own))
  let printed = ''
  const isHelp = argv.includes('--help') || argv.includes('-h')
  await parser(own, isHelp, done).parseAsync(
    spelledOut(COMMANDS, separated(argv)),
    {},
    (error, _argv, output) => {
      if (error) throw error
      printed = output
    },
  )
  if (printed !== '') await own.print(`${printed}\n`)
}

function parser(own: Context, isHelp: boolean, done: (status: number) => void): Argv {
  // To ask for it opens the stream, which makes it non-blocking for all who have it.
  const { columns = 100 } = isHelp ? own.io.stdout : {}
  const all = yargs([], own.io.cwd)
    .scriptName('tnet')
    .usage('$0 COMMAND: container networks, on the command line')
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'populate--': true,
    })
    .locale('en')
    .detectLocale(false)
    .exitProcess(false)
    .wrap(Math.min(columns, 110))
    .strict()
    .demandCommand(1, 'which command?')
    .help()
    .alias('help', 'h')
    .version(VERSION)
    .epilogue('Exit status: 0 done, 1 failed, 2 wrong usage or configuration.')
    .updateStrings({ 'Invalid values:': 'not one of the choices:' })
    .fail((message, error) => {
      throw error ?? new UsageError(message)
    })
  return COMMANDS.reduce((parser, command) => parser.command(command.module(own, done)), all)
}

/** What follows the sandbox in `sandbox exec NAME` belongs to the program, options included. */
function separated(argv: readonly string[]): string[] {
  if (argv[0] !== 'sandbox' || argv[1] !== 'exec') return [...argv]
  const name = argv.findIndex((word, index) => index > 1 && !word.startsWith('-'))
  if (name < 0 || argv[name + 1] === '--' || argv.slice(0, name).includes('--')) return [...argv]
  return [...argv.slice(0, name + 1), '--', ...argv.slice(name + 1)]
}

function explained(error: unknown, argv: readonly string[]): string {
  if (isUsage(error)) {
    const words = ['tnet', ...called(COMMANDS, argv).map(({ words }) => words[0])].join(' ')
    return `${words}: ${visible(error.message.replace(/\s+/g, ' ').replace('non-option ', ''))}\n  see ${words} --help\n`
  }
  return failure(asTnetError(error))
}

function isUsage(error: unknown): error is Error {
  return error instanceof UsageError || (error instanceof Error && error.name === 'YError')
}
