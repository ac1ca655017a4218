// The configuration of the sbr plugin.
import { network } from './network.ts'
import { address, flag, integer, list, object, type Schema } from './schema.ts'

export const sbr: Schema = object({
  ...network,
  table: integer(1, 0xffff_ffff),
  gateways: list(address, 'a list of at most one IPv4 and one IPv6 address'),
  addSourceHints: flag,
})
