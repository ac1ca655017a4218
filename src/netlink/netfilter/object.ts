// Objects with a name that count for many rules: NFT_MSG_NEWOBJ and its kin.
import { attributes, by, nested } from '../../wire/attributes.ts'
import { be32, be64, string } from '../../wire/codec.ts'
import type { RequestOf, ValueOfMessage } from '../../wire/message.ts'
import { connlimitAttributes, counterAttributes, limitAttributes, quotaAttributes } from './expr/stateful.ts'
import { nftMessage } from './message.ts'
import { objectType } from './object-type.ts'
import { commentUserData } from './user-data.ts'

/** NFTA_OBJ_* */
const object = attributes({
  table: [1, string],
  name: [2, string],
  type: [3, objectType],
  data: [
    4,
    by('type', {
      counter: nested(counterAttributes),
      limit: nested(limitAttributes),
      quota: nested(quotaAttributes),
      connlimit: nested(connlimitAttributes),
    }),
  ],
  use: [5, be32],
  handle: [6, be64],
  userData: [8, commentUserData],
})

export const newObject = nftMessage('NFT_MSG_NEWOBJ', 18, object)
export const getObject = nftMessage('NFT_MSG_GETOBJ', 19, object)
export const deleteObject = nftMessage('NFT_MSG_DELOBJ', 20, object)

export type NftObject = ValueOfMessage<typeof newObject>
export type ObjectRequest = RequestOf<typeof newObject>
