// What qdiscs and filters have in common: TCA_*, include/uapi/linux/rtnetlink.h
import type { Rows } from '../../wire/attributes.ts'
import { bool, bytes, string, u32 } from '../../wire/codec.ts'

/** `options`, TCA_OPTIONS, is 2. */
export const commonRows = {
  kind: [1, string],
  /** struct tc_stats, in 32 bits. */
  statistics: [3, bytes],
  extraStatistics: [4, bytes],
  rate: [5, bytes],
  /** Nested, TCA_STATS_*. */
  statistics2: [7, bytes],
  sizeTable: [8, bytes],
  chain: [11, u32],
  hardwareOffload: [12, bool],
  /** Filters of one block are shared by several links. */
  ingressBlock: [13, u32],
  egressBlock: [14, u32],
} as const satisfies Rows
