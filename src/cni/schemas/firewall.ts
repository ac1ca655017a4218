// The configuration of the firewall plugin.
import { network } from './network.ts'
import { maybe, object, oneOf, type Schema } from './schema.ts'

export const firewall: Schema = object({
  ...network,
  backend: oneOf('', 'iptables', 'nftables', 'firewalld'),
  iptablesAdminChainName: maybe('the name of a chain of iptables, of at most 28 bytes', 28),
  firewalldZone: maybe('the name of a zone of firewalld, of at most 64 bytes', 64),
  ingressPolicy: oneOf('', 'open', 'same-bridge', 'isolated'),
})
