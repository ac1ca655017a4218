// The configuration of the bridge plugin.
import { network } from './network.ts'
import { flag, integer, list, maybe, object, oneOf, type Schema } from './schema.ts'

const vlanId = integer(1, 4094)

export const bridge: Schema = object({
  ...network,
  bridge: maybe('the name of a bridge'),
  isGateway: flag,
  isDefaultGateway: flag,
  forceAddress: flag,
  ipMasq: flag,
  ipMasqBackend: oneOf('', 'iptables', 'nftables'),
  mtu: integer(0, 65535),
  hairpinMode: flag,
  promiscMode: flag,
  vlan: integer(0, 4094),
  vlanTrunk: list(
    object({ id: vlanId, minID: vlanId, maxID: vlanId }, { want: '{"id": N} or {"minID": N, "maxID": N}' }),
    'a list of {"id": N} or {"minID": N, "maxID": N}',
  ),
  preserveDefaultVlan: flag,
  macspoofchk: flag,
  enabledad: flag,
  disableContainerInterface: flag,
  portIsolation: flag,
  networkIsolation: flag,
  internal: flag,
})
