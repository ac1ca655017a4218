// Rules: NFT_MSG_NEWRULE and its kin.
import { attributes, list, nested } from '../../wire/attributes.ts'
import { be32, be64, flagSet, string } from '../../wire/codec.ts'
import type { RequestOf, ValueOfMessage } from '../../wire/message.ts'
import { expression } from './expression.ts'
import { nftMessage } from './message.ts'
import { ruleUserData } from './user-data.ts'

/** NFTA_RULE_COMPAT_*: what extensions of iptables in the rule are checked against. */
const compat = attributes({ protocol: [1, be32], flags: [2, flagSet(be32, { invert: 2 })] })

const head = {
  table: [1, string],
  chain: [2, string],
  handle: [3, be64],
} as const

/** NFTA_RULE_* */
const rule = attributes({
  ...head,
  expressions: [4, list(1, nested(expression))],
  compat: [5, nested(compat)],
  /** The handle of the rule before this one. */
  position: [6, be64],
  userData: [7, ruleUserData],
  id: [9, be32],
  positionId: [10, be32],
  chainId: [11, be32],
})

export const newRule = nftMessage('NFT_MSG_NEWRULE', 6, rule)
export const getRule = nftMessage('NFT_MSG_GETRULE', 7, rule)
/** Without a handle, all rules of the chain; without a chain, all of the table. */
export const deleteRule = nftMessage('NFT_MSG_DELRULE', 8, rule)

/** An answer to `getRule` of which the expressions are left as bytes: enough to see whose a rule is. */
export const ruleHead = nftMessage(newRule.name, 6, attributes({ ...head, userData: [7, ruleUserData] }))

export type Rule = ValueOfMessage<typeof newRule>
export type RuleRequest = RequestOf<typeof newRule>
