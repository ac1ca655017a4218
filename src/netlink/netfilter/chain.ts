// Chains: NFT_MSG_NEWCHAIN and its kin.
import { attributes, list, nested } from '../../wire/attributes.ts'
import { be32, be64, enumeration, flagSet, mapped, string } from '../../wire/codec.ts'
import type { RequestOf, ValueOfMessage } from '../../wire/message.ts'
import { counterAttributes } from './expr/stateful.ts'
import { nftMessage } from './message.ts'
import { commentUserData } from './user-data.ts'

/** A signed number in network order: priorities below 0 come first. */
const priority = mapped<number, number>(
  be32,
  wire => wire | 0,
  value => value >>> 0,
)

/** NF_INET_*, the same for the bridge family; ARP and netdev count their own. */
export const hooks = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4, ingress: 5 } as const

/** NF_IP_PRI_*: where nft's names for priorities stand, save in the bridge family. */
export const priorities = {
  raw: -300,
  mangle: -150,
  dstnat: -100,
  filter: 0,
  security: 50,
  srcnat: 100,
} as const

/** NFTA_HOOK_* */
const hook = attributes({
  number: [1, be32],
  priority: [2, priority],
  device: [3, string],
  devices: [4, list(1, string)],
})

/** NFTA_CHAIN_* */
const chain = attributes({
  table: [1, string],
  handle: [2, be64],
  name: [3, string],
  hook: [4, nested(hook)],
  policy: [5, enumeration(be32, { drop: 0, accept: 1 })],
  /** The number of its rules, and of jumps to it. */
  use: [6, be32],
  type: [7, string],
  counters: [8, nested(counterAttributes)],
  flags: [10, flagSet(be32, { base: 1, offload: 2, binding: 4 })],
  id: [11, be32],
  userData: [12, commentUserData],
})

export const newChain = nftMessage('NFT_MSG_NEWCHAIN', 3, chain)
export const getChain = nftMessage('NFT_MSG_GETCHAIN', 4, chain)
export const deleteChain = nftMessage('NFT_MSG_DELCHAIN', 5, chain)

export type Chain = ValueOfMessage<typeof newChain>
export type ChainRequest = RequestOf<typeof newChain>
