// The shape of a command: its words, its options, and what it does.
import type { Arguments, Argv, CommandModule } from 'yargs'
import { unwanted } from '../errors.ts'
import type { Context } from './io.ts'

/** One command or group of commands. */
export interface Command {
  /** The words that call it, without its arguments. */
  readonly words: readonly string[]
  /** The commands of a group. */
  readonly commands: readonly Command[]
  /** Adds its options to a parser. */
  options(yargs: Argv): Argv
  /** For yargs. `done` receives the exit status. */
  module(context: Context, done: (status: number) => void): CommandModule
}

export interface CommandSpec<A> {
  /** As yargs wants it: `rm <network..>`. */
  readonly command: string | readonly string[]
  readonly describe: string
  readonly builder: (yargs: Argv) => Argv<A>
  /** The exit status of every failure, where it is not that of the error's code. */
  readonly failed?: number
  /** The exit status, or nothing for 0. */
  run(args: Arguments<A>, context: Context): Promise<number | void>
}

/** A command that does something. The types of its arguments are those of its options. */
export function command<A>(spec: CommandSpec<A>): Command {
  const lines = [spec.command].flat()
  return {
    words: lines.map(line => line.split(' ')[0] ?? ''),
    commands: [],
    options: yargs => spec.builder(yargs) as Argv,
    module: (context, done) => ({
      command: lines,
      describe: spec.describe,
      builder: yargs => spec.builder(yargs),
      handler: async args => {
        if (spec.failed !== undefined) done(spec.failed)
        done((await spec.run(args as Arguments<A>, context)) ?? 0)
      },
    }),
  }
}

/** A word that only has commands below it: `tnet network`. */
export function group(
  word: string,
  describe: string,
  commands: readonly Command[],
  examples: readonly (readonly [line: string, says: string])[] = [],
): Command {
  return {
    words: [word],
    commands,
    options: yargs => yargs,
    module: (context, done) => ({
      command: word,
      describe,
      builder: yargs =>
        commands
          .reduce((all, each) => all.command(each.module(context, done)), yargs)
          .example(examples.map(([line, says]) => [line, says] as [string, string]))
          .demandCommand(1, 'which command?'),
      handler: () => {},
    }),
  }
}

/** The commands that the first words of `argv` call, one below the other: those of `network create`. */
export function called(commands: readonly Command[], argv: readonly string[]): Command[] {
  const [word = '', ...rest] = argv
  const found = commands.find(({ words }) => words.includes(word))
  return found === undefined ? [] : [found, ...called(found.commands, rest)]
}

/** `--format` of every command that lists something. */
export const format = {
  describe: 'for people or for programs',
  ...choice('--format', ['table', 'json']),
  default: 'table',
} as const

/** An option with one of few values. */
export function choice<const T extends string>(name: string, choices: readonly T[]) {
  return {
    choices,
    requiresArg: true,
    coerce: (value: string | readonly string[]): T => chosen(name, choices, [value].flat().at(-1) ?? ''),
  } as const
}

/** Docker has templates of Go where tnet has JSON. */
function chosen<const T extends string>(name: string, choices: readonly T[], value: string): T {
  const found = choices.find(each => each === value)
  if (found !== undefined) return found
  const why = value.includes('{{') ? `templates are not supported, use ${name} json` : ''
  throw unwanted(name, choices.join(' or '), value, why)
}

/** An option with one value; the last one counts, as in Docker. */
export const text = {
  type: 'string',
  requiresArg: true,
  coerce: (value: string | readonly string[]): string => [value].flat().at(-1) ?? '',
} as const

/** An option that may be given several times. */
export const repeated = {
  type: 'string',
  array: true,
  requiresArg: true,
  default: [] as string[],
  defaultDescription: 'none',
} as const
