// Fixed headers: a table of fields under the C struct that it mirrors.
import type { Reader, Writer } from './bytes.ts'
import type { Codec, ValueOf } from './codec.ts'

/** Padding bytes, written as zero and not read. */
export function pad(size: number): Codec<undefined> {
  return { size, encode: out => void out.reserve(size), decode: input => void input.take(size) }
}

export interface StructCodec<T> {
  readonly size: number
  /** The names of its fields. */
  readonly fields: ReadonlySet<string>
  /** Fields left out are zero. */
  encode(out: Writer, value: Partial<T>): void
  decode(input: Reader): T
}

type Fields = Readonly<Record<string, Codec<any>>>
type Struct<F extends Fields> = {
  -readonly [K in keyof F as ValueOf<F[K]> extends undefined ? never : K]: ValueOf<F[K]>
}

/** Fields one after the other as C lays them out; padding is a field of its own. */
export function struct<const F extends Fields>(fields: F): StructCodec<Struct<F>> {
  const rows = Object.entries(fields)
  let size = 0
  for (const [, codec] of rows) size += codec.size ?? 0
  return {
    size,
    fields: new Set(Object.keys(fields)),
    encode(out, value) {
      const values: Readonly<Record<string, unknown>> = value
      for (const [field, codec] of rows) {
        if (values[field] === undefined) out.reserve(codec.size ?? 0)
        else codec.encode(out, values[field])
      }
    },
    decode(input) {
      const value: Record<string, unknown> = {}
      for (const [field, codec] of rows) {
        const decoded: unknown = codec.decode(input)
        if (decoded !== undefined) value[field] = decoded
      }
      return value as Struct<F>
    },
  }
}

/** A struct that newer kernels append fields to. Bytes after its fields are kept in `rest`. */
export function growing<T>(fields: StructCodec<T>): Codec<T & { rest?: Uint8Array }> {
  return {
    encode(out, value) {
      fields.encode(out, value)
      if (value.rest !== undefined) out.write(value.rest)
    },
    decode(input) {
      const value = fields.decode(input) as T & { rest?: Uint8Array }
      if (input.left > 0) value.rest = input.rest()
      return value
    },
  }
}

/** A fixed header, padded to 4, and what follows it, as one flat value. */
export function withHeader<H, B>(header: StructCodec<H>, body: Codec<B>) {
  const skip = (4 - (header.size % 4)) % 4
  return {
    encode(out: Writer, value: Partial<H> & B): void {
      header.encode(out, value)
      out.reserve(skip)
      const rest: Record<string, unknown> = {}
      const values: Readonly<Record<string, unknown>> = value
      for (const field in values) if (!header.fields.has(field)) rest[field] = values[field]
      body.encode(out, rest as B)
    },
    decode(input: Reader): H & B {
      const fields = header.decode(input)
      input.take(Math.min(skip, input.left))
      return { ...fields, ...body.decode(input) }
    },
    locate(input: Reader, offset: number): string[] {
      input.take(Math.min(header.size + skip, input.left))
      return body.locate?.(input, offset) ?? []
    },
  }
}
