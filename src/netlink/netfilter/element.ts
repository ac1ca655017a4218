// Elements of sets and maps: NFT_MSG_NEWSETELEM and its kin.
import { attributes, list, nested, numbered } from '../../wire/attributes.ts'
import { be32, be64, flagSet, string, type ValueOf } from '../../wire/codec.ts'
import type { RequestOf, ValueOfMessage } from '../../wire/message.ts'
import { type Data, data } from './data.ts'
import { nftMessage } from './message.ts'
import { statefulExpression } from './stateful-expression.ts'
import { elementUserData } from './user-data.ts'

/** NFTA_SET_ELEM_* */
const elementAttributes = attributes({
  key: [1, nested(data)],
  data: [2, nested(data)],
  flags: [3, flagSet(be32, { intervalEnd: 1, catchall: 2 })],
  /** Milliseconds. */
  timeout: [4, be64],
  /** Milliseconds until it goes. */
  expiration: [5, be64],
  userData: [6, elementUserData],
  expression: [7, nested(statefulExpression)],
  /** The name of the object that the key maps to. */
  object: [9, string],
  /** The last key of an interval; of a concatenation, the last of each part. */
  keyEnd: [10, nested(data)],
  expressions: [11, list(1, nested(statefulExpression))],
})

/** NFTA_SET_ELEM_LIST_* */
const elements = attributes({
  table: [1, string],
  set: [2, string],
  elements: [3, numbered(nested(elementAttributes))],
  setId: [4, be32],
})

export const newElement = nftMessage('NFT_MSG_NEWSETELEM', 12, elements)
/** With elements, those; without, as a dump, all. */
export const getElement = nftMessage('NFT_MSG_GETSETELEM', 13, elements)
/** Without elements, all. */
export const deleteElement = nftMessage('NFT_MSG_DELSETELEM', 14, elements)

export type Element = ValueOf<typeof elementAttributes>
export type Elements = ValueOfMessage<typeof newElement>
export type ElementsRequest = RequestOf<typeof newElement>

/** What an element may have beside its key. */
export interface ElementOptions {
  readonly comment?: string | undefined
  /** Of a map. */
  readonly data?: Data | undefined
  /** Milliseconds. */
  readonly timeout?: bigint | undefined
}

function options({ comment, data, timeout }: ElementOptions): Element {
  return { data, timeout, userData: comment === undefined ? undefined : { comment } }
}

export function element(key: Uint8Array, rest: ElementOptions = {}): Element {
  return { key: { value: key }, ...options(rest) }
}

/** Of a concatenation with flag `interval`: every part from its first to its last value. */
export function ranges(from: Uint8Array, to: Uint8Array, rest: ElementOptions = {}): Element {
  return { key: { value: from }, keyEnd: { value: to }, ...options(rest) }
}

/**
 * Of one type with flag `interval`: two elements, of which the second stands where the interval has ended. An interval
 * up to the last value has no such place.
 */
export function interval(from: Uint8Array, to: Uint8Array, rest: ElementOptions = {}): Element[] {
  const first: Element = { key: { value: from }, ...options(rest) }
  const after = next(to)
  if (after === undefined) return [first]
  return [first, { key: { value: after }, flags: new Set(['intervalEnd'] as const) }]
}

/** The bytes as a number in network order, plus one; undefined where that does not fit. */
function next(bytes: Uint8Array): Uint8Array | undefined {
  const after = bytes.slice()
  for (let index = after.length - 1; index >= 0; index--) {
    const byte = after[index] ?? 0
    after[index] = byte + 1
    if (byte !== 0xff) return after
  }
  return undefined
}
