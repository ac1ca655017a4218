// What the last of the words on a command line may become: commands, options, and names of what there is.
import yargs from 'yargs'
import { openStore } from '../store/open.ts'
import { allNetworks } from '../engine/networks/records.ts'
import { listNamed } from '../net/netns-names.ts'
import { called, type Command } from './command.ts'
import type { Context } from './io.ts'

/** `tnet --complete-words WORD...`: the answers, one in a line. */
export const COMPLETE = '--complete-words'

type Kind = 'network' | 'sandbox'

/** Which names the words after a command are; the last one stands for all further. */
const NAMES: Readonly<Record<string, readonly Kind[]>> = {
  'network inspect': ['network'],
  'network rm': ['network'],
  'network export': ['network'],
  'network connect': ['network', 'sandbox'],
  'network disconnect': ['network', 'sandbox'],
  'sandbox rm': ['sandbox'],
  'sandbox exec': ['sandbox'],
  'debug veth': ['sandbox'],
}

/** Never fails: a shell that asks has nobody to tell. */
export async function completions(
  commands: readonly Command[],
  words: readonly string[],
  own: Context,
): Promise<string> {
  const current = words.at(-1) ?? ''
  const path = called(commands, words.slice(0, -1))
  const rest = words.slice(path.length)
  const below = path.length === 0 ? commands : (path.at(-1)?.commands ?? [])
  const found = below.length > 0 ? commandsIn(below, rest) : await within(path, rest, own)
  return [...new Set(found)]
    .filter(word => word.startsWith(current))
    .map(word => `${word}\n`)
    .join('')
}

/** A word that is no command has nothing behind it. */
function commandsIn(below: readonly Command[], rest: readonly string[]): string[] {
  return rest.length > 1 ? [] : below.map(({ words }) => words[0] ?? '')
}

/** `rest` is what follows the words of the command. */
async function within(path: readonly Command[], rest: readonly string[], own: Context): Promise<string[]> {
  const before = rest.slice(0, -1)
  const options = await optionsOf(path, rest).catch((): string[] => [])
  const choices = options.filter(word => !isOption(word))
  if (isOption(rest.at(-1)) || (isOption(before.at(-1)) && choices.length > 0)) return options
  const kinds = NAMES[path.map(({ words }) => words[0]).join(' ')]
  const kind = kinds?.[before.filter(word => !isOption(word)).length] ?? kinds?.at(-1)
  return kind === undefined ? options : names(kind, own).catch(() => [])
}

/** Options, or the values of the option before the last word. */
async function optionsOf(path: readonly Command[], rest: readonly string[]): Promise<string[]> {
  const parser = yargs([])
    .exitProcess(false)
    .fail(() => {})
    .help(false)
    .version(false)
  const leaf = path.at(-1)?.options(parser) ?? parser
  return new Promise(resolve => leaf.getCompletion([...rest], (_error, found) => resolve([...(found ?? [])])))
}

function isOption(word: string | undefined): boolean {
  return word?.startsWith('-') === true
}

async function names(kind: Kind, own: Context): Promise<string[]> {
  if (kind === 'sandbox') return listNamed(own.folders.runDir).map(({ name }) => name)
  await using store = await openStore(own.folders.stateDir, { look: true })
  return (await allNetworks(store)).map(({ value }) => value.name)
}
