// A configuration made to fit its schema: keys in their canonical spelling, types and ranges right, or BAD_CONFIG.
// Keys are matched as Go's encoding/json does: without regard to case, the last one counts, null leaves it unset.
import { TnetError, unwanted } from '../errors.ts'
import { isObject, type Json, type JsonObject } from './json.ts'
import { nearest } from '../misspelled.ts'
import type { Schema } from './schemas/schema.ts'

/** What scripts/validators.ts makes of a schema. */
export interface Validate {
  (data: unknown): boolean
  errors?: readonly { readonly instancePath: string; readonly params: object }[] | null
}

/** A schema and the validator generated from it. */
export interface Document {
  readonly schema: Schema
  readonly validate: Validate
}

export interface Conformed {
  /** Only the keys that the schema has. */
  readonly config: JsonObject
  /** For people: unknown keys that look like misspellings, and keys that were left out. */
  readonly hints: readonly string[]
}

/** Throws TnetError BAD_CONFIG naming the key, what was wanted and what was there. `at` is where `raw` was found. */
export function conform(document: Document, raw: JsonObject, at = ''): Conformed {
  const hints: string[] = []
  const config = canonical(document.schema, raw, at, hints) as JsonObject
  if (document.validate(config)) return { config, hints }
  throw faultOf(document, config, at)
}

/**
 * As `conform`, but a key whose value is wrong is left out and told as a hint. `needed` are the keys, such as
 * `ipam.type`, that cannot be left out.
 */
export function conformWhatCan(document: Document, raw: JsonObject, needed: readonly string[]): Conformed {
  const hints: string[] = []
  const config = canonical(document.schema, raw, '', hints) as JsonObject
  while (!document.validate(config)) {
    const error = faultOf(document, config, '')
    if (!leaveOut(config, steps(document.validate.errors?.[0]?.instancePath ?? ''), needed)) throw error
    hints.push(`ignored: ${error.message}`)
  }
  return { config, hints }
}

/** Removes the innermost key that `path` leads through; false where that key is needed. */
function leaveOut(config: JsonObject, path: readonly string[], needed: readonly string[]): boolean {
  let value: Json | undefined = config
  let innermost: { readonly owner: JsonObject; readonly key: string; readonly name: string } | undefined
  for (const [i, step] of path.entries()) {
    if (isObject(value)) innermost = { owner: value, key: step, name: path.slice(0, i + 1).join('.') }
    value = child(value, step)
  }
  if (innermost === undefined || needed.includes(innermost.name)) return false
  return delete innermost.owner[innermost.key]
}

function canonical(schema: Schema, value: Json, at: string, hints: string[]): Json {
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? value : value.map((item, i) => canonical(items, item, `${at}[${i}]`, hints))
  }
  const { properties } = schema
  if (!isObject(value) || properties === undefined) return value
  const names = new Map(Object.keys(properties).map(name => [name.toLowerCase(), name]))
  const result = Object.create(null) as JsonObject
  for (const [key, child] of Object.entries(value)) {
    const name = names.get(key.toLowerCase())
    const property = name === undefined ? undefined : properties[name]
    if (name !== undefined && property !== undefined) {
      if (!isUnset(property, child)) result[name] = canonical(property, child, below(at, name), hints)
    } else if (schema.open !== true) {
      const meant = nearest(key, names.values())
      if (meant !== undefined)
        hints.push(`${show(below(at, key))}: unknown key, did you mean ${show(meant)}?`)
    }
  }
  return result
}

function isUnset(schema: Schema, value: Json): boolean {
  return (value === null && schema.nullable !== true) || (value === '' && schema.emptyIsUnset === true)
}

/** The error for what the validator has just found; it points there with a JSON Pointer (RFC 6901). */
function faultOf({ schema, validate }: Document, config: JsonObject, at: string): TnetError {
  const { instancePath = '', params = {} } = validate.errors?.[0] ?? {}
  let path = at
  let part: Schema | undefined = schema
  let value: Json | undefined = config
  for (const step of steps(instancePath)) {
    const list = Array.isArray(value)
    path = list ? `${path}[${step}]` : below(path, step)
    part = list ? part?.items : part?.properties?.[step]
    value = child(value, step)
  }
  if (!('missingProperty' in params)) {
    return unwanted(path || 'configuration', part?.want ?? 'something else', value)
  }
  const key = String(params.missingProperty)
  const wanted = part?.properties?.[key]?.want ?? 'a value'
  return new TnetError('BAD_CONFIG', `${below(path, key)}: want ${wanted}, got nothing`)
}

function steps(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function child(value: Json | undefined, step: string): Json | undefined {
  if (Array.isArray(value)) return value[Number(step)]
  return isObject(value) ? value[step] : undefined
}

function below(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

function show(key: string): string {
  return JSON.stringify(key.length > 64 ? `${key.slice(0, 64)}...` : key)
}
