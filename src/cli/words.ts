// The words of a command line before the parser gets them: which command and which flags they name. The parser alone
// would complain of the words that an unknown flag has swallowed, and read any word but `true` as false.
import yargs from 'yargs'
import { unwanted } from '../errors.ts'
import { nearest } from '../misspelled.ts'
import type { Command } from './command.ts'

/** What was typed is no command of ours. */
export class UsageError extends Error {}

/** A flag by each of its names, without dashes. */
type Flags = ReadonlyMap<string, { readonly name: string; readonly isBoolean: boolean }>

/** What every command has. */
const COMMON: Flags = new Map(
  ['help', 'h', 'version'].map(name => [name, { name: name === 'h' ? 'help' : name, isBoolean: true }]),
)

/** The word in whose place a command may stand to ask for help. */
const HELP = 'help'

/**
 * The same words, each boolean flag with its value: `-fq` becomes `--force=true --quiet=true`. What follows `--` stays
 * as it is. Throws UsageError for an unknown command or flag, TnetError BAD_CONFIG for a boolean that is none.
 */
export function spelledOut(commands: readonly Command[], argv: readonly string[]): string[] {
  const flags = flagsOf(pathOf(commands, argv))
  const spelled: string[] = []
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? ''
    if (word === '--') return [...spelled, ...argv.slice(index)]
    if (!isFlag(word)) {
      spelled.push(word)
      continue
    }
    spelled.push(...spelling(word, flags))
    const next = argv[index + 1]
    if (takesNext(word, flags) && next !== undefined && !isFlag(next)) {
      spelled.push(next)
      index++
    }
  }
  return spelled
}

/** The commands that are called, one below the other; flags may stand between them. Throws UsageError. */
function pathOf(commands: readonly Command[], argv: readonly string[]): Command[] {
  const path: Command[] = []
  let below = commands
  for (let index = 0; index < argv.length && below.length > 0; index++) {
    const word = argv[index] ?? ''
    if (word === '--' || word === HELP) break
    if (isFlag(word)) {
      const flags = new Map([...COMMON, ...anyFlags(below)])
      spelling(word, flags)
      if (takesNext(word, flags)) index++
      continue
    }
    const found = below.find(({ words }) => words.includes(word))
    if (found === undefined) throw unknownCommand(word, below)
    path.push(found)
    below = found.commands
  }
  return path
}

function unknownCommand(word: string, commands: readonly Command[]): UsageError {
  const near = nearest(
    word,
    commands.flatMap(({ words }) => words),
  )
  return new UsageError(
    `unknown command ${JSON.stringify(word)}${near === undefined ? '' : `, did you mean ${JSON.stringify(near)}?`}`,
  )
}

function flagsOf(path: readonly Command[]): Flags {
  const called = path.at(-1)
  return called === undefined ? COMMON : new Map([...COMMON, ...ownFlags(called)])
}

function anyFlags(commands: readonly Command[]): Flags {
  return new Map(commands.flatMap(each => [...ownFlags(each), ...anyFlags(each.commands)]))
}

/** What yargs knows of the options that it was given; its types leave it out. */
interface Known {
  getOptions(): {
    readonly key: Readonly<Record<string, boolean>>
    readonly boolean: readonly string[]
    readonly alias: Readonly<Record<string, readonly string[]>>
  }
  getGroups(): Readonly<Record<string, readonly string[]>>
}

function ownFlags(command: Command): Flags {
  const parser = command.options(yargs([]).help(false).version(false)) as unknown as Known
  const { key, boolean, alias } = parser.getOptions()
  const positionals = parser.getGroups()['Positionals:'] ?? []
  const others = new Set([...positionals, ...Object.values(alias).flat()])
  const flags = Object.keys(key).filter(name => !others.has(name))
  return new Map(
    flags.flatMap(name => {
      const flag = { name, isBoolean: boolean.includes(name) }
      return [name, ...(alias[name] ?? [])].map(each => [each, flag] as const)
    }),
  )
}

/** A number below zero is none. */
function isFlag(word: string): boolean {
  return /^-[^0-9]/s.test(word)
}

function spelling(word: string, flags: Flags): string[] {
  return word.startsWith('--') ? long(word, flags) : short(word, flags)
}

function long(word: string, flags: Flags): string[] {
  const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? []
  const flag = flags.get(name)
  if (flag === undefined || name.length === 1) throw unknownFlag(`--${name}`, name, flags)
  return flag.isBoolean ? [truth(flag.name, `--${name}`, value)] : [word]
}

/** `-f`, `-fq`, `-q=false`, `-o KEY=VALUE`, `-oKEY=VALUE`. */
function short(word: string, flags: Flags): string[] {
  const spelled: string[] = []
  for (let at = 1; at < word.length; at++) {
    const letter = word[at] ?? ''
    const flag = flags.get(letter)
    if (flag === undefined) {
      const within = word.length > 2 ? ` in ${word}` : ''
      throw unknownFlag(`-${letter}${within}`, word.slice(1), flags)
    }
    const rest = word.slice(at + 1)
    const value = rest.startsWith('=') ? rest.slice(1) : undefined
    if (!flag.isBoolean) {
      if (value !== undefined) return [...spelled, `-${letter}${rest}`]
      return [...spelled, `-${letter}`, ...(rest === '' ? [] : [rest])]
    }
    spelled.push(truth(flag.name, `-${letter}`, value))
    if (value !== undefined) break
  }
  return spelled
}

/** Whether the value of a flag is the next word. */
function takesNext(word: string, flags: Flags): boolean {
  const name = word.startsWith('--') ? word.slice(2) : (word.at(-1) ?? '')
  const before = word.startsWith('--') ? [] : Array.from(word.slice(1, -1))
  return flags.get(name)?.isBoolean === false && before.every(each => flags.get(each)?.isBoolean === true)
}

/** As Docker has it (Go's strconv.ParseBool). */
const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True']
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False']

function truth(name: string, typed: string, value: string | undefined): string {
  if (value === undefined || TRUE.includes(value)) return `--${name}=true`
  if (FALSE.includes(value)) return `--${name}=false`
  throw unwanted(typed, 'true or false', value)
}

function unknownFlag(typed: string, name: string, flags: Flags): UsageError {
  const near = nearest(
    name,
    [...flags.keys()].filter(each => each.length > 1),
  )
  return new UsageError(`unknown flag ${typed}${near === undefined ? '' : `, did you mean --${near}?`}`)
}
