// What a Monitor can be told of by nf_tables.
import { NETLINK_NETFILTER } from '../descriptor.ts'
import type { Subject } from '../monitor.ts'
import { newGeneration } from './generation.ts'

const NFNLGRP_NFTABLES = 7

/** One event for each transaction, with the new generation of the ruleset and who made it. */
export const generations = {
  protocol: NETLINK_NETFILTER,
  groups: [NFNLGRP_NFTABLES],
  types: [newGeneration],
} as const satisfies Subject
