// Reads the imports of source files, as the text has them: what is a type alone would be gone from the running program.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface Import {
  /** The file that imports, from the root of the project. */
  readonly from: string
  /** A file from the root of the project, or the name of a package: `node:fs`. */
  readonly to: string
  /** `import type`: nothing of it is left when the program runs. */
  readonly isType: boolean
  /** `import()`: loaded when it is asked for. */
  readonly isLazy: boolean
}

/** Statements begin their line, as prettier leaves them; the words between have no quotes. */
const STATEMENT = /^(?:import|export)(?<type> type)?\s(?:[^'"`;]*?\sfrom )?'(?<specifier>[^']+)'/gm
const CALL = /(?<lazy>\bimport)\('(?<specifier>[^']+)'\)/g
/** What looks like the name of a module of ours, wherever it stands. */
const SPECIFIER = /'(\.{1,2}\/[^']*\.(?:ts|js))'/g

/** The imports of `file`. Throws where a module is named in a way that is not understood. */
export function importsOf(root: string, file: string): Import[] {
  return importsIn(file, readFileSync(join(root, file), 'utf8'))
}

export function importsIn(file: string, text: string): Import[] {
  const found = [...text.matchAll(STATEMENT), ...text.matchAll(CALL)].map(({ groups = {} }) => ({
    from: file,
    to: resolved(file, groups['specifier'] ?? ''),
    isType: groups['type'] !== undefined,
    isLazy: groups['lazy'] !== undefined,
  }))
  const known = new Set(found.map(({ to }) => to))
  for (const [, specifier = ''] of text.matchAll(SPECIFIER)) {
    if (known.has(resolved(file, specifier))) continue
    throw new Error(`${file} names ${specifier}, but not in an import that is understood`)
  }
  return found
}

function resolved(file: string, specifier: string): string {
  return specifier.startsWith('.') ? join(dirname(file), specifier) : specifier
}
