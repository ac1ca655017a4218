// JSON as CNI's configurations need it: bounded depth, positions in errors, exact numbers, no inherited properties.
// JSON.parse has none of these, and tells of an error differently in each runtime.
import { TnetError } from '../errors.ts'

export type Json = null | boolean | number | bigint | string | Json[] | JsonObject

/** Has no prototype: `constructor` is a key like any other. */
export interface JsonObject {
  [key: string]: Json
}

const MAX_DEPTH = 64
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/**
 * The value of the document `text`. Of a repeated key the last one counts, at the last one's place. An integer that a
 * double cannot hold is a bigint. Throws TnetError BAD_JSON with line and column.
 */
export function parseJson(text: string): Json {
  const parser = new Parser(text)
  const value = parser.value(0)
  parser.end()
  return value
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(depth: number): Json {
    this.#space()
    if (depth > MAX_DEPTH) throw this.#error(`more than ${MAX_DEPTH} levels of nesting`)
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth)
      case '[':
        return this.#array(depth)
      case '"':
        return this.#string()
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  end(): void {
    this.#space()
    if (this.#at < this.#text.length) throw this.#unexpected('the end')
  }

  #object(depth: number): JsonObject {
    const object = Object.create(null) as JsonObject
    this.#at++
    if (this.#takes('}')) return object
    do {
      this.#space()
      if (this.#text[this.#at] !== '"') throw this.#unexpected('a key in double quotes')
      const key = this.#string()
      // Harmless here, but no other program that reads this configuration should have to be.
      if (key === '__proto__') throw this.#error('the key __proto__')
      if (!this.#takes(':')) throw this.#unexpected('a colon')
      const value = this.value(depth + 1)
      delete object[key]
      object[key] = value
    } while (this.#takes(','))
    if (!this.#takes('}')) throw this.#unexpected('a comma or a closing brace')
    return object
  }

  #array(depth: number): Json[] {
    const array: Json[] = []
    this.#at++
    if (this.#takes(']')) return array
    do array.push(this.value(depth + 1))
    while (this.#takes(','))
    if (!this.#takes(']')) throw this.#unexpected('a comma or a closing bracket')
    return array
  }

  #string(): string {
    let value = ''
    this.#at++
    for (;;) {
      // Everything up to a quote, a backslash or a control character.
      value += this.#match(/[ !#-[\]-\uffff]*/y)
      const character = this.#text[this.#at]
      if (character === '"') {
        this.#at++
        return value.toWellFormed()
      }
      if (character === undefined) throw this.#error('unexpected end, in a string')
      if (character !== '\\') throw this.#error(`${show(character)} in a string, want it escaped`)
      value += this.#escape()
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? ''
    const plain = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined
    if (plain !== undefined) {
      this.#at += 2
      return plain
    }
    const escape = this.#match(/\\u[0-9a-fA-F]{4}/y)
    if (escape === '') throw this.#error('an escape that JSON does not have')
    return String.fromCharCode(Number.parseInt(escape.slice(2), 16))
  }

  #number(): number | bigint {
    const start = this.#at
    const text = this.#match(/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y)
    if (text === '') throw this.#unexpected('a value')
    const next = this.#text[this.#at]
    if (next !== undefined && /[0-9.eE+-]/.test(next)) {
      this.#at = start
      throw this.#error('a number that JSON does not have')
    }
    const value = Number(text)
    return Number.isSafeInteger(value) || !/^-?[0-9]{1,400}$/.test(text) ? value : BigInt(text)
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected('a value')
    this.#at += word.length
    return value
  }

  #space(): void {
    this.#match(/[ \t\n\r]*/y)
  }

  #takes(character: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #match(sticky: RegExp): string {
    sticky.lastIndex = this.#at
    const found = sticky.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }

  #unexpected(wanted: string): TnetError {
    const character = this.#text[this.#at]
    const found = character === undefined ? 'end' : show(character)
    return this.#error(`unexpected ${found}, want ${wanted}`)
  }

  #error(what: string): TnetError {
    const before = this.#text.slice(0, this.#at)
    const line = before.split('\n').length
    const column = this.#at - before.lastIndexOf('\n')
    return new TnetError('BAD_JSON', `read network configuration: line ${line}, column ${column}: ${what}`)
  }
}

function show(character: string): string {
  if (character === '\ufeff') return 'a byte order mark'
  return character < ' ' ? `control character 0x${character.charCodeAt(0).toString(16)}` : `'${character}'`
}
