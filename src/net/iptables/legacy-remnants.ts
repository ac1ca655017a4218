// Chains of the reference in the nat table of iptables-legacy.
import { legacyTables } from '../legacy-tables.ts'
import { type Programs, programsOf, rewrite, saved } from './legacy-program.ts'

/** Removes these chains with all that leads to them. */
export async function clearLegacyChains(names: readonly string[]): Promise<void> {
  for (const programs of natPrograms()) await rewrite(programs, 'nat', text => removal(text, names))
}

/** Whether there is any of them. */
export async function hasLegacyChains(names: readonly string[]): Promise<boolean> {
  for (const programs of natPrograms()) {
    if (removal(await saved(programs, 'nat'), names) !== undefined) return true
  }
  return false
}

/** Where the program is gone, whoever removed it has left the rules on purpose. */
function natPrograms(): Programs[] {
  return legacyTables('nat').flatMap(family => programsOf(family) ?? [])
}

function removal(text: string, names: readonly string[]): string | undefined {
  const lines = text.split('\n')
  const standing = names.filter(name => lines.some(line => line.startsWith(`:${name} `)))
  if (standing.length === 0) return undefined
  const leading = lines.filter(line => line.startsWith('-A ') && standing.includes(targetOf(line)))
  return [
    '*nat',
    ...leading.map(line => `-D${line.slice('-A'.length)}`),
    ...standing.map(name => `-F ${name}`),
    ...standing.map(name => `-X ${name}`),
    'COMMIT',
    '',
  ].join('\n')
}

/** A comment, the one thing that somebody else can word, is quoted where it has a space. */
function targetOf(line: string): string {
  return /^(?:"(?:[^"\\]|\\.)*"|[^"])* (?:-j|-g) (\S+)/.exec(line)?.[1] ?? ''
}
