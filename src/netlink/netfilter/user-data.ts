// What nft keeps beside its objects, and shows again: comments, and how to display a set. The kernel does not read it.
//
//   struct { __u8 type; __u8 len; __u8 value[len]; } ...   as libnftnl lays it out, without padding
import { DecodeError, type Reader } from '../../wire/bytes.ts'
import { bytes, type Codec, enumeration, string, u32, u8, type ValueOf } from '../../wire/codec.ts'

type Rows = Readonly<Record<string, readonly [type: number, codec: Codec<any>]>>

/** Programs other than nft put there what they like: what is not in nft's form is kept as `raw`. */
export type UserData<R extends Rows> = {
  readonly [K in keyof R]?: ValueOf<R[K][1]> | undefined
} & {
  readonly unknown?: readonly { readonly type: number; readonly value: Uint8Array }[] | undefined
  readonly raw?: Uint8Array | undefined
}

/** A codec for a table of user data. Encodes in the order of the value's own keys. */
export function userData<const R extends Rows>(rows: R): Codec<UserData<R>> {
  const byType = new Map(Object.entries(rows).map(([name, [type, codec]]) => [type, { name, codec }]))

  const decode = (input: Reader): UserData<R> => {
    const values: Record<string, unknown> = {}
    const unknown: { type: number; value: Uint8Array }[] = []
    while (input.left > 0) {
      const type = u8.decode(input)
      const value = input.slice(u8.decode(input), `user data ${type}`)
      const row = byType.get(type)
      if (row === undefined) unknown.push({ type, value: value.rest() })
      else {
        values[row.name] = row.codec.decode(value)
        if (value.left > 0) throw value.error(`${value.left} bytes too many`)
      }
    }
    if (unknown.length > 0) values['unknown'] = unknown
    return values as UserData<R>
  }

  return {
    encode(out, value) {
      const values: Readonly<Record<string, unknown>> = value
      const write = (type: number, payload: () => void): void => {
        u8.encode(out, type)
        const length = out.reserve(1)
        payload()
        const size = out.length - length - 1
        if (size > 0xff) throw new RangeError(`user data ${type} takes ${size} bytes, at most 255 fit`)
        out.bytes[length] = size
      }
      for (const name in values) {
        const field = values[name]
        const row = rows[name]
        if (field === undefined) continue
        if (row !== undefined) write(row[0], () => row[1].encode(out, field))
        else if (name === 'raw') out.write(field as Uint8Array)
        else if (name !== 'unknown') throw new TypeError(`no user data is called ${name}`)
      }
      for (const { type, value: payload } of value.unknown ?? []) write(type, () => out.write(payload))
    },
    decode(input) {
      const start = input.offset
      try {
        return decode(input)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        input.offset = start
        return { raw: input.rest() } as UserData<R>
      }
    },
  }
}

/** How nft shows the bytes of a key: `host` for numbers of the machine and for names, `network` for addresses. */
const byteOrder = enumeration(u32, { none: 0, host: 1, network: 2 })

/** Tables, chains and stateful objects. */
export const commentUserData = userData({ comment: [0, string] })
export const ruleUserData = userData({ comment: [0, string], ebtablesPolicy: [1, u32] })
export const elementUserData = userData({
  comment: [0, string],
  /** 1: an interval that has no end. */
  flags: [1, u32],
})
export const setUserData = userData({
  keyByteOrder: [0, byteOrder],
  dataByteOrder: [1, byteOrder],
  mergeElements: [2, u32],
  keyTypeof: [3, bytes],
  dataTypeof: [4, bytes],
  expression: [5, bytes],
  dataInterval: [6, u32],
  comment: [7, string],
})
