// Text of strangers on a terminal: interface names, labels and errors may hold anything that moves the cursor.

/** Control characters, format characters (bidirectional overrides, zero width), line separators, half surrogates. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** Text in which what a terminal would obey or hide is written out: `\x1b`, `\u{202e}`. */
export function visible(text: string): string {
  return text.replace(HIDDEN, character => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u{${hex(code, 4)}}`
  })
}

/** JSON in which no control or format character stands as it is; it says the same. */
export function json(value: unknown, space?: number): string {
  return (JSON.stringify(value, null, space) ?? 'null').replace(HIDDEN, character =>
    character === '\n' ? character : Array.from(units(character), unit => `\\u${hex(unit, 4)}`).join(''),
  )
}

/** The UTF-16 code units, which JSON escapes one by one. */
function* units(text: string): Generator<number> {
  for (let index = 0; index < text.length; index++) yield text.charCodeAt(index)
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0')
}

/** How many columns a terminal gives to the text, colour left out: East Asian wide characters and emoji take two. */
export function width(text: string): number {
  let columns = 0
  for (const character of text.replace(COLOUR, '')) {
    if (!/\p{M}/u.test(character)) columns += WIDE.test(character) ? 2 : 1
  }
  return columns
}

const ESC = String.fromCharCode(0x1b)
const COLOUR = new RegExp(`${ESC}\\[[0-9;]*m`, 'g')
const WIDE =
  /[\u{1100}-\u{115f}\u{2e80}-\u{303e}\u{3041}-\u{a4cf}\u{ac00}-\u{d7a3}\u{f900}-\u{faff}\u{fe30}-\u{fe6f}\u{ff00}-\u{ff60}\u{ffe0}-\u{ffe6}\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow'
const STYLES: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 }

/** SGR sequences around a text that is visible already. */
export function styled(style: Style, text: string): string {
  return `${ESC}[${STYLES[style]}m${text}${ESC}[0m`
}

/** `tnet: what failed`, and below it what to do. */
export function failure({
  message,
  details,
}: {
  readonly message: string
  readonly details: string
}): string {
  return `tnet: ${visible(message)}\n${details === '' ? '' : `  ${visible(details)}\n`}`
}
