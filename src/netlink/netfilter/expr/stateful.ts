// The expressions that count: they also stand in elements of sets, in dynset, and as objects with a name.
import { attributes } from '../../../wire/attributes.ts'
import { be32, be64, enumeration, flagSet } from '../../../wire/codec.ts'

/** NFTA_COUNTER_* */
export const counterAttributes = attributes({ bytes: [1, be64], packets: [2, be64] })

/** NFTA_LIMIT_*: `rate` packets or bytes in `unit` seconds, and `burst` more at once. */
export const limitAttributes = attributes({
  rate: [1, be64],
  unit: [2, be64],
  burst: [3, be32],
  type: [4, enumeration(be32, { packets: 0, bytes: 1 })],
  flags: [5, flagSet(be32, { over: 1 })],
})

/** NFTA_QUOTA_* */
export const quotaAttributes = attributes({
  bytes: [1, be64],
  flags: [2, flagSet(be32, { over: 1, depleted: 2 })],
  consumed: [4, be64],
})

/** NFTA_CONNLIMIT_* */
export const connlimitAttributes = attributes({ count: [1, be32], flags: [2, flagSet(be32, { over: 1 })] })

/** NFTA_LAST_* */
export const lastAttributes = attributes({ set: [1, be32], milliseconds: [2, be64] })

export const counter = () => ({ name: 'counter', data: {} }) as const

/** `limit({ rate: 10n, unit: 1n, burst: 5 })`: 10 packets a second */
export function limit(spec: {
  readonly rate: bigint
  /** Seconds. */
  readonly unit: bigint
  readonly burst: number
  readonly type?: 'packets' | 'bytes' | undefined
  readonly over?: boolean | undefined
}) {
  const { rate, unit, burst, type = 'packets', over = false } = spec
  return {
    name: 'limit',
    data: { rate, unit, burst, type, flags: new Set(over ? (['over'] as const) : []) },
  } as const
}
