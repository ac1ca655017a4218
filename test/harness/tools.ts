// The tests' own small C programs, compiled when first asked for; they lie in the private /var/lib and go with it.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'

const FOLDER = '/var/lib/tnet-test'
/** Those that were compiled before, once for all test files. */
const PREPARED = join(import.meta.dirname, '../../dist/test-tools')
const compiled = new Map<string, string>()

/** A file name in the tests' private scratch folder. */
export function scratch(name: string): string {
  mkdirSync(FOLDER, { recursive: true })
  return join(FOLDER, name)
}

/** The path of the program made of `source`, a C file. */
export function tool(source: string, flags: readonly string[] = []): string {
  const output = compiled.get(source) ?? scratch(basename(source, '.c'))
  if (!compiled.has(source)) compile(source, output, flags)
  compiled.set(source, output)
  return output
}

/** The path of a program of this folder. */
export function ownTool(name: OwnTool): string {
  const prepared = join(PREPARED, name)
  return isNewer(prepared, sourceOf(name)) ? prepared : tool(sourceOf(name))
}

/** Compiles the programs of this folder for tests to come. */
export function prepareTools(): void {
  mkdirSync(PREPARED, { recursive: true })
  for (const name of OWN_TOOLS) {
    if (!isNewer(join(PREPARED, name), sourceOf(name))) compile(sourceOf(name), join(PREPARED, name))
  }
}

const OWN_TOOLS = ['spawner', 'probe', 'inject', 'tap-end'] as const
type OwnTool = (typeof OWN_TOOLS)[number]

function sourceOf(name: OwnTool): string {
  return join(import.meta.dirname, `${name}.c`)
}

function isNewer(file: string, than: string): boolean {
  return existsSync(file) && statSync(file).mtimeMs > statSync(than).mtimeMs
}

function compile(source: string, output: string, flags: readonly string[] = []): void {
  execFileSync('cc', ['-O2', '-Wall', '-Wextra', ...flags, '-o', output, source])
}
