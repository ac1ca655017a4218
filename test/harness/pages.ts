// The pages of the documentation: their blocks of code, the keys in their tables, their links.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Block {
  /** What stands after the backticks: sh, json, ts. */
  readonly language: string
  readonly text: string
  /** The line where it begins, from 1. */
  readonly line: number
  /** Why nobody can run it, from `<!-- not run: ... -->` before it. */
  readonly notRun?: string | undefined
}

export interface Page {
  /** From the root of the project. */
  readonly path: string
  readonly text: string
  readonly blocks: readonly Block[]
}

/** README.md and all of docs/. */
export function pages(root: string): Page[] {
  const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  const paths = ['README.md', ...inDocs.filter(path => path.endsWith('.md')).map(path => `docs/${path}`)]
  return paths.sort().map(path => page(path, readFileSync(join(root, path), 'utf8')))
}

const BLOCK = /^(?:<!-- not run: (?<notRun>.+) -->\n+)?```(?<language>\w*)\n(?<text>.*?)^```$/gms

export function page(path: string, text: string): Page {
  const blocks = [...text.matchAll(BLOCK)].map(({ groups = {}, index }) => ({
    language: groups['language'] ?? '',
    text: groups['text'] ?? '',
    line: text.slice(0, index).split('\n').length,
    notRun: groups['notRun'],
  }))
  return { path, text, blocks }
}

/** The cells of the first column of every table whose first heading is `heading`, without backticks. */
export function firstColumn({ text }: Page, heading: string): string[] {
  const cells: string[] = []
  let inTable = false
  for (const line of text.split('\n')) {
    const [, cell] = /^\| *(.*?) *\|/.exec(line) ?? []
    if (cell === undefined) inTable = false
    else if (cell === heading) inTable = true
    else if (inTable && !/^-+$/.test(cell)) cells.push(cell.replaceAll('`', ''))
  }
  return cells
}

/** Where the links of a page lead, but for those to other sites. */
export function links({ text }: Page): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = '']) => to).filter(to => !/^https?:/.test(to))
}

/** What links call the headings of a page: `What ADD makes` is #what-add-makes. */
export function anchors({ text }: Page): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}
