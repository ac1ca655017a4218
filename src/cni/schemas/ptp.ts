// The configuration of the ptp plugin.
import { network } from './network.ts'
import { flag, integer, object, oneOf, type Schema } from './schema.ts'

export const ptp: Schema = object({
  ...network,
  ipMasq: flag,
  ipMasqBackend: oneOf('', 'iptables', 'nftables'),
  mtu: integer(0, 65535),
})
