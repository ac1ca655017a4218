// log: writes packets to the kernel's log, or to a netlink group.
import { attributes } from '../../../wire/attributes.ts'
import { be16, be32, enumeration, string } from '../../../wire/codec.ts'

const LEVELS = {
  emerg: 0,
  alert: 1,
  crit: 2,
  err: 3,
  warn: 4,
  notice: 5,
  info: 6,
  debug: 7,
  audit: 8,
} as const

/** NFTA_LOG_* */
export const logAttributes = attributes({
  group: [1, be16],
  prefix: [2, string],
  /** Of the packet: so many bytes. */
  snaplen: [3, be32],
  queueThreshold: [4, be16],
  level: [5, enumeration(be32, LEVELS)],
  flags: [6, be32],
})

export function log(options: { readonly prefix?: string; readonly level?: keyof typeof LEVELS } = {}) {
  return { name: 'log', data: options } as const
}
