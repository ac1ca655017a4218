// Netlink attributes: a table row is the type, the encoder and the decoder.
//
//   struct nlattr { __u16 nla_len; __u16 nla_type; }   nla_len counts this header; the payload is padded to 4
import type { Reader, Writer } from './bytes.ts'
import { type Codec, type ValueOf, u16 } from './codec.ts'

const NLA_F_NESTED = 0x8000
const NLA_TYPE_MASK = 0x3fff // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
const HEADER = 4

/** An attribute that the table does not know, kept so that a round trip loses nothing. `type` has its flag bits. */
export interface UnknownAttribute {
  readonly type: number
  readonly payload: Uint8Array
}

/** A codec that always can say where an offset lies. */
export interface Located<T> extends Codec<T> {
  locate(input: Reader, offset: number): string[]
}
/** Marks a codec whose attribute carries NLA_F_NESTED. */
export interface Nested<T> extends Codec<T> {
  readonly nested: true
}
/** Marks an attribute that may occur several times: its value is an array. */
export interface Many<T> {
  readonly many: Codec<T>
}
/** Picks the codec by the value of an earlier attribute, such as IFLA_INFO_DATA by IFLA_INFO_KIND. */
export interface By<C extends Record<string, Codec<any>>> {
  readonly by: string
  readonly codecs: C
}

type RowCodec = Codec<any> | Many<any> | By<any>
export type Rows = Readonly<Record<string, readonly [type: number, codec: RowCodec]>>

type RowValue<C> =
  C extends Many<infer T>
    ? readonly T[]
    : C extends By<infer M>
      ? { [K in keyof M]: ValueOf<M[K]> }[keyof M]
      : ValueOf<C>

export type Attributes<R extends Rows> = {
  [K in keyof R]?: RowValue<R[K][1]> | undefined
} & { unknown?: readonly UnknownAttribute[] | undefined }

/** Attributes inside an attribute, with NLA_F_NESTED set as newer families demand. */
export function nested<T>(codec: Codec<T>): Nested<T> {
  return { ...codec, nested: true }
}

export function many<T>(codec: Codec<T>): Many<T> {
  return { many: codec }
}

export function by<const C extends Record<string, Codec<any>>>(field: string, codecs: C): By<C> {
  return { by: field, codecs }
}

/** A nest whose attributes are all of one type: `NFTA_LIST_ELEM` and the like. */
export function list<T>(type: number, codec: Codec<T>): Nested<readonly T[]> {
  const table = attributes({ item: [type, many(codec)] })
  return {
    nested: true,
    encode: (out, items) => table.encode(out, { item: items } as never),
    decode: input => ((table.decode(input) as { item?: readonly T[] }).item ?? []) as readonly T[],
    locate: table.locate,
  }
}

/** A nest whose attributes are all alike and whose types count up from 1, as libnftnl sends elements of sets. */
export function numbered<T>(codec: Codec<T>): Nested<readonly T[]> {
  const flags = 'nested' in codec ? NLA_F_NESTED : 0
  return {
    nested: true,
    encode: (out, items) =>
      items.forEach((item, index) => writeAttribute(out, (index + 1) | flags, () => codec.encode(out, item))),
    decode(input) {
      const items: T[] = []
      eachAttribute(input, String, () => {
        items.push(codec.decode(input))
        requireEnd(input)
      })
      return items
    },
    locate(input, offset) {
      let path: string[] = []
      eachAttribute(input, String, (type, start) => {
        if (offset < start || offset >= input.end) return
        path = [String(type & NLA_TYPE_MASK), ...(codec.locate?.(input, offset) ?? [])]
      })
      return path
    },
  }
}

function writeAttribute(out: Writer, type: number, payload: () => void): void {
  const start = out.reserve(HEADER)
  payload()
  const end = out.length
  const length = end - start
  if (length > 0xffff) throw new RangeError(`attribute ${type} takes ${length} bytes, at most 65535 fit`)
  out.length = start
  u16.encode(out, length)
  u16.encode(out, type)
  out.length = end
  out.align(4)
}

/** Calls `visit` with each attribute's whole type and its start, while `input` holds its payload alone. */
function eachAttribute(
  input: Reader,
  name: (type: number) => string,
  visit: (type: number, start: number) => void,
): void {
  while (input.end - input.offset >= HEADER) {
    const start = input.offset
    const length = u16.decode(input)
    const type = u16.decode(input)
    if (length < HEADER)
      throw input.error(`attribute ${type} claims ${length} bytes, its header alone takes 4`)
    const end = input.enter(length - HEADER, name(type & NLA_TYPE_MASK))
    visit(type, start)
    input.leave(end)
    input.offset = Math.min(start + ((length + 3) & ~3), end)
  }
  if (input.left > 0) throw input.error(`${input.left} stray bytes after the last attribute`)
}

function requireEnd(input: Reader): void {
  if (input.offset < input.end) throw input.error(`${input.left} bytes too many`)
}

type Values = Readonly<Record<string, unknown>>

interface Row {
  readonly name: string
  readonly type: number
  readonly many: boolean
  /** The field whose value picks the codec, and those to pick from. */
  readonly by: By<Record<string, Codec<unknown>>> | undefined
  readonly codec: Codec<unknown> | undefined
}

function row(name: string, type: number, codec: RowCodec): Row {
  if ('many' in codec) return { name, type, many: true, by: undefined, codec: codec.many }
  if ('by' in codec) return { name, type, many: false, by: codec, codec: undefined }
  return { name, type, many: false, by: undefined, codec }
}

/** The codec of a row beside `values`; undefined where they do not pick one. */
function codecOf({ codec, by }: Row, values: Values): Codec<unknown> | undefined {
  if (by === undefined) return codec
  const kind = String(values[by.by])
  return Object.hasOwn(by.codecs, kind) ? by.codecs[kind] : undefined
}

/** A table that is made when it is first needed: most processes need few of those that they load. */
class Table {
  readonly byName = new Map<string, Row>()
  readonly byType = new Map<number, Row>()
  /** Fields that pick the codecs of others. */
  readonly kinds = new Set<string>()

  constructor(rows: Rows) {
    for (const [name, [type, codec]] of Object.entries(rows)) {
      const each = row(name, type, codec)
      this.byName.set(name, each)
      this.byType.set(type, each)
      if (each.by !== undefined) this.kinds.add(each.by.by)
    }
  }

  nameOf = (type: number): string => this.byType.get(type)?.name ?? `attribute ${type}`
}

/**
 * A codec for a table of attributes. Encodes in the order of the value's own keys, decodes in any order.
 * Decoding throws DecodeError where a payload has the wrong length; encoding throws TypeError at a name that the table
 * does not have, and TypeError or RangeError at a value that does not fit.
 */
export function attributes<const R extends Rows>(rows: R): Located<Attributes<R>> {
  let made: Table | undefined
  const table = (): Table => (made ??= new Table(rows))
  return {
    encode: (out, value) => encodeAll(out, table(), value),
    decode: input => decodeAll(input, table()) as Attributes<R>,
    locate: (input, offset) => locateIn(input, offset, table()),
  }
}

function encodeAll(out: Writer, table: Table, values: Values): void {
  for (const name in values) {
    const field = values[name]
    if (field === undefined) continue
    const row = table.byName.get(name)
    if (row === undefined) {
      if (name !== 'unknown') throw new TypeError(`no attribute is called ${name}`)
      for (const { type, payload } of field as readonly UnknownAttribute[]) {
        writeAttribute(out, type, () => out.write(payload))
      }
      continue
    }
    const codec = codecOf(row, values)
    if (codec === undefined) throw new TypeError(`${name}: its kind is missing or has no table`)
    const type = 'nested' in codec ? row.type | NLA_F_NESTED : row.type
    for (const item of row.many ? (field as readonly unknown[]) : [field]) {
      writeAttribute(out, type, () => codec.encode(out, item))
    }
  }
}

function decodeAll(input: Reader, table: Table): Values {
  const values: Record<string, unknown> = {}
  const unknown: UnknownAttribute[] = []
  const late: [type: number, row: Row, payload: Reader][] = []
  const decode = (type: number, row: Row | undefined, payload: Reader): void => {
    const codec = row && codecOf(row, values)
    if (row === undefined || codec === undefined) {
      unknown.push({ type, payload: payload.rest() })
      return
    }
    const decoded = codec.decode(payload)
    requireEnd(payload)
    if (row.many) ((values[row.name] ??= []) as unknown[]).push(decoded)
    else values[row.name] = decoded
  }
  eachAttribute(input, table.nameOf, type => {
    const row = table.byType.get(type & NLA_TYPE_MASK)
    if (row?.by === undefined) return decode(type, row, input)
    // What picks its codec may come after it, or come again: as in the kernel, the last one counts.
    values[row.name] = undefined // keeps its place
    late.push([type, row, input.slice(input.end - input.offset)])
  })
  for (const [type, row, payload] of late) decode(type, row, payload)
  for (const [, { name }] of late) if (values[name] === undefined) delete values[name]
  if (unknown.length > 0) values['unknown'] = unknown
  return values
}

/** The names around `offset`. What picks codecs has to stand before what it picks for. */
function locateIn(input: Reader, offset: number, table: Table): string[] {
  let path: string[] = []
  const values: Record<string, unknown> = {}
  eachAttribute(input, table.nameOf, (type, start) => {
    const row = table.byType.get(type & NLA_TYPE_MASK)
    const codec = row && codecOf(row, values)
    if (offset >= start && offset < input.end) {
      path = [table.nameOf(type & NLA_TYPE_MASK), ...(codec?.locate?.(input, offset) ?? [])]
    } else if (row !== undefined && codec !== undefined && table.kinds.has(row.name)) {
      values[row.name] = codec.decode(input)
    }
  })
  return path
}
