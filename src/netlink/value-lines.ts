// Decoded values as lines of text for people: one attribute a line, what is inside another is indented.

/** More bytes than these are counted, not shown. */
const MOST_BYTES = 64
/** Text that needs no quotes. All else is quoted and escaped: a name must not write to the terminal. */
const PLAIN = /^[\w.:/@%+-]+$/

export function valueLines(value: unknown): string[] {
  const scalar = inline(value)
  if (scalar !== undefined) return [scalar]
  if (Array.isArray(value)) return value.flatMap(item => listed(valueLines(item)))
  return Object.entries(value as object).flatMap(([name, field]) => fieldLines(name, field))
}

function fieldLines(name: string, value: unknown): string[] {
  if (value === undefined || (value instanceof Set && value.size === 0)) return []
  const scalar = inline(value)
  if (scalar !== undefined) return [`${name} ${scalar}`]
  return [name, ...valueLines(value).map(line => `  ${line}`)]
}

/** The first line gets a dash, the others stand below it. */
function listed(lines: readonly string[]): string[] {
  return lines.map((line, i) => (i === 0 ? `- ${line}` : `  ${line}`))
}

/** What fits on the line of its name; undefined for attributes and lists of them. */
function inline(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return hex(value)
  if (value instanceof Set) return [...value].map(String).join(' ')
  if (Array.isArray(value)) {
    const items = value.map(item => (item instanceof Set ? undefined : inline(item)))
    return items.includes(undefined) ? undefined : items.join(', ')
  }
  if (typeof value === 'string') return PLAIN.test(value) ? value : quoted(value)
  return typeof value === 'object' && value !== null ? undefined : String(value)
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function hex(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, MOST_BYTES)).toString('hex')
  return bytes.length > MOST_BYTES ? `0x${text}... (${bytes.length} bytes)` : `0x${text}`
}
