// The part of JSON Schema that configurations need, and its building blocks.
// The names of `properties` are the canonical spelling of the keys.

export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  /** What is wanted, in an error's words: `an integer from 0 to 65535`. */
  readonly want?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minimum?: number
  readonly maximum?: number
  readonly enum?: readonly string[]
  readonly pattern?: string
  /** An object whose other keys belong to somebody else: none of them is taken for a misspelling. */
  readonly open?: true
  /** Null is a value of its own; elsewhere it is as good as leaving the key out. */
  readonly nullable?: true
  /** An empty string is as good as leaving the key out. */
  readonly emptyIsUnset?: true
}

/** Anything at all. */
export const anything: Schema = {}

export const flag: Schema = { type: 'boolean', want: 'true or false' }

/** Without control characters, at most `length` of UTF-16: it becomes a name or a path. */
export function text(want: string, length = 255, more: Pick<Schema, 'emptyIsUnset'> = {}): Schema {
  return { type: 'string', want, pattern: `^[^\\u0000-\\u001f\\u007f]{0,${length}}$`, ...more }
}

/** As `text`, but an empty one says nothing. */
export function maybe(want: string, length = 255): Schema {
  return text(want, length, { emptyIsUnset: true })
}

export function integer(minimum: number, maximum: number): Schema {
  return { type: 'integer', want: `an integer from ${minimum} to ${maximum}`, minimum, maximum }
}

export function oneOf(...values: string[]): Schema {
  return { type: 'string', want: `one of ${values.map(value => value || '""').join(', ')}`, enum: values }
}

export function list(items: Schema, want = 'a list'): Schema {
  return { type: 'array', want, items }
}

export function object(properties: Readonly<Record<string, Schema>>, more: Partial<Schema> = {}): Schema {
  return { type: 'object', want: 'an object', properties, ...more }
}

/** Parsed where it is used: the words of an address are richer than a pattern. */
export const address = maybe('an IP address', 64)
export const prefix = text('an address with its prefix length, such as 10.1.0.0/16', 64)
export const addressOrPrefix = text('an IP address, with or without a prefix length', 64)
export const path = maybe('a path', 4095)
