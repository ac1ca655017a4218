// Text for runtimes and people. JSON is as the reference prints it, byte for byte: four spaces, no newline at the end,
// and the escapes of Go.

const ESCAPED = /[<>&\u2028\u2029]/g

/** Keys in the order of the object's own; undefined is left out. */
export function print(value: object): string {
  return JSON.stringify(value, null, 4).replace(
    ESCAPED,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** For Go's `omitempty`: undefined in place of a zero, an empty string or an empty list. */
export function omitEmpty<T extends string | number | readonly unknown[]>(
  value: T | undefined,
): T | undefined {
  return value === 0 || value === '' || (Array.isArray(value) && value.length === 0) ? undefined : value
}

/** Names of others end up in messages, and messages on terminals. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
