// Chains of the reference in the nat table of iptables-legacy.
import type { Family } from '../ip.ts'
import { programsOf, rewrite, saved } from './legacy-program.ts'

/** Removes these chains with all that leads to them. Where the program is gone, whoever removed it has left the rules on purpose. */
export async function clearLegacyChains(family: Family, names: readonly string[]): Promise<void> {
  const programs = programsOf(family)
  if (programs !== undefined) await rewrite(programs, 'nat', text => removal(text, names))
}

/** Whether there is any of them. */
export async function hasLegacyChains(family: Family, names: readonly string[]): Promise<boolean> {
  const programs = programsOf(family)
  return programs !== undefined && removal(await saved(programs, 'nat'), names) !== undefined
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
