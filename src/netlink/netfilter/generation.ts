// The generation of the ruleset: a number that every transaction changes.
import { attributes } from '../../wire/attributes.ts'
import { be32, string } from '../../wire/codec.ts'
import type { ValueOfMessage } from '../../wire/message.ts'
import { nftMessage } from './message.ts'

/** NFTA_GEN_*: the number, and who changed it. */
const generation = attributes({ id: [1, be32], pid: [2, be32], process: [3, string] })

export const newGeneration = nftMessage('NFT_MSG_NEWGEN', 15, generation)
export const getGeneration = nftMessage('NFT_MSG_GETGEN', 16, generation)

export type Generation = ValueOfMessage<typeof newGeneration>
