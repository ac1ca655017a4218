// The tests' own small C programs, compiled when first asked for; they lie in the private /var/lib and go with it.
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { run } from './run.ts'

const FOLDER = '/var/lib/tnet-test'
/** Those that were compiled before, for machines on which the compiler takes longer than the tests. */
const PREPARED = join(import.meta.dirname, '../../dist/test-tools')
const compiled = new Map<string, Promise<string>>()

/** A file name in the tests' private scratch folder. */
export function scratch(name: string): string {
  mkdirSync(FOLDER, { recursive: true })
  return join(FOLDER, name)
}

/** The path of the program made of `source`, a C file. */
export function tool(source: string, flags: readonly string[] = []): Promise<string> {
  const found = compiled.get(source)
  if (found !== undefined) return found
  const output = scratch(basename(source, '.c'))
  const made = compile(source, output, flags).then(() => output)
  compiled.set(source, made)
  return made
}

/** The path of a program of this folder. */
export async function ownTool(name: OwnTool): Promise<string> {
  const prepared = join(PREPARED, name)
  return isNewer(prepared, sourceOf(name)) ? prepared : tool(sourceOf(name))
}

/** Compiles the programs of this folder for tests to come. */
export async function prepareTools(): Promise<void> {
  mkdirSync(PREPARED, { recursive: true })
  for (const name of OWN_TOOLS) {
    if (!isNewer(join(PREPARED, name), sourceOf(name))) await compile(sourceOf(name), join(PREPARED, name))
  }
}

const OWN_TOOLS = ['probe', 'inject', 'tap-end'] as const
type OwnTool = (typeof OWN_TOOLS)[number]

function sourceOf(name: OwnTool): string {
  return join(import.meta.dirname, `${name}.c`)
}

function isNewer(file: string, than: string): boolean {
  return existsSync(file) && statSync(file).mtimeMs > statSync(than).mtimeMs
}

async function compile(source: string, output: string, flags: readonly string[] = []): Promise<void> {
  await run('cc', ['-O2', '-Wall', '-Wextra', ...flags, '-o', output, source])
}
