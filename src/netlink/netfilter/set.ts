// Sets and maps: NFT_MSG_NEWSET and its kin.
import { attributes, list, nested } from '../../wire/attributes.ts'
import { be32, be64, enumeration, flagSet, string } from '../../wire/codec.ts'
import type { RequestOf, ValueOfMessage } from '../../wire/message.ts'
import { byteOrder, partLengths, type TypeName, typeLength, typeNumber } from './data-type.ts'
import { type Family, nftMessage } from './message.ts'
import { objectType } from './object-type.ts'
import { statefulExpression } from './stateful-expression.ts'
import { setUserData } from './user-data.ts'

const FLAGS = {
  anonymous: 0x1,
  constant: 0x2,
  interval: 0x4,
  map: 0x8,
  timeout: 0x10,
  /** Rules may change it. */
  dynamic: 0x20,
  object: 0x40,
  /** The intervals are of each field of a concatenation. */
  concatenation: 0x80,
  expressions: 0x100,
} as const

/** NFT_DATA_VERDICT */
export const VERDICT_TYPE = 0xffffff00

/** NFTA_SET_DESC_* */
const description = attributes({
  /** How many elements it may have; 0 or left out: any number. */
  size: [1, be32],
  /** The length in bytes of each field of a concatenation. */
  fields: [2, list(1, nested(attributes({ length: [1, be32] })))],
})

/** NFTA_SET_* */
const set = attributes({
  table: [1, string],
  name: [2, string],
  flags: [3, flagSet(be32, FLAGS)],
  keyType: [4, be32],
  keyLength: [5, be32],
  dataType: [6, be32],
  dataLength: [7, be32],
  policy: [8, enumeration(be32, { performance: 0, memory: 1 })],
  description: [9, nested(description)],
  /** Names the set within its batch; the kernel wants it in each NFT_MSG_NEWSET. */
  id: [10, be32],
  /** Milliseconds. */
  timeout: [11, be64],
  gcInterval: [12, be32],
  userData: [13, setUserData],
  objectType: [15, objectType],
  handle: [16, be64],
  expression: [17, nested(statefulExpression)],
  expressions: [18, list(1, nested(statefulExpression))],
})

export const newSet = nftMessage('NFT_MSG_NEWSET', 9, set)
export const getSet = nftMessage('NFT_MSG_GETSET', 10, set)
export const deleteSet = nftMessage('NFT_MSG_DELSET', 11, set)

export type NftSet = ValueOfMessage<typeof newSet>
export type SetRequest = RequestOf<typeof newSet>

/** A set, or with `data` a map, as one writes it in nft. */
export interface SetSpec {
  readonly family: Family
  readonly table: string
  readonly name: string
  /** Several types are a concatenation. */
  readonly key: readonly TypeName[]
  readonly data?: readonly TypeName[] | 'verdict' | undefined
  readonly flags?: readonly ('interval' | 'constant' | 'timeout' | 'dynamic')[] | undefined
  /** Milliseconds that elements stay by default. */
  readonly timeout?: bigint | undefined
  /** The number of elements that it may have. */
  readonly size?: number | undefined
  readonly comment?: string | undefined
  /** Any number that no other set of the batch has. */
  readonly id: number
}

/** The request that makes a set, such that nft lists it as one that nft made. */
export function setRequest(spec: SetSpec): SetRequest {
  const { family, table, name, key, data, timeout, size, comment, id } = spec
  const flags = new Set<keyof typeof FLAGS>(spec.flags)
  if (data !== undefined) flags.add('map')
  if (timeout !== undefined) flags.add('timeout')
  if (key.length > 1 && flags.has('interval')) flags.add('concatenation')
  const fields = flags.has('concatenation') ? partLengths(key).map(length => ({ length })) : undefined
  const described = size !== undefined || fields !== undefined
  return {
    family,
    table,
    name,
    flags,
    keyType: typeNumber(key),
    keyLength: typeLength(key),
    ...(data === undefined ? {} : dataAttributes(data)),
    id,
    ...(described ? { description: { size, fields } } : {}),
    timeout,
    userData: {
      keyByteOrder: byteOrder(key),
      ...(data === undefined ? {} : { dataByteOrder: data === 'verdict' ? 'none' : byteOrder(data) }),
      comment,
    },
  }
}

function dataAttributes(data: readonly TypeName[] | 'verdict') {
  if (data === 'verdict') return { dataType: VERDICT_TYPE, dataLength: 0 }
  return { dataType: typeNumber(data), dataLength: typeLength(data) }
}
