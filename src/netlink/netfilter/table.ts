// Tables: NFT_MSG_NEWTABLE and its kin.
import { attributes } from '../../wire/attributes.ts'
import { be32, be64, flagSet, string } from '../../wire/codec.ts'
import type { RequestOf, ValueOfMessage } from '../../wire/message.ts'
import { nftMessage } from './message.ts'
import { commentUserData } from './user-data.ts'

/** NFTA_TABLE_* */
const table = attributes({
  name: [1, string],
  flags: [2, flagSet(be32, { dormant: 1, owner: 2, persist: 4 })],
  /** The number of its chains, sets and objects. */
  use: [3, be32],
  handle: [4, be64],
  userData: [6, commentUserData],
  owner: [7, be32],
})

export const newTable = nftMessage('NFT_MSG_NEWTABLE', 0, table)
export const getTable = nftMessage('NFT_MSG_GETTABLE', 1, table)
export const deleteTable = nftMessage('NFT_MSG_DELTABLE', 2, table)

export type Table = ValueOfMessage<typeof newTable>
export type TableRequest = RequestOf<typeof newTable>
