// The kinds of objects with a name: NFT_OBJECT_*
import { be32, enumeration } from '../../wire/codec.ts'

export const objectType = enumeration(be32, {
  counter: 1,
  quota: 2,
  ctHelper: 3,
  limit: 4,
  connlimit: 5,
  tunnel: 6,
  ctTimeout: 7,
  secmark: 8,
  ctExpectation: 9,
  synproxy: 10,
})
