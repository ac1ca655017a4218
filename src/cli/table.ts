// Tables for people: columns as wide as their widest cell, three spaces apart.
import { visible, width } from './text.ts'

const GAP = '   '

/** One line for each row, headings first. What a terminal would obey is written out. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return columns([headings, ...rows.map(row => row.map(visible))])
}

/** Aligned rows of cells that are fit for a terminal already, and may be coloured. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, width(cell))))
  }
  return rows
    .map(row => row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell))))
    .map(row => `${row.join(GAP).trimEnd()}\n`)
    .join('')
}
